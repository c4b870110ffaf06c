"""Bringing one task's row in line with what Temporal has of its workflow."""

from enum import StrEnum

from temporalio.client import WorkflowExecutionStatus

from activities.store import tasks
from activities.store.reading.steps import find_running_step
from activities.store.reading.tasks import StoredTask
from api.services import Services
from api.tasks.runs import start
from api.tasks.temporal import Execution
from api.tasks.temporal_calls import PATIENT_TIMEOUT_SECONDS
from workflows.contracts import Failure, TaskClose
from workflows.states import Status

_ENDS = {
    WorkflowExecutionStatus.TERMINATED: (
        Status.CANCELLED,
        "terminated",
        "The workflow was terminated in Temporal",
    ),
    WorkflowExecutionStatus.CANCELED: (Status.CANCELLED, "cancelled", "It was cancelled"),
    WorkflowExecutionStatus.TIMED_OUT: (
        Status.FAILED,
        "workflow-timed-out",
        "The workflow reached its time limit in Temporal. Look there for why it did not continue",
    ),
    WorkflowExecutionStatus.FAILED: (Status.FAILED, "workflow-failed", "The workflow failed"),
    # It writes its end before it ends: a row without it is older than the workflow.
    WorkflowExecutionStatus.COMPLETED: (
        Status.FAILED,
        "result-lost",
        "The workflow completed, but its result is gone: was the database restored? Retry the task",
    ),
}


class Settled(StrEnum):
    UNCHANGED = "unchanged"
    STARTED = "started"
    CLOSED = "closed"


async def settle(services: Services, task: StoredTask) -> Settled:
    """Start the workflow of a living task that has none; close one whose workflow has ended.

    Every change is fenced by the task's run: one that is late changes nothing.

    Raises:
        TemporaryFailure
    """
    execution = await services.temporal.find(task.id, seconds=PATIENT_TIMEOUT_SECONDS)
    if execution is None or (execution.run < task.run and not execution.is_running):
        await start(services, task)
        return Settled.STARTED
    if execution.is_running:
        return Settled.UNCHANGED
    closed = await tasks.close_task(services.database, await _end_of(services, task, execution))
    return Settled.CLOSED if closed else Settled.UNCHANGED


async def _end_of(services: Services, task: StoredTask, execution: Execution) -> TaskClose:
    status, code, message = _ENDS[execution.status]
    reason = await services.temporal.reason_of_end(task.id, execution)
    message = f"{message}: {reason}." if reason else f"{message}."
    return TaskClose(
        task_id=task.id,
        team_id=task.team_id,
        run=task.run,
        status=status,
        failure=Failure(code=code, message=message[:4_096]),
        sub_task_id=await find_running_step(services.database, task.id),
    )
