"""Runs the steps of a pipeline side by side, as their needs allow, and the items of its steps."""

import asyncio
from collections.abc import Iterable
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError

from workflows import policies, ports
from workflows.contracts import Hold
from workflows.lifecycle import Lifecycle
from workflows.markdown import code
from workflows.pipeline_contracts import (
    ItemsCall,
    OpenedItems,
    PipelineRun,
    StepCall,
    StepOutcome,
    StepPlan,
    item_sub_task_id,
    step_sub_task_id,
)
from workflows.step_graph import GraphStep, Part, Piece, StepGraph

STEP_ACTIVITIES = {
    "skill": ports.Steps.run_skill,
    "code": ports.Steps.run_code,
    "tool": ports.Steps.call_tool,
}

_OPEN_TIMEOUT_SECONDS = 60.0

# A run continues as new when nothing runs, and Temporal suggests it. Where something always runs,
# nothing more is begun from this length on, until it has ended. Temporal allows five times as much.
_LONGEST_HISTORY = 10_000

_NAMES_TOLD = 3

_Outcome = StepOutcome | OpenedItems | None
_Following = dict["asyncio.Task[_Outcome]", Piece]


class GraphRunner:
    """``run`` is the input of the workflow."""

    def __init__(self, run: PipelineRun, lifecycle: Lifecycle) -> None:
        self._run = run
        self._lifecycle = lifecycle
        self._plans = {step.id: step for step in run.steps}
        self._graph = StepGraph(map(_placed, run.steps), run.parallel, run.completed)
        self._held = dict(run.held)
        self._resting = 0
        self._is_paused = False
        self._is_ending = False
        self._failed: tuple[Piece, ActivityError] | None = None

    async def run(self) -> None:
        """Run what is not completed.

        Raises:
            ActivityError: a piece has failed for good; it is the first that did.
        """
        following: _Following = {}
        try:
            while not self._graph.is_completed or following:
                self._begin(following)
                if not following and (self._is_ending or not self._lifecycle.paused):
                    break
                await self._wait(following)
                for task in [task for task in following if task.done()]:
                    self._take(following.pop(task), task)
        # Not `finally`: a workflow that a worker drops from its memory cannot wait for anything.
        except (asyncio.CancelledError, TimeoutError, FailureError):
            await _stop(following)
            raise
        self._end()

    def _begin(self, following: _Following) -> None:
        if self._lifecycle.paused:
            return
        self._lifecycle.heed_cancellation()
        self._mind_history(len(self._graph.running))
        for piece in self._graph.begin():
            following[asyncio.create_task(self._follow(piece))] = piece
        if self._graph.running:
            self._lifecycle.tell(self._doing())

    def _mind_history(self, running: int) -> None:
        """``running`` are the pieces that run or are held, but for who asks."""
        info = workflow.info()
        if info.is_continue_as_new_suggested() and (
            running == self._resting or info.get_current_history_length() >= _LONGEST_HISTORY
        ):
            self._stop_beginning()

    def _end(self) -> None:
        """Nothing runs, and nothing can begin."""
        if self._failed is not None:
            piece, error = self._failed
            self._lifecycle.step, self._lifecycle.sub_task_id = piece.name, self._row_of(piece)
            raise error
        if not self._graph.is_completed:
            following = {"completed": tuple(self._graph.completed), "held": self._held}
            self._lifecycle.continue_as_new(self._run.model_copy(update=following))

    async def _wait(self, following: _Following) -> None:
        """Until a piece has ended; or while the task is paused, once what runs has ended."""
        await workflow.wait_condition(
            lambda: any(task.done() for task in following) or self._can_pause(following)
        )
        if self._can_pause(following):
            self._is_paused = True
            await self._lifecycle.wait_while_paused()
            self._is_paused = False

    def _can_pause(self, following: _Following) -> bool:
        return (
            self._lifecycle.paused
            and not self._is_ending
            and self._resting == sum(not task.done() for task in following)
        )

    def _take(self, piece: Piece, task: "asyncio.Task[_Outcome]") -> None:
        """What has come of a piece."""
        error = task.exception()
        if isinstance(error, ActivityError):
            self._failed = self._failed or (piece, error)
            self._stop_beginning()
        elif error is not None:
            raise error
        outcome = None if error else task.result()
        if isinstance(outcome, OpenedItems):
            self._graph.open(piece.step, outcome.items)
        if isinstance(outcome, StepOutcome):
            self._lifecycle.note_files(outcome.made)
        self._graph.end(piece, completed=outcome is not None)

    def _doing(self) -> str:
        """What runs, in Markdown."""
        names = sorted(code(piece.name) for piece in self._graph.running)
        more = f" and {len(names) - _NAMES_TOLD} more" if len(names) > _NAMES_TOLD else ""
        return f"runs {', '.join(names[:_NAMES_TOLD])}{more} of {len(self._run.steps)} steps"

    def _stop_beginning(self) -> None:
        self._is_ending = True
        self._graph.stop()

    async def _follow(self, piece: Piece) -> _Outcome:
        """The outcome of a piece, which is tried again as long as it is held; None where the run
        ends meanwhile."""
        tried = self._held.pop(piece.name, 0)
        while True:
            told = self._lifecycle.told_to_try
            outcome = await self._perform(piece, tried)
            if not isinstance(outcome, StepOutcome) or outcome.held is None:
                return outcome
            tried = outcome.held.tried
            await self._rest(outcome.held, told)
            self._lifecycle.heed_cancellation()
            self._mind_history(len(self._graph.running) - 1)
            if self._is_ending:
                self._held[piece.name] = tried
                return None

    async def _rest(self, hold: Hold, told: int) -> None:
        """Wait until what was held may be tried again, which is not while the task is paused."""
        self._resting += 1
        if self._resting == len(self._graph.running):
            self._lifecycle.show_held(hold)
        await self._lifecycle.wait_while_held(hold, told, or_until=lambda: self._is_ending)
        await workflow.wait_condition(
            lambda: self._is_ending or not (self._lifecycle.paused or self._is_paused)
        )
        self._resting -= 1
        self._lifecycle.show_held_no_more()

    async def _perform(self, piece: Piece, tried: int) -> StepOutcome | OpenedItems:
        summary = f"step {self._place(piece)}/{len(self._run.steps)} {self._title(piece)}"
        match piece.part:
            case Part.OPENING:
                return await workflow.execute_activity_method(
                    ports.Items.open_items,
                    self._items_call(piece),
                    summary=f"{summary}: items",
                    **policies.step(_OPEN_TIMEOUT_SECONDS, policies.ACT_RETRIES),
                )
            case Part.CLOSING:
                await workflow.execute_local_activity_method(
                    ports.Items.close_items,
                    self._items_call(piece),
                    summary=f"{summary}: completed",
                    **policies.RECORD,
                )
                return StepOutcome(exit_code=0, files=0)
        plan = self._plans[piece.step]
        return await workflow.execute_activity_method(
            STEP_ACTIVITIES[plan.kind],
            self._step_call(piece, plan, tried),
            summary=summary,
            **policies.step(plan.timeout_seconds, plan.retries),
        )

    def _items_call(self, piece: Piece) -> ItemsCall:
        run = self._run
        return ItemsCall(
            task_id=run.task_id,
            team_id=run.team_id,
            sub_task_id=step_sub_task_id(run.task_id, piece.step),
            run=run.run,
            step=piece.step,
        )

    def _step_call(self, piece: Piece, plan: StepPlan, tried: int) -> StepCall:
        run = self._run
        return StepCall(
            task_id=run.task_id,
            team_id=run.team_id,
            sub_task_id=self._row_of(piece),
            run=run.run,
            step=piece.name,
            retries=plan.retries,
            timeout_seconds=plan.timeout_seconds,
            tried=tried,
        )

    def _row_of(self, piece: Piece) -> UUID:
        row = step_sub_task_id(self._run.task_id, piece.step)
        return row if piece.item is None else item_sub_task_id(row, piece.item)

    def _place(self, piece: Piece) -> int:
        return [*self._plans].index(piece.step) + 1

    def _title(self, piece: Piece) -> str:
        return piece.name + self._plans[piece.step].title.removeprefix(piece.step)


def _placed(step: StepPlan) -> GraphStep:
    return GraphStep(step.id, frozenset(step.needs), step.has_items, step.parallel)


async def _stop(following: Iterable["asyncio.Task[_Outcome]"]) -> None:
    """Cancel what still runs, and wait until it has ended."""
    running = [task for task in following if not task.done()]
    for task in running:
        task.cancel()
    if running:
        await asyncio.gather(*running, return_exceptions=True)
