"""PipelineWorkflow: the steps of a pipeline, one after the other, or as their needs have it."""

from functools import partial

from temporalio import workflow

from workflows import policies
from workflows.contracts import Hold
from workflows.graph_runner import STEP_ACTIVITIES, GraphRunner
from workflows.lifecycle import TaskWorkflow
from workflows.markdown import code
from workflows.pipeline_contracts import (
    PipelineResult,
    PipelineRun,
    StepCall,
    StepOutcome,
    step_sub_task_id,
)

_PAUSES_AGAIN = "pauses-again"


@workflow.defn
class PipelineWorkflow(TaskWorkflow):
    @workflow.init
    def __init__(self, run: PipelineRun) -> None:
        super().__init__(run)
        self._run = run

    @workflow.run
    async def run(self, run: PipelineRun) -> PipelineResult:
        async with self.lifecycle.running():
            if run.is_graph:
                await GraphRunner(run, self.lifecycle).run()
            else:
                await self._run_list()
        return PipelineResult(
            task_id=run.task_id, steps=len(run.steps), **self.lifecycle.made_for_readers
        )

    async def _run_list(self) -> None:
        run = self._run
        for index in range(run.first, len(run.steps)):
            outcome = await self._run_step(index, run.tried if index == run.first else 0)
            self.lifecycle.is_closed = outcome.closed
            self.lifecycle.note_files(outcome.made)

    async def _wait_while_paused(self) -> None:
        if self.lifecycle.paused:
            await self.lifecycle.wait_until_resumed()
            # Older runs continued after one pause, even if the next had been asked for meanwhile.
            if self.lifecycle.paused and workflow.patched(_PAUSES_AGAIN):
                await self.lifecycle.wait_while_paused()

    async def _run_step(self, index: int, tried: int) -> StepOutcome:
        """Run a step, again as long as it is held: a day of that may fill the history."""

        async def rest(hold: Hold, told: int) -> None:
            following = {"first": index, "tried": hold.tried}
            await self.lifecycle.rest(hold, told, lambda: self._run.model_copy(update=following))

        return await self.lifecycle.unheld(partial(self._try_step, index), rest, tried)

    async def _try_step(self, index: int, tried: int) -> StepOutcome:
        self.lifecycle.heed_cancellation()
        await self._wait_while_paused()
        run, step = self._run, self._run.steps[index]
        sub_task_id = step_sub_task_id(run.task_id, step.id)
        self.lifecycle.step, self.lifecycle.sub_task_id = step.id, sub_task_id
        self.lifecycle.tell(f"step {index + 1}/{len(run.steps)} {code(step.title)}")
        return await workflow.execute_activity_method(
            STEP_ACTIVITIES[step.kind],
            StepCall(
                task_id=run.task_id,
                team_id=run.team_id,
                sub_task_id=sub_task_id,
                run=run.run,
                step=step.id,
                retries=step.retries,
                timeout_seconds=step.timeout_seconds,
                is_last=index + 1 == len(run.steps),
                tried=tried,
            ),
            summary=f"step {index + 1}/{len(run.steps)} {step.title}",
            **policies.step(step.timeout_seconds, step.retries),
        )
