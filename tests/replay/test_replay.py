"""Every kept history replays with the workflows as they are now."""

import json
from base64 import b64encode
from collections.abc import Sequence
from itertools import chain, pairwise
from pathlib import Path
from statistics import mean

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from pydantic import JsonValue
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from activities.payloads import Codec, data_converter
from tests.replay.marks import HANDLED, TITLE
from tests.replay.recording import HISTORIES, PLAYED
from tests.temporal_runs import is_think
from worker.host import hosted_workflows
from workflows import label_names
from workflows.failures import DATA_CONVERTER

KEPT = sorted(path.stem for path in HISTORIES.glob("*.json"))
# Of runs that went as they do no more.
OUTDATED = [
    "pipeline-cancelled-in-vain-once",
    "pipeline-cancelled-while-closing-once",
    # Put together of others by hand: the instant cannot be hit on purpose.
    "pipeline-cancelled-while-pausing-once",
    "pipeline-paused-once",
]
# Payloads that no codec is given: names, numbers and times of local activities and patches, and
# what Temporal searches by.
OF_THE_SDK = ("data", "patch-data", "searchAttributes")
ENCRYPTED = b64encode(b"binary/encrypted").decode()
RUNS_OF_CONTINUED = ["agent-continued-1", "agent-continued-2"]
RUNS_OF_ROUTED = ["router-chosen-1", "router-chosen-2"]
RUNS_OF_CONTINUED_PLAN = ["plan-continued-1", "plan-continued-2"]
RUNS_OF_CONTINUED_TALK = [f"conversation-continued-{number}" for number in (1, 2, 3)]

# Of a turn with two calls; the benchmarks measure a turn with one.
MOST_TURN_EVENTS = 18
MOST_TURN_BYTES = 2_500


def path_of(name: str) -> Path:
    return HISTORIES / f"{name}.json"


def read(name: str) -> WorkflowHistory:
    return WorkflowHistory.from_json(f"replay-{name}", path_of(name).read_text())


def replayer() -> Replayer:
    return Replayer(workflows=hosted_workflows(), data_converter=DATA_CONVERTER)


@pytest.mark.parametrize("name", KEPT)
async def test_a_kept_history_replays(name: str) -> None:
    await replayer().replay_workflow(read(name))


@pytest.mark.parametrize("name", KEPT)
async def test_a_kept_history_replays_with_a_key_whether_it_is_encrypted_or_not(name: str) -> None:
    codec = Codec([bytes(32)])
    document = json.loads(path_of(name).read_text())
    encrypted = await _encrypted(document, codec)
    assert ENCRYPTED in json.dumps(encrypted)
    # As in a worker. What a sandbox would object to is seen above, and it takes ten times as long.
    keyed = Replayer(
        workflows=hosted_workflows(),
        data_converter=data_converter(codec),
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    for history in (document, encrypted):
        await keyed.replay_workflow(WorkflowHistory.from_json(f"replay-{name}", history))


async def _encrypted(value: JsonValue, codec: Codec) -> JsonValue:
    """A history as it is when all payloads in it are encrypted."""
    match value:
        case {"metadata": {"encoding": _}}:
            [payload] = await codec.encode([ParseDict(value, Payload())])
            return dict(MessageToDict(payload))
        case dict():
            return {
                key: item if key in OF_THE_SDK else await _encrypted(item, codec)
                for key, item in value.items()
            }
        case list():
            return [await _encrypted(item, codec) for item in value]
        case _:
            return value


def test_every_scene_has_its_history() -> None:
    several = {
        "agent-continued": RUNS_OF_CONTINUED,
        "router-chosen": RUNS_OF_ROUTED,
        "plan-continued": RUNS_OF_CONTINUED_PLAN,
        "conversation-continued": RUNS_OF_CONTINUED_TALK,
    }
    played = {name for scenes in PLAYED for name in scenes.SCENES}
    runs = {*chain.from_iterable(several.values()), *OUTDATED}
    assert set(KEPT) == played - set(several) | runs


def test_every_workflow_has_a_history() -> None:
    recorded = {
        read(name).events[0].workflow_execution_started_event_attributes.workflow_type.name
        for name in KEPT
    }
    assert recorded == {each.__name__ for each in hosted_workflows()}


@pytest.mark.parametrize("name", ["pipeline-completed", "agent-short"])
async def test_a_history_of_another_workflow_is_noticed(name: str) -> None:
    document = json.loads(path_of(name).read_text())
    scheduled = next(
        event for event in document["events"] if "activityTaskScheduledEventAttributes" in event
    )
    scheduled["activityTaskScheduledEventAttributes"]["activityType"]["name"] = "another"
    changed = WorkflowHistory.from_json("replay-changed", json.dumps(document))
    with pytest.raises(NondeterminismError):
        await replayer().replay_workflow(changed)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("agent-short", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
        ("agent-long", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
        ("agent-cancelled", EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED),
        ("agent-cancelled", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED),
        ("agent-approved", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED),
        ("agent-approved", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
        ("agent-continued-1", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW),
        ("agent-continued-2", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
        ("router-chosen-1", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW),
        ("router-chosen-2", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
        ("router-cancelled", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED),
        ("plan-completed", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
        ("plan-revised", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
        ("plan-blocked", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED),
        ("plan-resumed", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
        ("plan-cancelled", EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED),
        ("plan-cancelled", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED),
        ("plan-paused", EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED),
        ("plan-paused", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
        ("plan-nested", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
        ("plan-continued-1", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW),
        ("plan-continued-2", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
        ("conversation-short", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
        ("conversation-interrupted", EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED),
        ("conversation-interrupted", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
        ("conversation-cancelled", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED),
        ("conversation-approved", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
        (RUNS_OF_CONTINUED_TALK[0], EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW),
        (RUNS_OF_CONTINUED_TALK[-1], EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
        ("schedule-completed", EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED),
        ("schedule-completed", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
        ("schedule-failed", EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED),
        ("schedule-failed", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
        ("schedule-cancelled", EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED),
        ("schedule-cancelled", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED),
    ],
)
def test_a_kept_run_went_as_its_name_says(name: str, kind: EventType.ValueType) -> None:
    assert kind in [event.event_type for event in read(name).events]


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("pipeline-listed", ["paused", "running", "completed"]),
        ("agent-listed", ["waiting", "running", "completed"]),
        ("conversation-listed", ["waiting", "running", "idle"]),
        ("plan-listed", ["paused", "running", "completed"]),
        ("schedule-listed", ["completed"]),
        ("agent-approved", []),
    ],
)
def test_a_run_that_is_listed_tells_each_change_of_its_state_once(
    name: str, states: list[str]
) -> None:
    """One that began where Temporal knew no search attributes tells none."""
    told = [
        json.loads(fields[label_names.STATE].data)
        for event in read(name).events
        if (upsert := event.upsert_workflow_search_attributes_event_attributes)
        and (fields := upsert.search_attributes.indexed_fields)
        and label_names.STATE in fields
    ]
    assert told == states


@pytest.mark.parametrize("name", KEPT)
def test_an_event_is_small(name: str) -> None:
    """Ids and numbers only: less than 3 KB, however much a step or a call handles, and for each
    node of a plan 100 bytes more."""
    events = json.loads(path_of(name).read_text())["events"]
    nodes = sum("startChildWorkflowExecutionInitiatedEventAttributes" in event for event in events)
    assert max(len(json.dumps(event)) for event in events[1:]) < 3 * 1024 + 100 * nodes


@pytest.mark.parametrize(
    "name", [name for name in KEPT if name.startswith(("agent-", "router-", "plan-", "schedule-"))]
)
def test_nothing_that_an_agent_handles_is_in_its_history(name: str) -> None:
    history = b"".join(event.SerializeToString() for event in read(name).events)
    later = ("agent-continued-2", "router-chosen-2", "plan-continued-2")
    assert (TITLE[:50].encode() in history) == (name not in later)
    assert [mark for mark in HANDLED if mark.encode() in history] == []


@pytest.mark.parametrize("name", [name for name in KEPT if name.startswith("conversation-")])
def test_nothing_that_is_said_to_an_agent_that_stays_is_in_its_history(name: str) -> None:
    history = b"".join(event.SerializeToString() for event in read(name).events)
    assert [mark for mark in HANDLED if mark.encode() in history] == []


@pytest.mark.parametrize("name", ["agent-long", *RUNS_OF_CONTINUED])
def test_a_turn_costs_the_same_early_and_late(name: str) -> None:
    costs = _costs_of_turns(name)
    assert max(events for events, _ in costs) <= MOST_TURN_EVENTS
    assert max(size for _, size in costs) <= MOST_TURN_BYTES
    early, late = costs[1:6], costs[-5:]
    assert mean(size for _, size in late) < 1.1 * mean(size for _, size in early)


def test_a_turn_costs_the_same_in_the_next_run() -> None:
    before, after = ([size for _, size in _costs_of_turns(name)] for name in RUNS_OF_CONTINUED)
    assert mean(after) < 1.1 * mean(before[1:])


def _costs_of_turns(name: str) -> Sequence[tuple[int, int]]:
    """Events and bytes of each turn but the last, up to where the next one begins."""
    events = read(name).events
    begins = [place for place, event in enumerate(events) if is_think(event)]
    return [
        (end - begin, sum(event.ByteSize() for event in events[begin:end]))
        for begin, end in pairwise(begins)
    ]
