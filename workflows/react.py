"""The loop of a model and its tools: think, act, repeat, until the model finishes.

The conversation is in the table ``messages``. The loop only knows how far it has got, so a turn
adds the same amount to workflow history whether it is the first or the thousandth.
"""

import asyncio
from contextlib import suppress
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from workflows import policies, ports
from workflows.agent_contracts import (
    ActCall,
    ActOutcome,
    AgentRun,
    CallPlan,
    Decision,
    ThinkCall,
    Thought,
    Verdict,
    call_sub_task_id,
)
from workflows.agent_limits import (
    check_limits,
    check_progress,
    cost_left,
    hint_for,
    spent_after,
    tokens_left,
)
from workflows.contracts import Hold
from workflows.lifecycle import Lifecycle, plan_of
from workflows.markdown import code, codes
from workflows.nodes import NodeRunner
from workflows.plan_contracts import PlanReport
from workflows.states import Status

# Runs from before this change keep waiting, and make the calls that people approve.
_ASKS_NO_MORE = "a-turn-that-failed-asks-no-more"


class ReactLoop:
    """Runs turns one after the other. ``run`` is the progress so far, updated by each turn.

    ``nodes`` runs the plans that the model makes.
    """

    def __init__(
        self, run: AgentRun, lifecycle: Lifecycle, nodes: NodeRunner | None = None
    ) -> None:
        self.run = run
        self._nodes = nodes
        self._lifecycle = lifecycle
        self._verdicts: dict[UUID, Verdict] = {}
        self._acting = 0
        self._waiting = 0
        self._holding = 0
        self._asked: dict[int, str] = {}
        self._has_failed = False
        self._report: PlanReport | None = None

    def decide(self, decision: Decision) -> None:
        """The first decision counts: a second may arrive when the call is already running."""
        self._verdicts.setdefault(decision.ask_id, decision.verdict)

    async def turn(self) -> bool:
        """One turn: whether the model has finished.

        Raises:
            TurnsUsedUp, TokensUsedUp, CostUsedUp: a limit was reached before the turn.
            GoesRoundInCircles, NeverFinishes: the model makes no progress.
            ActivityError: a turn could not be made at all.
        """
        self._lifecycle.heed_cancellation()
        await self._lifecycle.wait_while_paused()
        self._lifecycle.step = f"turn {self.run.turn + 1}"
        check_limits(self.run)
        self._report = None
        thought = await self._lifecycle.unheld(self._think, self._rest)
        self._lifecycle.heed_cancellation()
        await self._act_all(thought)
        self._note(thought)
        if thought.finished or self._has_result:
            return True
        check_progress(self.run.spent)
        return False

    async def resume(self, seq: int) -> bool:
        """Run the plan of a turn whose answer an earlier run has; as ``turn`` otherwise."""
        self._lifecycle.step = f"turn {self.run.turn + 1}"
        plan = CallPlan(seq=seq, name="plan", timeout_seconds=0, is_plan=True)
        self._acting = 1
        try:
            await self._make(plan, None, 0)
        except ActivityError as error:
            self._blame(plan, error)
            raise
        self._note(Thought(seq=max(seq, self.run.seq), tokens=0, cost_usd=0, digest=""))
        return self._has_result

    @property
    def is_acting(self) -> bool:
        """Whether a tool runs, as opposed to the model, or to what waits for people or a place."""
        return self._acting > 0

    @property
    def _has_result(self) -> bool:
        """Whether the plan of this turn has given the task its result."""
        return self._report is not None and self._report.finished

    async def _think(self, tried: int) -> Thought:
        run = self.run
        self._lifecycle.step = f"turn {run.turn + 1}"  # Again: a pause forgets it.
        asked = run.model or "model"
        self._lifecycle.tell(f"turn {run.turn + 1}, {code(asked)} is asked")
        is_shared = self._nodes is not None or plan_of() is not None
        return await workflow.execute_activity_method(
            ports.Agents.think,
            ThinkCall(
                task_id=run.task_id,
                run=run.run,
                turn=run.turn + 1,
                seq=run.seq,
                hint=hint_for(run),
                tokens_left=tokens_left(run, is_shared=is_shared),
                tokens_limit=run.limits.tokens,
                cost_left_usd=cost_left(run),
                seconds_left=self._lifecycle.working_time.left_seconds,
                tried=tried,
            ),
            summary=f"turn {run.turn + 1}: {asked}, {run.spent.all_tokens:,} tokens so far",
            **policies.THINK,
        )

    async def _rest(self, hold: Hold, told: int) -> None:
        await self._lifecycle.rest(hold, told, self._as_it_is)

    def _as_it_is(self) -> AgentRun:
        """The run between two turns, with the time that attempts at the next one have taken."""
        seconds = self._lifecycle.working_time.used_seconds
        update: dict[str, object] = {
            "spent": self.run.spent.model_copy(update={"seconds": seconds})
        }
        if self._nodes is not None:
            update["resumed"] = None  # What an earlier run left behind has been run by now.
        return self.run.model_copy(update=update)

    async def _act_all(self, thought: Thought) -> None:
        """Make the calls of a turn side by side, and wait for all of them, whatever they raise.

        Once one has failed for good, approvals of the others are no longer waited for.
        """
        self._asked = {plan.seq: plan.title for plan in thought.calls if plan.ask_id is not None}
        self._tell_of_calls([plan.title for plan in thought.calls])
        self._waiting = sum(plan.ask_id is not None for plan in thought.calls)
        self._acting = len(thought.calls) - self._waiting
        await self._mark_if_waiting()
        ended = await asyncio.gather(
            *(self._act(plan) for plan in thought.calls), return_exceptions=True
        )
        for plan, error in zip(thought.calls, ended, strict=True):
            if error is not None:
                self._blame(plan, error)
                raise error

    def _blame(self, plan: CallPlan, error: BaseException) -> None:
        """Name the row of a call that ends the run: why is written there."""
        if isinstance(error, ActivityError) and not is_cancelled_exception(error):
            self._lifecycle.sub_task_id = call_sub_task_id(self.run.task_id, plan.seq)

    async def _act(self, plan: CallPlan) -> None:
        """Make a call, again after each answer to a question that the tool has."""
        ask_id, attempts = plan.ask_id, 0
        while True:
            verdict = await self._verdict(ask_id, plan.title) if ask_id else None
            self._asked.pop(plan.seq, None)
            if self._has_failed:
                return
            outcome = await self._make(plan, verdict, attempts)
            self._lifecycle.note_files(outcome.made)
            ask_id, attempts = outcome.ask_id, outcome.attempts
            if ask_id is not None:
                self._waiting += 1
                self._asked[plan.seq] = plan.title
            await self._mark_if_waiting()
            if ask_id is None:
                return

    async def _make(self, plan: CallPlan, verdict: Verdict | None, attempts: int) -> ActOutcome:
        """The outcome of a call, which is made again as long as it is held, and not at all once
        another has failed for good."""

        async def make(tried: int) -> ActOutcome:
            if self._has_failed:
                return ActOutcome(ok=False)
            return await self._try_to_make(plan, verdict, attempts, tried)

        return await self._lifecycle.unheld(make, self._wait_while_held)

    async def _wait_while_held(self, hold: Hold, told: int) -> None:
        """The clock stands still while no call runs. Where the others wait for people, so does the
        task, as before this one was tried."""
        self._holding += 1
        self._halt_if_idle()
        await self._mark_if_waiting()
        if not self._acting and not self._waiting:
            self._lifecycle.show_held(hold)
        await self._lifecycle.wait_while_held(hold, told, or_until=lambda: self._has_failed)
        self._holding -= 1
        self._acting += 1
        self._lifecycle.working_time.go_on()
        await self._lifecycle.tell_plan(Status.RUNNING)

    def _halt_if_idle(self) -> None:
        if self._holding and not self._acting:
            self._lifecycle.working_time.halt()

    async def _try_to_make(
        self, plan: CallPlan, verdict: Verdict | None, attempts: int, tried: int
    ) -> ActOutcome:
        run = self.run
        try:
            if plan.is_plan and verdict in {None, Verdict.APPROVED}:
                assert self._nodes is not None
                self._report = await self._nodes.run(plan.seq)
                return ActOutcome(ok=True)
            return await workflow.execute_activity_method(
                ports.Agents.act,
                ActCall(
                    task_id=run.task_id,
                    run=run.run,
                    seq=plan.seq,
                    verdict=verdict,
                    attempts=attempts,
                    tried=tried,
                    agent_id=run.agent_id,
                ),
                summary=f"call {run.turn + 1}.{plan.place or plan.seq} {plan.title}",
                **policies.step(plan.timeout_seconds, policies.ACT_RETRIES),
            )
        except ActivityError as error:
            if (self._waiting or self._holding) and not is_cancelled_exception(error):
                self._has_failed = workflow.patched(_ASKS_NO_MORE)
            raise
        finally:
            self._acting -= 1
            self._halt_if_idle()

    async def _verdict(self, ask_id: UUID, title: str) -> Verdict:
        """A person's decision on a call; ``EXPIRED`` when there was none in time."""
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: ask_id in self._verdicts or self._has_failed,
                timeout=self.run.approval_seconds,
                timeout_summary=f"a person decides on {title}",
            )
        self._waiting -= 1
        self._acting += 1
        self._lifecycle.working_time.go_on()
        await self._lifecycle.tell_plan(Status.RUNNING)
        return self._verdicts.get(ask_id, Verdict.EXPIRED)

    async def _mark_if_waiting(self) -> None:
        """The task is waiting when none of its calls runs. The next attempt marks it running."""
        if self._waiting and not self._acting:
            self._lifecycle.working_time.halt()
            asked = codes([*self._asked.values()])
            self._lifecycle.tell(f"turn {self.run.turn + 1}, for a person to decide on {asked}")
            await self._lifecycle.mark(Status.WAITING)

    def _tell_of_calls(self, titles: list[str]) -> None:
        calls = f", {codes(titles)}" if titles else ""
        self._lifecycle.tell(f"turn {self.run.turn + 1}{calls}")

    def _note(self, thought: Thought) -> None:
        self._verdicts.clear()
        used_seconds = self._lifecycle.working_time.used_seconds
        spent = spent_after(self.run.spent, thought, used_seconds)
        if self._report is not None:
            report = self._report
            used = {"node_tokens": report.tokens, "node_cost_usd": report.cost_usd}
            spent = spent.model_copy(update=used)
        self.run = self.run.model_copy(
            update={
                "turn": self.run.turn + 1,
                "seq": thought.seq,
                "spent": spent,
            }
        )
