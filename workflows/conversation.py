"""ConversationWorkflow: an agent that stays, while it has something to do."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from workflows import policies, ports
from workflows.agent import working_time_of
from workflows.agent_contracts import AgentRun, Decision
from workflows.contracts import TaskRun
from workflows.labels import IDLE, StateLabel
from workflows.lifecycle import TRY_AGAIN, Lifecycle
from workflows.react import ReactLoop
from workflows.resident_contracts import (
    INTERRUPT,
    LOOK,
    ConversationRun,
    CutCall,
    TakeCall,
    Taken,
)
from workflows.states import Status

_Carry = Callable[[TaskRun], ConversationRun]

# Temporal ends a run that has more than 51,200, and asks it to continue as new after 4,096.
_LONGEST_EVENTS = 16_384


@workflow.defn
class ConversationWorkflow:
    """It takes what is unread, answers, and looks again. When nothing comes for a while it ends:
    the agent itself is a row, and its next message starts another run under the same id.

    A signal carries the number of a message and nothing else. One that arrives while the workflow
    is about to end makes Temporal run its last steps again, so none is missed.
    """

    @workflow.init
    def __init__(self, run: ConversationRun) -> None:
        self._run = run
        self._told = 0
        self._paused = run.paused
        self._exchange: _Exchange | None = None
        self._is_taking = False
        self._cut_for = 0
        self._summing_up: asyncio.Task[None] | None = None
        self._answers = 0

    @workflow.run
    async def run(self, run: ConversationRun) -> None:
        """Answer until nothing is left to answer."""
        try:
            await self._answer(run)
        except asyncio.CancelledError:
            StateLabel().show(Status.CANCELLED)
            raise
        StateLabel().show(IDLE)
        workflow.set_current_details(f"**{IDLE}**, answers in this run: {self._answers}")

    async def _answer(self, run: ConversationRun) -> None:
        if run.exchange is not None:
            await self._converse(run.exchange, run.through, is_cut=run.cut)
        while True:
            told = self._told
            taken = await self._take()
            if taken.summarises and not self._is_summing_up:
                self._summing_up = asyncio.create_task(self._summarise())
            if taken.exchange is not None:
                is_cut = self._cut_for > taken.through
                await self._converse(taken.exchange, taken.through, is_cut=is_cut)
            elif not await self._hears(told, taken.idle_seconds):
                break
            if self._is_time_for_another_run:
                workflow.continue_as_new(self._next())

    @workflow.signal(name=LOOK)
    def look(self, seq: int) -> None:
        """There is message ``seq``."""
        self._told += 1

    @workflow.signal(name=INTERRUPT)
    def interrupt(self, seq: int) -> None:
        """Cut the answer short that is being given to messages before ``seq``. What is begun later
        is not meant."""
        self._told += 1
        if self._exchange is not None:
            self._exchange.heed(seq)
        elif self._is_taking:
            self._cut_for = max(self._cut_for, seq)

    @workflow.signal
    def pause(self) -> None:
        """Pause before the next turn of the model. The running one finishes first."""
        self._paused = True
        if self._exchange is not None:
            self._exchange.lifecycle.paused = True

    @workflow.signal
    def resume(self) -> None:
        self._paused = False
        self._told += 1
        if self._exchange is not None:
            self._exchange.lifecycle.paused = False

    @workflow.signal
    def decide(self, decision: Decision) -> None:
        """Approve or deny a call that waits for a person."""
        if self._exchange is not None:
            self._exchange.loop.decide(decision)

    @workflow.signal(name=TRY_AGAIN)
    def try_again(self) -> None:
        """What is held may be tried again, before its time."""
        if self._exchange is not None:
            self._exchange.lifecycle.told_to_try += 1

    async def _take(self) -> Taken:
        self._is_taking, self._cut_for = True, 0
        try:
            return await workflow.execute_local_activity_method(
                ports.Conversations.take_messages,
                TakeCall(agent_id=self._run.agent_id, team_id=self._run.team_id),
                summary="read the inbox",
                **policies.RECORD,
            )
        finally:
            self._is_taking = False

    async def _converse(self, run: AgentRun, through: int, *, is_cut: bool) -> None:
        """Raises what the exchange ended of, once that is in its row."""
        exchange = _Exchange(run.model_copy(update={"paused": self._paused}), through, self._next)
        exchange.lifecycle.is_cut = is_cut
        self._exchange = exchange
        try:
            await exchange.run()
            self._answers += 1
        finally:
            self._exchange = None

    async def _hears(self, told: int, seconds: float) -> bool:
        """Whether there is something new before the agent goes to sleep, which it does not while it
        sums up."""
        workflow.set_current_details(f"**listens**, answers in this run: {self._answers}")
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._told != told, timeout=seconds, timeout_summary="listen"
            )
        await workflow.wait_condition(lambda: self._told != told or not self._is_summing_up)
        return self._told != told  # The word may come together with the end of the wait.

    def _next(self, run: TaskRun | None = None) -> ConversationRun:
        """The input of the run after this one; ``run`` is an exchange that goes on in it."""
        assert run is None or isinstance(run, AgentRun)
        exchange = self._exchange
        through, is_cut = (exchange.through, exchange.is_cut) if exchange else (0, False)
        update = {"exchange": run, "through": through, "cut": is_cut, "paused": self._paused}
        return self._run.model_copy(update=update)

    async def _summarise(self) -> None:
        """In the background. Without it the conversation is cut at its beginning, and no worse."""
        try:
            await workflow.execute_activity_method(
                ports.Conversations.summarise,
                TakeCall(agent_id=self._run.agent_id, team_id=self._run.team_id),
                summary="sum up older turns",
                **policies.SUMMARISE,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("conversation.not_summarised")

    @property
    def _is_summing_up(self) -> bool:
        return self._summing_up is not None and not self._summing_up.done()

    @property
    def _is_time_for_another_run(self) -> bool:
        """To wait for a summary would keep whoever writes meanwhile from an answer, and to lose it
        costs another one. So it goes on beside, but for one that hangs."""
        info = workflow.info()
        if not info.is_continue_as_new_suggested():
            return False
        return not self._is_summing_up or info.get_current_history_length() > _LONGEST_EVENTS


class _Exchange:
    """The messages that were taken, until their answer."""

    def __init__(self, run: AgentRun, through: int, carry: _Carry) -> None:
        self.through = through
        self.lifecycle = Lifecycle(run, working_time_of(run), carry=carry)
        self.loop = ReactLoop(run, self.lifecycle)

    @property
    def is_cut(self) -> bool:
        return self.lifecycle.is_cut

    def heed(self, seq: int) -> None:
        """Message ``seq`` is to interrupt it, unless it answers that."""
        self.lifecycle.is_cut |= seq > self.through

    async def run(self) -> None:
        async with self.lifecycle.running():
            turns = asyncio.ensure_future(self._turns())
            try:
                await workflow.wait_condition(lambda: turns.done() or self.is_cut)
                if not turns.done():
                    await self._stop(turns)
            except asyncio.CancelledError:
                turns.cancel()
                # It ends only when what it had begun is known to be over.
                with suppress(asyncio.CancelledError, ActivityError):
                    await turns
                raise
            if not await _is_finished(turns):
                await self._cut_short()

    async def _turns(self) -> bool:
        """Turn after turn; whether the last one gave the answer."""
        while not self.is_cut:
            if await self.loop.turn():
                return True
            if not self.is_cut and workflow.info().is_continue_as_new_suggested():
                self.lifecycle.continue_as_new(self.loop.run)
        return False

    async def _stop(self, turns: "asyncio.Future[bool]") -> None:
        """Stop the model at once; tools that run are given a while to end by themselves."""
        grace_seconds = policies.INTERRUPT_GRACE.total_seconds()
        if self.loop.is_acting:
            await workflow.wait([turns], timeout=grace_seconds)
        # What ends in spite of the cancellation goes on to what it had asked for: once more, then.
        while not turns.done():
            turns.cancel()
            await workflow.wait([turns], timeout=grace_seconds)

    async def _cut_short(self) -> None:
        run = self.loop.run
        await workflow.execute_local_activity_method(
            ports.Conversations.cut_short,
            CutCall(task_id=run.task_id, run=run.run, turn=run.turn + 1, seq=run.seq),
            summary="keep what was said so far",
            **policies.RECORD,
        )


async def _is_finished(turns: "asyncio.Future[bool]") -> bool:
    """Raises what went wrong otherwise than by the interruption."""
    try:
        return await turns
    except asyncio.CancelledError:
        return False
    except ActivityError as error:
        if is_cancelled_exception(error):
            return False
        raise
