"""Agents that do as a test orders, and keep nothing: for what the workflow does by itself."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.attempts.heartbeat import heartbeating
from workflows import ports
from workflows.agent_contracts import ActCall, ActOutcome, CallPlan, ThinkCall, Thought, Verdict
from workflows.contracts import Hold, TaskClose, TaskMark
from workflows.states import Status


@dataclass(frozen=True, slots=True)
class Order:
    """What the model does in a turn: it makes ``calls``, ends the task, or is refused.

    A call is ``quick``, ``slow`` (until it is released; ``slow-fail`` fails then), ``ask`` (a
    person is asked before), ``elicit`` (its tool asks a person twice while it is made), ``hold``
    (as long as there is a hold), or ``fail``. With ``is_held`` the turn is held as such a call is.
    ``meanwhile`` is done while the model thinks, with the questions that it will ask. With
    ``is_plan`` its calls are plans. With ``is_moved`` the task is another one by now.
    """

    calls: tuple[str, ...] = ("quick",)
    tokens: int = 10
    cost_usd: float = 0.25
    finishes: bool = False
    is_refused: bool = False
    meanwhile: Callable[[Sequence[UUID]], Awaitable[None]] | None = None
    is_plan: bool = False
    is_moved: bool = False
    is_held: bool = False


FINISH = Order(calls=(), finishes=True)


@dataclass(slots=True)
class OrderedAgents(ports.Agents):
    """``orders`` are the turns, and ``questions`` those that people were asked, in their order.

    ``verdicts`` are those that calls were made with, by their seq; ``made`` are all of them, with
    the number of attempts before. ``hold`` is what is said of work that is held, until it is None.
    """

    orders: Sequence[Order]
    thinking: list[ThinkCall] = field(default_factory=list)
    questions: list[UUID] = field(default_factory=list)
    verdicts: dict[int, Verdict | None] = field(default_factory=dict)
    made: list[tuple[int, Verdict | None]] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    hold: Hold | None = None
    _names: dict[int, str] = field(default_factory=dict)

    @activity.defn
    async def think(self, call: ThinkCall) -> Thought:
        self.thinking.append(call)
        order = self.orders[call.turn - 1]
        plans = tuple(
            _plan(seq, name, is_plan=order.is_plan)
            for seq, name in enumerate(order.calls, call.seq + 2)
        )
        self._names |= {plan.seq: plan.name for plan in plans}
        questions = [plan.ask_id for plan in plans if plan.ask_id]
        if order.meanwhile is not None:
            await order.meanwhile(questions)
        if order.is_held and self.hold is not None:
            held = self.hold.model_copy(update={"tried": call.tried + 1})
            return Thought(seq=call.seq, tokens=0, cost_usd=0, digest="", held=held)
        self.questions += questions
        if order.is_refused:
            raise ApplicationError("refused", type="model-refused", non_retryable=True)
        if order.is_moved:
            raise ApplicationError("moved", type="task-moved", non_retryable=True)
        return Thought(
            seq=call.seq + 1 + len(plans),
            calls=plans,
            tokens=order.tokens,
            cost_usd=order.cost_usd,
            digest=str(call.turn),
            silent=not (plans or order.finishes),
            finished=order.finishes,
            model="rules-1",
        )

    @activity.defn
    async def act(self, call: ActCall) -> ActOutcome:
        self.verdicts[call.seq] = call.verdict
        self.made.append((call.attempts, call.verdict))
        name = self._names.get(call.seq, "quick")
        if name == "fail":
            raise ApplicationError("moved", type="task-moved", non_retryable=True)
        if name == "elicit" and call.attempts < 2:
            self.questions.append(uuid4())
            return ActOutcome(ok=True, ask_id=self.questions[-1], attempts=call.attempts + 1)
        if name in ("slow", "slow-fail"):
            await self._until_released(call.seq)
        if name == "slow-fail":
            raise ApplicationError("moved", type="task-moved", non_retryable=True)
        if name == "hold" and self.hold is not None:
            held = self.hold.model_copy(update={"tried": call.tried + 1})
            return ActOutcome(ok=True, attempts=call.attempts, held=held)
        return ActOutcome(ok=True)

    async def _until_released(self, seq: int) -> None:
        try:
            async with heartbeating():
                await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled.append(seq)
            raise


def _plan(seq: int, name: str, *, is_plan: bool) -> CallPlan:
    asked = uuid4() if name == "ask" else None
    return CallPlan(seq=seq, name=name, timeout_seconds=60, ask_id=asked, is_plan=is_plan)


@dataclass(slots=True)
class RememberedTasks(ports.Tasks):
    """What the rows of tasks would have said, in its order."""

    marks: list[Status] = field(default_factory=list)
    closes: list[TaskClose] = field(default_factory=list)

    @activity.defn
    async def mark_task(self, mark: TaskMark) -> None:
        self.marks.append(mark.status)

    @activity.defn
    async def close_task(self, close: TaskClose) -> Status | None:
        self.closes.append(close)
        return self.closes[0].status

    @property
    def ends(self) -> Mapping[Status, str | None]:
        """How it ended, and the code of why."""
        return {close.status: close.failure and close.failure.code for close in self.closes}
