"""Every kept history replays with the workflows as they are now."""

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from tests.replay.recording import HISTORIES, SCENES
from workflows.pipeline import PipelineWorkflow

KEPT = sorted(HISTORIES.glob("*.json"))


def read(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(f"replay-{path.stem}", path.read_text())


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
async def test_a_kept_history_replays(path: Path) -> None:
    replayer = Replayer(workflows=[PipelineWorkflow], data_converter=pydantic_data_converter)
    await replayer.replay_workflow(read(path))


def test_every_kind_of_end_has_a_history() -> None:
    assert {path.stem for path in KEPT} >= {f"pipeline-{name}" for name in SCENES}


async def test_a_history_of_another_workflow_is_noticed() -> None:
    document = json.loads((HISTORIES / "pipeline-completed.json").read_text())
    scheduled = next(
        event for event in document["events"] if "activityTaskScheduledEventAttributes" in event
    )
    scheduled["activityTaskScheduledEventAttributes"]["activityType"]["name"] = "another"
    changed = WorkflowHistory.from_json("replay-changed", json.dumps(document))
    replayer = Replayer(workflows=[PipelineWorkflow], data_converter=pydantic_data_converter)
    with pytest.raises(NondeterminismError):
        await replayer.replay_workflow(changed)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_an_event_of_a_pipeline_is_small(path: Path) -> None:
    """Ids and numbers only: a step costs its history less than 3 KB, however much it handles."""
    document = json.loads(path.read_text())
    largest = max(len(json.dumps(event)) for event in document["events"][1:])
    assert largest < 3 * 1024
