"""AgentWorkflow: an open-ended task, given to a model with tools."""

from temporalio import workflow

from workflows.agent_contracts import AgentResult, AgentRun, Decision
from workflows.lifecycle import TaskWorkflow
from workflows.react import ReactLoop
from workflows.working_time import WorkingTime


@workflow.defn
class AgentWorkflow(TaskWorkflow):
    """The conversation is in ``messages``, the tool calls in ``sub_tasks``."""

    @workflow.init
    def __init__(self, run: AgentRun) -> None:
        super().__init__(run, working_time_of(run))
        self._loop = ReactLoop(run, self.lifecycle)

    @workflow.run
    async def run(self, run: AgentRun) -> AgentResult:
        """Run turn after turn, within the time limit and the bounds of history."""
        async with self.lifecycle.running():
            while not await self._loop.turn():
                if workflow.info().is_continue_as_new_suggested():
                    self.lifecycle.continue_as_new(self._loop.run)
        return AgentResult(
            task_id=run.task_id, turns=self._loop.run.turn, **self.lifecycle.made_for_readers
        )

    @workflow.signal
    def decide(self, decision: Decision) -> None:
        """Approve or deny a call that waits for a person."""
        self._loop.decide(decision)


def working_time_of(run: AgentRun) -> WorkingTime:
    """What is left of the time that the run may work."""
    info = workflow.info()
    return WorkingTime(
        run.limits.seconds,
        run.spent.seconds,
        begins_anew=info.run_id != info.original_execution_run_id,
    )
