"""Events as objects: what is written of them, and what readers make of it."""

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from workflows import events
from workflows.contracts import Failure
from workflows.events import MODELS, Event, EventType, parse
from workflows.open_values import Unknown
from workflows.states import FINAL, Phase, Status, TaskType

FAILURE = Failure(code="script-failed", message="It failed.", step="a")
AN_ERROR = {"code": "script-failed", "message": "It failed.", "step": "a"}
ENDED: dict[str, Any] = {"step": "a", "attempt": 2, "duration_ms": 5}
USED = {"tokens": 3, "prompt_tokens": 2, "completion_tokens": 1, "cost_usd": 0.0}
WANTED: dict[str, Any] = {"step": "1.1 x", "call_id": "c", "tool": "x", "arguments": {"a": None}}

# One of each, and as it is sent.
ON_THE_WIRE: list[tuple[Event, str, dict[str, Any]]] = [
    (events.TaskStatus(status=Status.RUNNING), "task.status", {"status": "running"}),
    (
        events.TaskStatus(status=Status.FAILED, error=FAILURE),
        "task.status",
        {"status": "failed", "error": AN_ERROR},
    ),
    (
        events.TaskRouted(type=TaskType.PLAN, reason="big"),
        "task.routed",
        {"type": "plan", "reason": "big"},
    ),
    (events.PauseRequested(), "task.pause_requested", {}),
    (events.ResumeRequested(), "task.resume_requested", {}),
    (events.StepStarted(step="a", attempt=1), "step.started", {"step": "a", "attempt": 1}),
    (
        events.StepPhase(step="a", phase=Phase.EXECUTING),
        "step.phase",
        {"step": "a", "phase": "executing"},
    ),
    (
        events.StepOutput(step="a", stream="stderr", text="x\0"),
        "step.output",
        {"step": "a", "stream": "stderr", "text": "x\0"},
    ),
    (events.StepOutputCut(step="a", limit=7), "step.output_cut", {"step": "a", "limit": 7}),
    (
        events.StepRetrying(
            **ENDED, error=FAILURE, next_attempt_at=datetime(2025, 6, 1, 12, tzinfo=UTC)
        ),
        "step.retrying",
        {**ENDED, "error": AN_ERROR, "next_attempt_at": "2025-06-01T12:00:00+00:00"},
    ),
    (
        events.StepHeld(
            step="a",
            reason="a slot of mcp:slow",
            next_attempt_at=datetime(2025, 6, 1, 12, tzinfo=UTC),
        ),
        "step.held",
        {
            "step": "a",
            "reason": "a slot of mcp:slow",
            "next_attempt_at": "2025-06-01T12:00:00+00:00",
        },
    ),
    (
        events.StepCompleted(**ENDED, exit_code=0, files=1, refused=("b: too large",)),
        "step.completed",
        {**ENDED, "exit_code": 0, "files": 1, "refused": ["b: too large"]},
    ),
    (events.StepFailed(**ENDED, error=FAILURE), "step.failed", {**ENDED, "error": AN_ERROR}),
    (events.StepBlocked(**ENDED, error=FAILURE), "step.blocked", {**ENDED, "error": AN_ERROR}),
    (events.StepCancelled(**ENDED), "step.cancelled", ENDED),
    (
        events.ArtifactCreated(step="a", id="k", name="n", size=0, mime_type="m", url="u"),
        "artifact.created",
        {"step": "a", "id": "k", "name": "n", "size": 0, "mime_type": "m", "url": "u"},
    ),
    (events.TurnStarted(turn=1), "turn.started", {"turn": 1}),
    (
        events.TurnHeld(turn=1, reason="a slot of model:m"),
        "turn.held",
        {"turn": 1, "reason": "a slot of model:m"},
    ),
    (events.LlmDelta(turn=1, text="half \ud800"), "llm.delta", {"turn": 1, "text": "half \ud800"}),
    (events.LlmRestarted(turn=1), "llm.restarted", {"turn": 1}),
    (
        events.LlmRetrying(
            turn=1,
            model="m",
            error=FAILURE,
            next_attempt_at=datetime(2025, 6, 1, 12, tzinfo=UTC),
        ),
        "llm.retrying",
        {
            "turn": 1,
            "model": "m",
            "error": AN_ERROR,
            "next_attempt_at": "2025-06-01T12:00:00+00:00",
        },
    ),
    (
        events.MessageCreated(turn=1, seq=3, role="assistant", content="", model="m"),
        "message.created",
        {"turn": 1, "seq": 3, "role": "assistant", "content": "", "model": "m"},
    ),
    (events.Usage(turn=1, model="m", **USED), "usage", {"turn": 1, "model": "m", **USED}),
    (events.Usage(turn=1, **USED, is_lost=True), "usage", {"turn": 1, **USED, "is_lost": True}),
    (events.ToolCalled(**WANTED), "tool.called", WANTED),
    (events.ToolCalled(step="1.1 x", tool="x"), "tool.called", {"step": "1.1 x", "tool": "x"}),
    (
        events.ToolResult(step="1.1 x", call_id="c", ok=False, text=""),
        "tool.result",
        {"step": "1.1 x", "call_id": "c", "ok": False, "text": ""},
    ),
    (
        events.ToolFallback(step="1.1 x", tool="x", answered_by="y"),
        "tool.fallback",
        {"step": "1.1 x", "tool": "x", "answered_by": "y"},
    ),
    (
        events.ApprovalAsked(
            **WANTED,
            kind="approval",
            question=None,
            expires_at=datetime(2025, 6, 1, 12, tzinfo=UTC),
        ),
        "approval.asked",
        {**WANTED, "kind": "approval", "expires_at": "2025-06-01T12:00:00Z"},
    ),
    (
        events.ApprovalDecided(step="1.1 x", call_id="c", decision="deny", note=None),
        "approval.decided",
        {"step": "1.1 x", "call_id": "c", "decision": "deny"},
    ),
    (
        events.PlanOpened(
            seq=3,
            nodes=(
                events.PlannedNode(id="a", title="Read", kind="agent", depends_on=()),
                events.PlannedNode(id="b", title="Join", kind="plan", depends_on=("a",)),
            ),
        ),
        "plan.opened",
        {
            "seq": 3,
            "nodes": [
                {"id": "a", "title": "Read", "kind": "agent", "depends_on": []},
                {"id": "b", "title": "Join", "kind": "plan", "depends_on": ["a"]},
            ],
        },
    ),
    (
        events.MessageTold.model_validate({"number": 2, "from": "ann", "content": "Use euros."}),
        "message.told",
        {"number": 2, "from": "ann", "content": "Use euros."},
    ),
    (
        events.MessageRead(turn=3, numbers=(1, 2)),
        "message.read",
        {"turn": 3, "numbers": [1, 2]},
    ),
    (
        events.NodeStarted(node="a", task_id=UUID(int=7), number=1),
        "node.started",
        {"node": "a", "task_id": str(UUID(int=7)), "number": 1},
    ),
    (
        events.NodeEnded(node="a", status=Status.COMPLETED),
        "node.ended",
        {"node": "a", "status": "completed"},
    ),
    (
        events.NodeEnded(node="a", status=Status.BLOCKED, error=FAILURE),
        "node.ended",
        {"node": "a", "status": "blocked", "error": AN_ERROR},
    ),
]


def test_every_type_has_a_model_and_an_example() -> None:
    assert MODELS.keys() == set(EventType)
    assert {event.type for event, _, _ in ON_THE_WIRE} == set(EventType)


@pytest.mark.parametrize(("event", "name", "data"), ON_THE_WIRE)
def test_an_event_is_sent_with_what_its_writer_has_set(
    event: Event, name: str, data: dict[str, Any]
) -> None:
    assert (event.type, event.data) == (name, data)


@pytest.mark.parametrize(("event", "name", "data"), ON_THE_WIRE)
def test_an_event_is_read_as_it_was_written(event: Event, name: str, data: dict[str, Any]) -> None:
    read = parse(name, data)
    assert read == event
    assert type(read) is type(event)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("task.vanished", {}),
        ("", {}),
        ("TASK_STATUS", {"status": "running"}),
        ("task.status", {}),
        ("task.status", {"status": 3}),
        ("step.started", {}),
        ("step.started", {"step": ["a"]}),
        ("step.output", {"step": "a", "text": 3}),
        ("usage", {"turn": "x"}),
        ("approval.decided", {"call_id": "c"}),
        ("plan.opened", {"seq": 1}),
        ("plan.opened", {"nodes": [{"title": "no id"}]}),
        ("node.started", {"node": "a", "task_id": "no id"}),
        ("node.ended", {"node": "a"}),
    ],
)
def test_an_event_of_a_newer_server_is_nothing_to_a_reader(name: str, data: dict[str, Any]) -> None:
    assert parse(name, data) is None


@pytest.mark.parametrize(
    ("name", "data", "field"),
    [
        ("task.status", {"status": "dreaming"}, "status"),
        ("step.phase", {"step": "a", "phase": "dreaming"}, "phase"),
        ("approval.asked", {"step": "1.1 x", "call_id": "c", "kind": "dreaming"}, "kind"),
        ("approval.decided", {"call_id": "c", "decision": "dreaming"}, "decision"),
        ("node.ended", {"node": "a", "status": "dreaming"}, "status"),
    ],
)
def test_a_reader_keeps_the_name_of_a_value_that_is_newer_than_itself(
    name: str, data: dict[str, Any], field: str
) -> None:
    assert getattr(parse(name, data), field) == Unknown("dreaming")


def test_a_writer_says_only_what_is_known() -> None:
    with pytest.raises(ValidationError):
        events.TaskStatus.model_validate({"status": "dreaming"})


def test_fields_that_a_reader_does_not_know_are_ignored_and_missing_ones_have_defaults() -> None:
    read = parse("step.output", {"step": "a", "colour": "red", "created_at": "today"})
    assert read == events.StepOutput(step="a", stream="stdout", text="")


def test_every_end_of_a_step_has_an_event_that_is_named_after_it() -> None:
    ends = {m.status: m.type for m in MODELS.values() if issubclass(m, events.AttemptEnded)}
    assert ends.pop(Status.QUEUED) == "step.retrying"
    assert ends == {status: f"step.{status}" for status in FINAL}


def test_reading_events_needs_no_temporal() -> None:
    """The command line reads them, and starts in a quarter of a second."""
    code = "import sys, workflows.events; sys.exit('temporalio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
