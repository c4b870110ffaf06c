"""How workflows tell of a task's state and end: what all types of tasks share."""

import asyncio
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, RetryState
from temporalio.exceptions import TimeoutError as ActivityTimeout

from workflows import policies, ports
from workflows.contracts import Failure, TaskClose, TaskMark
from workflows.errors import TokenQuotaUsedUp
from workflows.states import Status

# Final for this run, but time mends it: a retry by a person may then succeed.
_MENDABLE = (TokenQuotaUsedUp.code,)


async def mark(task_id: UUID, team_id: UUID, run: int, status: Status) -> None:
    """Set the state of a living task."""
    await workflow.execute_local_activity_method(
        ports.Tasks.mark_task,
        TaskMark(task_id=task_id, team_id=team_id, run=run, status=status),
        summary=f"task is {status}",
        **policies.RECORD,
    )


async def close(close: TaskClose) -> None:
    """Set the final state of a run."""
    # Shielded: a cancellation that arrives now is too late, and must not leave the row open.
    await asyncio.shield(
        workflow.execute_local_activity_method(
            ports.Tasks.close_task, close, summary=f"task {close.status}", **policies.RECORD
        )
    )


def status_after(error: ActivityError) -> Status:
    """``blocked`` where another try may succeed: a dead letter, to be mended by people."""
    code = error.cause.type if isinstance(error.cause, ApplicationError) else None
    final = error.retry_state is RetryState.NON_RETRYABLE_FAILURE and code not in _MENDABLE
    return Status.FAILED if final else Status.BLOCKED


def failure_of(error: ActivityError, step: str) -> Failure:
    """Why the activity behind ``step`` failed."""
    match error.cause:
        case ApplicationError() as cause:
            code, message = cause.type or "error", cause.message
        case ActivityTimeout() as cause if cause.type is not None:
            code = "worker-lost"
            message = (
                f"No worker finished step {step!r}: {cause.type.name.lower()} time-out. "
                "The worker died, lost its connection or was starved. Look at its log."
            )
        case _:
            code, message = "error", str(error.cause or error)
    return Failure(code=code, message=message[:4_096], step=step)
