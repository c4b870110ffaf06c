"""AgentWorkflow: an open-ended task, given to a model with tools."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from workflows import lifecycle
from workflows.contracts import AgentResult, AgentRun, Decision, Failure, TaskClose
from workflows.errors import AgentOSError, TimeUsedUp
from workflows.react import ReactLoop
from workflows.states import Status


@workflow.defn
class AgentWorkflow:
    """Its conversation lies in ``messages``, its tool calls in ``sub_tasks``."""

    @workflow.init
    def __init__(self, run: AgentRun) -> None:
        self._loop = ReactLoop(run)

    @workflow.run
    async def run(self, run: AgentRun) -> AgentResult:
        try:
            await self._work()
        except (AgentOSError, ActivityError, asyncio.CancelledError) as error:
            await self._close_badly(error)
            raise
        await self._close(Status.COMPLETED)
        return AgentResult(task_id=run.task_id, turns=self._loop.run.turn)

    @workflow.signal
    def pause(self) -> None:
        """Stop before the next turn. The running one goes on to its end."""
        self._loop.pause()

    @workflow.signal
    def resume(self) -> None:
        self._loop.resume()

    @workflow.signal
    def decide(self, decision: Decision) -> None:
        """Let a call go on that waits for a person, or refuse it."""
        self._loop.decide(decision)

    async def _work(self) -> None:
        """Turn after turn, within the limit on time, and within bounds of history."""
        working_time = self._loop.working_time
        try:
            async with working_time:
                while not await self._loop.turn():
                    if workflow.info().is_continue_as_new_suggested():
                        workflow.continue_as_new(self._loop.run)
        except (TimeoutError, ActivityError):
            # An activity that the deadline cancels ends in an error of its own.
            if not working_time.is_used_up:
                raise
            raise TimeUsedUp(limit=self._loop.run.limits.seconds) from None

    async def _close_badly(self, error: BaseException) -> None:
        if is_cancelled_exception(error):
            await self._close(Status.CANCELLED)
            return
        if isinstance(error, ActivityError):
            status = lifecycle.status_after(error)
            failure = lifecycle.failure_of(error, f"turn {self._loop.run.turn + 1}")
        else:
            assert isinstance(error, AgentOSError)
            status, failure = Status.FAILED, Failure(code=error.code, message=str(error))
        await self._close(status, failure)
        raise ApplicationError(failure.message, type=failure.code, non_retryable=True) from error

    async def _close(self, status: Status, failure: Failure | None = None) -> None:
        run = self._loop.run
        await lifecycle.close(
            TaskClose(
                task_id=run.task_id,
                team_id=run.team_id,
                run=run.run,
                status=status,
                failure=failure,
            )
        )
