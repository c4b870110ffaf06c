"""Bringing one task's row in line with what Temporal has of its workflow."""

from enum import StrEnum
from uuid import UUID

from temporalio.client import WorkflowExecutionStatus

from activities.store import tasks
from activities.store.reading.families import find_owner
from activities.store.reading.steps import find_running_step
from activities.store.reading.stopped import is_terminated
from activities.store.reading.tasks import StoredTask
from api.services import Services
from api.tasks.runs import start
from api.tasks.temporal import Execution
from api.tasks.temporal_calls import PATIENT_TIMEOUT_SECONDS
from workflows.contracts import PLAN_ENDED, Failure, TaskClose
from workflows.schedule_contracts import run_workflow_id
from workflows.states import Status, TaskType

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

_ENDED = (Status.FAILED, "workflow-failed", "The workflow ended")
_RESTART = "Restart the agent: it takes its unread messages again"


class Settled(StrEnum):
    UNCHANGED = "unchanged"
    STARTED = "started"
    CANCELLED = "cancelled"
    CLOSED = "closed"


async def settle(services: Services, task: StoredTask) -> Settled:
    """Start the workflow of a living task that has none; close one whose workflow has ended.

    That of a node is started by its plan only; one that its plan has left behind is ended. Every
    change is fenced by the task's run: one that is late changes nothing.

    Raises:
        TemporaryFailure
    """
    if task.type is TaskType.EXCHANGE and task.parent_id is not None:
        return await _settle_exchange(services, task, task.parent_id)
    execution = await services.temporal.find(task.id, seconds=PATIENT_TIMEOUT_SECONDS)
    if task.parent_id is not None:
        orphaned = await _why_orphaned(services, task.id, task.parent_id)
        if orphaned is not None:
            return await _end_orphan(services, task, execution, orphaned)
    if execution is None or (execution.run < task.run and not execution.is_running):
        if task.parent_id is not None or await _is_for_schedule(services, task):
            return Settled.UNCHANGED
        await start(services, task)
        return Settled.STARTED
    if execution.is_running:
        return Settled.UNCHANGED
    closed = await tasks.close_task(services.database, await _end_of(services, task, execution))
    return Settled.CLOSED if closed else Settled.UNCHANGED


async def _settle_exchange(services: Services, task: StoredTask, agent_id: UUID) -> Settled:
    """Close the exchange of an agent whose workflow has ended. What it had taken stays unread. A
    workflow that goes on for a terminated agent was not told, and is told now."""
    status = await services.temporal.conversations.status(agent_id)
    is_over = await is_terminated(services.database, agent_id)
    if status is WorkflowExecutionStatus.RUNNING:
        # If it is another one, that closes the exchange itself.
        told = is_over and await services.temporal.conversations.cancel(agent_id)
        return Settled.CANCELLED if told else Settled.UNCHANGED
    ended, code, message = _ENDS.get(status or WorkflowExecutionStatus.TERMINATED, _ENDED)
    hint = "The agent is terminated" if is_over else _RESTART
    failure = Failure(code=code, message=f"{message}. {hint}.")
    close = TaskClose(
        task_id=task.id,
        team_id=task.team_id,
        run=task.run,
        status=ended,
        failure=failure,
        sub_task_id=await find_running_step(services.database, task.id),
        agent_id=agent_id,
    )
    closed = await tasks.close_task(services.database, close)
    return Settled.CLOSED if closed else Settled.UNCHANGED


async def _is_for_schedule(services: Services, task: StoredTask) -> bool:
    """Whether a run of a schedule is about to start the task, and to wait for its end."""
    if task.schedule_id is None or task.scheduled_at is None or task.run > 1:
        return False
    run = run_workflow_id(task.schedule_id, task.scheduled_at)
    return await services.temporal.schedules.runs(run)


async def _why_orphaned(services: Services, task_id: UUID, plan_id: UUID) -> Failure | None:
    """Why no plan waits for a task of a node; None when one does."""
    owner = await find_owner(services.database, plan_id, task_id)
    if owner is None:
        code, reason = "plan-gone", "is gone"
    elif owner.status.is_final:
        code, reason = PLAN_ENDED, f"has ended ({owner.status}), and nobody waits for this node"
    elif owner.node is None:
        code, reason = "node-dropped", "was made anew, and has no such node any more"
    else:
        return None
    return Failure(code=code, message=f"Its plan, task {plan_id}, {reason}.")


async def _end_orphan(
    services: Services, task: StoredTask, execution: Execution | None, failure: Failure
) -> Settled:
    """Its workflow, where one runs, closes the task itself."""
    if execution is not None and execution.is_running:
        told = await services.temporal.cancel(task.id, execution)
        return Settled.CANCELLED if told else Settled.UNCHANGED
    close = TaskClose(
        task_id=task.id,
        team_id=task.team_id,
        run=task.run,
        status=Status.CANCELLED,
        failure=failure,
        sub_task_id=await find_running_step(services.database, task.id),
    )
    closed = await tasks.close_task(services.database, close)
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
