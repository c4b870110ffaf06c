"""PlanWorkflow: a task that a model splits into nodes, which run side by side."""

from temporalio import workflow

from workflows.agent import working_time_of
from workflows.agent_contracts import AgentResult, Decision
from workflows.lifecycle import NOTE_NODE, TaskWorkflow
from workflows.nodes import NodeRunner
from workflows.plan_contracts import NodeNote, PlanRun
from workflows.react import ReactLoop


@workflow.defn
class PlanWorkflow(TaskWorkflow):
    """The planner is an agent: it makes a plan by a call, whose result is what became of the nodes,
    and it finishes with what they made. The nodes are in ``sub_tasks``."""

    @workflow.init
    def __init__(self, run: PlanRun) -> None:
        super().__init__(run, working_time_of(run))
        self._nodes = NodeRunner(run, self.lifecycle)
        self._loop = ReactLoop(run, self.lifecycle, self._nodes)

    @workflow.run
    async def run(self, run: PlanRun) -> AgentResult:
        """Run turn after turn, within the time limit and the bounds of history."""
        async with self.lifecycle.running():
            is_finished = run.resumed is not None and await self._loop.resume(run.resumed)
            while not (is_finished or await self._loop.turn()):
                if workflow.info().is_continue_as_new_suggested():
                    following = self._loop.run.model_copy(update={"resumed": None})
                    self.lifecycle.continue_as_new(following)
        return AgentResult(
            task_id=run.task_id, turns=self._loop.run.turn, **self.lifecycle.made_for_readers
        )

    @workflow.signal
    def decide(self, decision: Decision) -> None:
        """Approve a plan, or send it back."""
        self._loop.decide(decision)

    @workflow.signal(name=NOTE_NODE)
    def note_node(self, note: NodeNote) -> None:
        """Hear from the task of a node that it waits, or works again."""
        self._nodes.note(note)
