"""What tests look up in Temporal, and do to it: the runs of a workflow, and going back in one."""

import asyncio
from collections.abc import Callable, Sequence
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHistory

_WAIT_SECONDS = 30


async def runs_of(client: Client, workflow_id: str) -> Sequence[WorkflowHistory]:
    """The history of each run of a workflow that may have continued as new, the first run first."""
    runs: list[WorkflowHistory] = []
    run_id = (await client.get_workflow_handle(workflow_id).describe()).run_id
    while run_id:
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        runs.insert(0, history)
        started = history.events[0].workflow_execution_started_event_attributes
        run_id = started.continued_execution_run_id
    return runs


def is_think(event: HistoryEvent) -> bool:
    """Whether a turn begins with this event."""
    return event.activity_task_scheduled_event_attributes.activity_type.name == "think"


async def reset_to_turn(client: Client, workflow_id: str, turn: int) -> None:
    """As ``temporal workflow reset`` does it: to where a turn of the last run is to begin."""
    await _reset(client, workflow_id, is_think, turn)


async def reset_to_nodes(client: Client, workflow_id: str) -> None:
    """The same, to where a planner has answered and its first nodes are to begin."""
    await _reset(client, workflow_id, _is_marker, 1)


def _is_marker(event: HistoryEvent) -> bool:
    return event.HasField("marker_recorded_event_attributes")


async def _reset(
    client: Client, workflow_id: str, begins: Callable[[HistoryEvent], bool], count: int
) -> None:
    """To the workflow task at whose end such an event comes for the ``count``-th time.

    Waits for it: what an activity wrote is seen before the workflow has heard that it ended.
    """
    handle = client.get_workflow_handle(workflow_id)
    run_id = (await handle.describe()).run_id
    completed = found = 0
    async with asyncio.timeout(_WAIT_SECONDS):
        async for event in handle.fetch_history_events(wait_new_event=True):
            if event.HasField("workflow_task_completed_event_attributes"):
                completed = event.event_id
            found += begins(event)
            if found == count:
                break
    await reset_to(client, workflow_id, run_id, completed)


def workflow_tasks(history: WorkflowHistory) -> Sequence[int]:
    """The events at which workflow tasks were completed."""
    return [
        event.event_id
        for event in history.events
        if event.HasField("workflow_task_completed_event_attributes")
    ]


async def reset_to(client: Client, workflow_id: str, run_id: str, completed: int) -> str:
    """To where the workflow task that ended with this event begins; gives the id of the new run."""
    answer = await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            reason="a test",
            workflow_task_finish_event_id=completed,
            request_id=str(uuid4()),
        )
    )
    return answer.run_id
