"""PipelineWorkflow: the steps of a pipeline, one after the other."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    RetryState,
    is_cancelled_exception,
)
from temporalio.exceptions import TimeoutError as ActivityTimeout

from workflows import policies, ports
from workflows.contracts import (
    Failure,
    PipelineResult,
    PipelineRun,
    Status,
    StepCall,
    StepPlan,
    TaskClose,
    TaskMark,
    step_sub_task_id,
)

_ACTIVITIES = {
    "skill": ports.Steps.run_skill,
    "code": ports.Steps.run_code,
    "tool": ports.Steps.call_tool,
}


@workflow.defn
class PipelineWorkflow:
    @workflow.init
    def __init__(self, run: PipelineRun) -> None:
        self._run = run
        self._paused = False
        self._current: StepPlan | None = None

    @workflow.run
    async def run(self, run: PipelineRun) -> PipelineResult:
        try:
            for index in range(run.first, len(run.steps)):
                self._current = None
                await self._wait_while_paused()
                self._current = run.steps[index]
                await self._run_step(index, run.steps[index])
        except (ActivityError, asyncio.CancelledError) as error:
            await self._close_badly(error)
            raise
        await self._close(Status.COMPLETED)
        return PipelineResult(task_id=run.task_id, steps=len(run.steps))

    @workflow.signal
    def pause(self) -> None:
        """Stop before the next step. The running step goes on to its end."""
        self._paused = True

    @workflow.signal
    def resume(self) -> None:
        self._paused = False

    async def _run_step(self, index: int, step: StepPlan) -> None:
        await workflow.execute_activity_method(
            _ACTIVITIES[step.kind],
            StepCall(
                task_id=self._run.task_id,
                team_id=self._run.team_id,
                sub_task_id=step_sub_task_id(self._run.task_id, step.id),
                run=self._run.run,
                step=step.id,
                retries=step.retries,
                timeout_seconds=step.timeout_seconds,
            ),
            summary=f"step {index + 1}/{len(self._run.steps)} {step.title}",
            **policies.step(step.timeout_seconds, step.retries),
        )

    async def _wait_while_paused(self) -> None:
        if not self._paused:
            return
        await self._mark(Status.PAUSED)
        await workflow.wait_condition(lambda: not self._paused)
        await self._mark(Status.RUNNING)

    async def _mark(self, status: Status) -> None:
        await workflow.execute_local_activity_method(
            ports.Tasks.mark_task,
            TaskMark(
                task_id=self._run.task_id,
                team_id=self._run.team_id,
                run=self._run.run,
                status=status,
            ),
            summary=f"task is {status}",
            **policies.RECORD,
        )

    async def _close_badly(self, error: ActivityError | asyncio.CancelledError) -> None:
        if is_cancelled_exception(error):
            await self._close(Status.CANCELLED)
            return
        assert isinstance(error, ActivityError)
        failure = self._failure_of(error)
        exhausted = error.retry_state is not RetryState.NON_RETRYABLE_FAILURE
        await self._close(Status.BLOCKED if exhausted else Status.FAILED, failure)
        # The activity's error carries ids; the reader of the Temporal Web UI wants the reason.
        raise ApplicationError(failure.message, type=failure.code, non_retryable=True) from error

    def _failure_of(self, error: ActivityError) -> Failure:
        step = self._current
        assert step is not None
        match error.cause:
            case ApplicationError() as cause:
                code, message = cause.type or "error", cause.message
            case ActivityTimeout() as cause if cause.type is not None:
                code = "worker-lost"
                message = (
                    f"No worker finished step {step.id!r}: {cause.type.name.lower()} time-out. "
                    "The worker died, lost its connection or was starved. Look at its log."
                )
            case _:
                code, message = "error", str(error.cause or error)
        return Failure(code=code, message=message[:4_096], step=step.id)

    async def _close(self, status: Status, failure: Failure | None = None) -> None:
        close = TaskClose(
            task_id=self._run.task_id,
            team_id=self._run.team_id,
            run=self._run.run,
            status=status,
            failure=failure,
            sub_task_id=self._current and step_sub_task_id(self._run.task_id, self._current.id),
        )
        # Shielded: a cancellation that arrives now is too late, and must not leave the row open.
        await asyncio.shield(
            workflow.execute_local_activity_method(
                ports.Tasks.close_task, close, summary=f"task {status}", **policies.RECORD
            )
        )
