"""PipelineWorkflow: the steps of a pipeline, one after the other."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from workflows import lifecycle, policies, ports
from workflows.contracts import (
    Failure,
    PipelineResult,
    PipelineRun,
    StepCall,
    StepOutcome,
    StepPlan,
    TaskClose,
    step_sub_task_id,
)
from workflows.states import Status

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
        closed = False
        try:
            for index in range(run.first, len(run.steps)):
                self._current = None
                await self._wait_while_paused()
                self._current = run.steps[index]
                outcome = await self._run_step(index, run.steps[index])
                closed = outcome.closed
        except (ActivityError, asyncio.CancelledError) as error:
            await self._close_badly(error)
            raise
        if not closed:
            await self._close(Status.COMPLETED)
        return PipelineResult(task_id=run.task_id, steps=len(run.steps))

    @workflow.signal
    def pause(self) -> None:
        """Stop before the next step. The running step goes on to its end."""
        self._paused = True

    @workflow.signal
    def resume(self) -> None:
        self._paused = False

    async def _run_step(self, index: int, step: StepPlan) -> StepOutcome:
        return await workflow.execute_activity_method(
            _ACTIVITIES[step.kind],
            StepCall(
                task_id=self._run.task_id,
                team_id=self._run.team_id,
                sub_task_id=step_sub_task_id(self._run.task_id, step.id),
                run=self._run.run,
                step=step.id,
                retries=step.retries,
                timeout_seconds=step.timeout_seconds,
                is_last=index + 1 == len(self._run.steps),
            ),
            summary=f"step {index + 1}/{len(self._run.steps)} {step.title}",
            **policies.step(step.timeout_seconds, step.retries),
        )

    async def _wait_while_paused(self) -> None:
        if not self._paused:
            return
        task = (self._run.task_id, self._run.team_id, self._run.run)
        await lifecycle.mark(*task, Status.PAUSED)
        await workflow.wait_condition(lambda: not self._paused)
        await lifecycle.mark(*task, Status.RUNNING)

    async def _close_badly(self, error: ActivityError | asyncio.CancelledError) -> None:
        if is_cancelled_exception(error):
            await self._close(Status.CANCELLED)
            return
        assert isinstance(error, ActivityError)
        assert self._current is not None
        failure = lifecycle.failure_of(error, self._current.id)
        await self._close(lifecycle.status_after(error), failure)
        # The activity's error carries ids; the reader of the Temporal Web UI wants the reason.
        raise ApplicationError(failure.message, type=failure.code, non_retryable=True) from error

    async def _close(self, status: Status, failure: Failure | None = None) -> None:
        await lifecycle.close(
            TaskClose(
                task_id=self._run.task_id,
                team_id=self._run.team_id,
                run=self._run.run,
                status=status,
                failure=failure,
                sub_task_id=self._current and step_sub_task_id(self._run.task_id, self._current.id),
            )
        )
