"""The life of a task's run, from its start through pauses to its end, for all types of tasks.

A workflow is a ``TaskWorkflow``; it does its own work within ``lifecycle.running()``, and nothing
else.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    RetryState,
    is_cancelled_exception,
)
from temporalio.exceptions import TimeoutError as ActivityTimeout

from workflows import policies, ports
from workflows.contracts import WORKER_LOST, Failure, TaskClose, TaskMark, TaskRun
from workflows.errors import AgentOSError, TimeUsedUp, TokenQuotaUsedUp
from workflows.states import Status
from workflows.working_time import WorkingTime

# Final for this run, but only for a while: a later retry by a person may succeed.
_TEMPORARY = (TokenQuotaUsedUp.code,)


class Lifecycle:
    """Keeps the task's row in sync with its run, and ends both together.

    The workflow records where it is: ``step`` names the running part for people, ``sub_task_id``
    is its row, if it has one. The workflow sets ``is_closed`` when its last activity has already
    closed the task.
    """

    def __init__(self, run: TaskRun, working_time: WorkingTime) -> None:
        self.working_time = working_time
        self.paused = run.paused
        self.is_closed = False
        self.step = ""
        self.sub_task_id: UUID | None = None
        self._run = run

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The run itself. However the block ends, the task's row records it.

        Raises:
            ApplicationError: the run failed; type and message are what the row says, for those who
                read the Temporal Web UI.
        """
        try:
            async with self._within_time():
                yield
        except (AgentOSError, ActivityError, asyncio.CancelledError) as error:
            await self._close_badly(error)
            raise
        if not self.is_closed:
            await self._close(Status.COMPLETED)

    async def wait_while_paused(self) -> None:
        """Wait between two parts of the work while the task is paused."""
        while self.paused:
            await self.wait_until_resumed()

    async def wait_until_resumed(self) -> None:
        """Wait out one pause. Another may be asked for while the row is set to running again."""
        self.step, self.sub_task_id = "", None
        self.working_time.halt()
        await self.mark(Status.PAUSED)
        await workflow.wait_condition(lambda: not self.paused)
        self.working_time.go_on()
        await self.mark(Status.RUNNING)

    async def mark(self, status: Status) -> None:
        """Set the state of the living task."""
        await workflow.execute_local_activity_method(
            ports.Tasks.mark_task,
            TaskMark(
                task_id=self._run.task_id,
                team_id=self._run.team_id,
                run=self._run.run,
                status=status,
            ),
            summary=f"set status: {status}",
            **policies.RECORD,
        )

    def continue_as_new(self, run: TaskRun) -> NoReturn:
        """Continue as ``run`` in a new history. Only between two parts of the work."""
        # Temporal does not carry the title of a run over to the next one, not even on request.
        workflow.continue_as_new(run.model_copy(update={"paused": self.paused}))

    @asynccontextmanager
    async def _within_time(self) -> AsyncIterator[None]:
        try:
            async with self.working_time:
                yield
        except (TimeoutError, ActivityError):
            # An activity that the deadline cancels ends in an error of its own.
            if not self.working_time.is_used_up:
                raise
            raise TimeUsedUp(limit=self.working_time.limit_seconds) from None

    async def _close_badly(self, error: BaseException) -> None:
        if is_cancelled_exception(error):
            await self._close(Status.CANCELLED)
            return
        if isinstance(error, ActivityError):
            status, failure = _status_after(error), _failure_of(error, self.step)
        else:
            assert isinstance(error, AgentOSError)
            status, failure = Status.FAILED, Failure(code=error.code, message=str(error))
        await self._close(status, failure)
        # An activity's error carries ids; the reader of the Temporal Web UI wants the reason.
        raise ApplicationError(failure.message, type=failure.code, non_retryable=True) from error

    async def _close(self, status: Status, failure: Failure | None = None) -> None:
        close = TaskClose(
            task_id=self._run.task_id,
            team_id=self._run.team_id,
            run=self._run.run,
            status=status,
            failure=failure,
            sub_task_id=self.sub_task_id,
        )
        # Shielded: a cancellation that arrives now is too late, and must not leave the row open.
        await asyncio.shield(
            workflow.execute_local_activity_method(
                ports.Tasks.close_task, close, summary=f"end: {status}", **policies.RECORD
            )
        )


class TaskWorkflow:
    """Base of the workflows of all task types, with the signals that they share."""

    def __init__(self, run: TaskRun, working_time: WorkingTime | None = None) -> None:
        self.lifecycle = Lifecycle(run, working_time or WorkingTime())

    @workflow.signal
    def pause(self) -> None:
        """Pause before the next part of the work. The running part finishes first."""
        self.lifecycle.paused = True

    @workflow.signal
    def resume(self) -> None:
        self.lifecycle.paused = False


def _status_after(error: ActivityError) -> Status:
    """``blocked`` where a retry may succeed: a dead letter, left for a person to fix."""
    code = error.cause.type if isinstance(error.cause, ApplicationError) else None
    final = error.retry_state is RetryState.NON_RETRYABLE_FAILURE and code not in _TEMPORARY
    return Status.FAILED if final else Status.BLOCKED


def _failure_of(error: ActivityError, step: str) -> Failure:
    """Why the activity behind ``step`` failed."""
    match error.cause:
        case ApplicationError() as cause:
            code, message = cause.type or "error", cause.message
        case ActivityTimeout() as cause if cause.type is not None:
            code = WORKER_LOST
            message = (
                f"No worker finished step {step!r}: {cause.type.name.lower()} time-out. "
                "The worker died, lost its connection or was overloaded. Look at its log."
            )
        case _:
            code, message = "error", str(error.cause or error)
    return Failure(code=code, message=message[:4_096], step=step)
