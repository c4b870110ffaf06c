"""RouterWorkflow: a task of which a model chooses what it is."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import policies, ports
from workflows.agent import working_time_of
from workflows.agent_contracts import AutoRun, RouteCall, ThinkCall, Thought
from workflows.agent_limits import check_limits, spent_after, tokens_left
from workflows.contracts import Hold, RunStart
from workflows.errors.tasks import TaskMoved
from workflows.lifecycle import TaskWorkflow


@workflow.defn
class RouterWorkflow(TaskWorkflow):
    """It ends by continuing as the workflow of what was chosen, under the same id.

    Answers that choose nothing go back to the model. The last that it may give always chooses: the
    activity sees to that.
    """

    @workflow.init
    def __init__(self, run: AutoRun) -> None:
        super().__init__(run, working_time_of(run))
        self._run = run

    @workflow.run
    async def run(self, run: AutoRun) -> None:
        """Have the model choose, within its limits, and go on as what it chose."""
        async with self.lifecycle.running():
            start = await self._take_route(await self._choose())
            self.lifecycle.heed_cancellation()
            self.lifecycle.go_on_as(start)

    async def _choose(self) -> int:
        """Ask until there is a call that chooses; gives the number of its result's message."""
        while True:
            self.lifecycle.heed_cancellation()
            await self.lifecycle.wait_while_paused()
            self.lifecycle.step = f"turn {self._run.turn + 1}"
            check_limits(self._run)
            thought = await self._think()
            if thought is None:
                return self._run.seq
            self._note(thought)
            if thought.calls:
                self.lifecycle.heed_cancellation()
                return thought.calls[0].seq

    async def _think(self) -> Thought | None:
        """None: the task has been routed already, and the workflow was reset since."""
        try:
            return await self.lifecycle.unheld(self._ask, self._rest)
        except ActivityError as error:
            cause = error.cause
            if isinstance(cause, ApplicationError) and cause.type == TaskMoved.code:
                return None  # Else what comes next says the same.
            raise

    async def _rest(self, hold: Hold, told: int) -> None:
        await self.lifecycle.rest(hold, told, self._as_it_is)

    def _as_it_is(self) -> AutoRun:
        """The run between two answers, with the time that attempts at the next one have taken."""
        seconds = self.lifecycle.working_time.used_seconds
        spent = self._run.spent.model_copy(update={"seconds": seconds})
        return self._run.model_copy(update={"spent": spent})

    async def _ask(self, tried: int) -> Thought:
        run = self._run
        self.lifecycle.step = f"turn {run.turn + 1}"  # Again: a pause forgets it.
        self.lifecycle.tell("a model chooses what the task is")
        return await workflow.execute_activity_method(
            ports.Agents.think,
            ThinkCall(
                task_id=run.task_id,
                run=run.run,
                turn=run.turn + 1,
                seq=run.seq,
                routes=True,
                tokens_left=tokens_left(run, is_shared=False),
                tokens_limit=run.limits.tokens,
                tried=tried,
            ),
            summary=f"turn {run.turn + 1}: router {run.asked}, {run.spent.tokens:,} tokens so far",
            **policies.THINK,
        )

    async def _take_route(self, seq: int) -> RunStart:
        run = self._run
        return await workflow.execute_local_activity_method(
            ports.Routes.take_route,
            RouteCall(task_id=run.task_id, run=run.run, seq=seq, spent=run.spent),
            summary="become what was chosen",
            **policies.RECORD,
        )

    def _note(self, thought: Thought) -> None:
        run, used_seconds = self._run, self.lifecycle.working_time.used_seconds
        self._run = run.model_copy(
            update={
                "turn": run.turn + 1,
                "seq": thought.seq,
                "spent": spent_after(run.spent, thought, used_seconds),
                "model": run.model or thought.model,
            }
        )
