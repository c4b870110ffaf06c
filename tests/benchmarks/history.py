"""What workflow history holds of an agent's turns."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle

from tests.benchmarks.stage import Stage


@dataclass(frozen=True, slots=True)
class HistoryCost:
    events: int
    bytes: int

    @classmethod
    def of(cls, events: Sequence[HistoryEvent]) -> "HistoryCost":
        return cls(len(events), sum(event.ByteSize() for event in events))


async def costs_of_turns(stage: Stage, workflow_id: str) -> list[HistoryCost]:
    """What each turn but the last costs: from its first activity to that of the next."""
    events = await events_of(stage.temporal.get_workflow_handle(workflow_id))
    begins = [place for place, event in enumerate(events) if _asks_the_model(event)]
    return [HistoryCost.of(events[begin:end]) for begin, end in pairwise(begins)]


async def costs_of_runs(stage: Stage, workflow_id: str) -> list[HistoryCost]:
    """What each run of a workflow costs that may have continued as new, the first run first."""
    runs: list[HistoryCost] = []
    run_id = (await stage.temporal.get_workflow_handle(workflow_id).describe()).run_id
    while run_id:
        events = await events_of(stage.temporal.get_workflow_handle(workflow_id, run_id=run_id))
        runs.insert(0, HistoryCost.of(events))
        started = events[0].workflow_execution_started_event_attributes
        run_id = started.continued_execution_run_id
    return runs


async def events_of(handle: WorkflowHandle[Any, Any]) -> Sequence[HistoryEvent]:
    return (await handle.fetch_history()).events


def _asks_the_model(event: HistoryEvent) -> bool:
    return event.activity_task_scheduled_event_attributes.activity_type.name == "think"
