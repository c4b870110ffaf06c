"""A turn of a model: its prompt, its answer, and what is stored of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from math import inf
from uuid import UUID

import structlog
from temporalio import activity

from activities.agents.answer import Answered
from activities.agents.conversation_cache import Conversations
from activities.agents.lost_charges import COUNTING_SECONDS, LostCharges
from activities.agents.patient_turns import held_by_model
from activities.agents.prompts import first_message
from activities.agents.roles.base import Role, RoleTurn
from activities.agents.subjects import name_subjects
from activities.agents.text_stream import Send, sending_deltas
from activities.agents.told import TurnSeconds, may_go_on, read_from, told_messages
from activities.agents.turn_counting import counted_turn
from activities.attempts.holding import Held
from activities.attempts.losses import check_losses, failures_before
from activities.attempts.unforeseen import foreseen
from activities.breakers.watched import of_model
from activities.equipment import Equipment
from activities.limits.slots import admission
from activities.llm.allowance import Allowance
from activities.llm.base import ChatMessage
from activities.patience import patiently
from activities.store import turns
from activities.store.turns import BegunTurn, EndedTurn, Turn, Wait
from activities.tools.found import found_tools
from activities.tools.offered import OfferedTool
from workflows import policies
from workflows.agent_contracts import Hint, ThinkCall, Thought
from workflows.contracts import Failure
from workflows.definitions.agent import Agent
from workflows.definitions.plan import Atomicity
from workflows.errors import AgentOSError, TemporaryFailure
from workflows.errors.agents import TokenQuotaUsedUp
from workflows.errors.models import ModelNotConfigured, ModelOverloaded, ModelUnavailable
from workflows.errors.tasks import TaskMoved
from workflows.events import Event, LlmRetrying, TurnHeld
from workflows.states import TaskType

# In an event, and in the task's row.
_MAX_ERROR_CHARACTERS = 1_000
_MAX_ACCOUNT_CHARACTERS = 4_096

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TurnOptions:
    """``daily_tokens`` is the quota of a team that has none of its own; 0 is no limit. Plans are
    cut by ``atomicity`` where they do not say how."""

    daily_tokens: int = 0
    approval_seconds: float = 24 * 3_600.0
    atomicity: Atomicity = Atomicity.CONSERVATIVE


class Turns:
    """Makes turns, and has the conversations at hand that it made them in."""

    def __init__(
        self, equipment: Equipment, roles: Mapping[TaskType, Role], options: TurnOptions
    ) -> None:
        self._equipment = equipment
        self._roles = roles
        self._database = equipment.database
        self._options = options
        self._conversations = Conversations()

    async def make(self, call: ThinkCall, lost: int = 0) -> Thought:
        """Make a turn, unless it has been made already. So many attempts at it were ``lost``.

        Raises:
            TaskMoved, TokenQuotaUsedUp, WorkersLost
            ModelOverloaded, ModelUnavailable, ModelRefused, ContextTooLong, AnswerWithheld
            TokensUsedUp: what is left for it is too little.
        """
        unsent: list[Event] = []
        try:
            with foreseen():
                check_losses(lost)
                return await self._make(call, unsent)
        except Held as held:
            await self._tell_of_hold(call, held, unsent)
            raise
        except AgentOSError as error:
            await self.tell_of_failure(call, error, unsent)
            raise

    async def _make(self, call: ThinkCall, unsent: list[Event]) -> Thought:
        """``unsent`` takes the events that are to go with a failure."""
        info, turn = activity.info(), _turn_of(call)
        known = self._conversations.known(turn.task_id, turn.execution, turn.seq)
        begun = await self._begin(turn, len(known), is_repeated=info.attempt > 1)
        if begun.thought is not None:
            return begun.thought
        heard = (*known, *begun.messages)
        self._conversations.keep(turn.task_id, turn.execution, heard)
        with counted_turn(self._equipment.numbers, begun.task_type):
            quota_left = self._quota_left(begun)
            answered, deltas = await self._complete(call, turn, begun, heard, unsent)
            seconds = self._options.approval_seconds
            ended = answered.ended(deltas, seconds)
            taken = TurnSeconds(_seconds_since_asked(), answered.answer.duration_ms / 1_000)
            is_last = not may_go_on(call, ended.thought, taken, quota_left)
            if ended.result is None or is_last:
                return await self._write(turn, ended)
            # What was told while the model finished is not to go unread.
            reopened = answered.reopened.ended(deltas, seconds)
            return await self._write(turn, replace(ended, told_number=begun.told_number), reopened)

    async def _begin(self, turn: Turn, known: int, *, is_repeated: bool) -> BegunTurn:
        return await patiently(
            lambda: turns.begin_turn(self._database, turn, known=known, is_repeated=is_repeated)
        )

    def _quota_left(self, begun: BegunTurn) -> float:
        """How many tokens the team may use today; raises ``TokenQuotaUsedUp`` when it is none."""
        quota = begun.daily_tokens if begun.daily_tokens is not None else self._options.daily_tokens
        if not quota:
            return inf
        if begun.tokens_today >= quota:
            raise TokenQuotaUsedUp(used=begun.tokens_today, quota=quota)
        return quota - begun.tokens_today

    async def _complete(
        self,
        call: ThinkCall,
        turn: Turn,
        begun: BegunTurn,
        heard: Sequence[ChatMessage],
        unsent: list[Event],
    ) -> tuple[Answered, Sequence[Event]]:
        """Ask the model. With the answer come the events that were not sent yet."""
        if self._equipment.models is None:
            raise ModelNotConfigured
        role, role_turn = self._roles[begun.task_type], RoleTurn(call, begun, heard)
        agent = role.agent(role_turn)
        offered = await role.offered(role_turn)
        beginning = await self._beginning(role, role_turn, offered)
        told = told_messages(begun.told, call.turn)
        before = (*beginning, *told, *self._hints(role, role_turn, offered))
        read = read_from(begun.told, turn.seq + len(beginning) + 1)
        sent = await role.conversation(role_turn, (*heard, *before))
        lost = LostCharges(self._database, turn, begun.lost)
        try:
            async with sending_deltas(turn.turn, self._sender(turn)) as deltas, lost.counted():
                with foreseen():
                    answer = await self._equipment.models.complete(
                        sent,
                        [tool.spec for tool in offered.values()],
                        model=agent.model,
                        found=_found(sent, offered),
                        allowance=_allowance(call, begun),
                        guard=partial(self._guard, call, begun.team_id, agent),
                        on_text=deltas.add,
                        on_restart=deltas.restart,
                        on_broken=lost.add,
                        on_passed_over=lambda model, error: deltas.tell(
                            LlmRetrying(turn=turn.turn, model=model, error=_failure(error))
                        ),
                    )
        except AgentOSError as error:
            unsent += deltas.drain()
            is_away = isinstance(error, ModelOverloaded | ModelUnavailable)
            if is_away and role.is_patient and _is_last(call, error):
                raise held_by_model(error, failures_before(call.tried)) from error
            raise
        answer, judged = await role.judge(role_turn, answer, offered, turn.seq + len(before) + 2)
        await name_subjects(judged, self._equipment.catalogue)
        return Answered(turn, heard, before, answer, judged, lost.total, read), deltas.drain()

    @asynccontextmanager
    async def _guard(
        self, call: ThinkCall, team_id: UUID, agent: Agent, model: str
    ) -> AsyncIterator[None]:
        """Within it a model is asked, once its breaker and its limits let it be."""
        slots, stays = self._equipment.slots, agent.stays
        admitted = admission(slots, call.task_id, call.run, team_id, stays=stays)
        async with self._equipment.breakers.guard(team_id, of_model(model)), admitted(model):
            yield

    def _hints(
        self, role: Role, turn: RoleTurn, offered: Mapping[str, OfferedTool]
    ) -> tuple[ChatMessage, ...]:
        """What a model is told that makes no progress."""
        call, heard = turn.call, turn.heard
        # It already has the note on an answer that was cut off before it called a tool.
        was_told = call.hint is Hint.CALL_A_TOOL and heard[-1].role == "user"
        if call.hint is None or was_told:
            return ()
        return (ChatMessage("user", role.hint(call.hint, offered), turn=call.turn),)

    async def _beginning(
        self, role: Role, turn: RoleTurn, offered: Mapping[str, OfferedTool]
    ) -> tuple[ChatMessage, ...]:
        """What a conversation begins with."""
        if not turn.is_first:
            return ()
        system = await role.system(turn, offered)
        task = first_message(turn.begun.prompt)
        return (
            ChatMessage("system", system, is_protected=True),
            ChatMessage("user", task, is_protected=True),
        )

    def _sender(self, turn: Turn) -> Send:
        async def send(said: tuple[Event, ...]) -> None:
            await turns.add_events(self._database, turn, said)

        return send

    async def tell_of_failure(
        self, call: ThinkCall, error: AgentOSError, unsent: Sequence[Event] = ()
    ) -> None:
        """Say why the turn failed, and when the model is asked again: the pause may be a minute.

        Of the last failure the task's row is the only place that can tell, so that is waited for.
        """
        is_followed, failure = error.retryable and not _is_last(call, error), _why(call, error)
        said, wait = tuple(unsent), None
        if is_followed:
            retrying = _retrying(call, error)
            said = (*said, retrying)
            what = (
                f"{retrying.model}, which gave no answer" if retrying.model else "another attempt"
            )
            wait = Wait(what, retrying.next_attempt_at)

        async def tell() -> None:
            await turns.tell_of_trouble(self._database, _turn_of(call), failure, said, wait)

        is_awaited = not is_followed and not isinstance(error, TemporaryFailure)
        telling = patiently(tell) if is_awaited else asyncio.wait_for(tell(), COUNTING_SECONDS)
        try:
            await telling
        except (TemporaryFailure, TimeoutError):
            log.warning("events.lost", reason=failure.code)

    async def _tell_of_hold(self, call: ThinkCall, held: Held, unsent: Sequence[Event]) -> None:
        event = TurnHeld(turn=call.turn, reason=held.what, next_attempt_at=held.until)
        said, wait = (*unsent, event), Wait(held.what, held.until)
        failure = None if held.failure is None else _why(call, held.failure)
        await patiently(
            lambda: turns.tell_of_trouble(self._database, _turn_of(call), failure, said, wait)
        )
        log.info("work.held", turn=call.turn, reason=held.what, seconds=held.seconds)

    async def _write(self, turn: Turn, *versions: EndedTurn) -> Thought:
        """Write the first version that may be."""
        for ended in versions:
            if await patiently(partial(turns.end_turn, self._database, turn, ended)):
                log.info(
                    "turn.ended",
                    turn=turn.turn,
                    model=ended.answer.model,
                    tokens=ended.thought.tokens,
                    calls=len(ended.calls),
                    duration_ms=ended.answer.duration_ms,
                )
                return ended.thought
        return await self._written(turn)

    async def _written(self, turn: Turn) -> Thought:
        """The answer already stored in this place: the same one, if the database's reply was lost,
        or that of another attempt, whose calls are then the ones to make."""
        begun = await self._begin(turn, turn.seq, is_repeated=True)
        if begun.thought is None:
            raise TaskMoved(task_id=turn.task_id)
        return begun.thought


def _allowance(call: ThinkCall, begun: BegunTurn) -> Allowance | None:
    """What the turn may take, less what earlier attempts at it have."""
    if call.tokens_left is None:
        return None
    return Allowance(call.tokens_left, call.tokens_limit).less(begun.lost.tokens)


def _found(heard: Sequence[ChatMessage], offered: Mapping[str, OfferedTool]) -> Sequence[str]:
    """The tools that the model has looked for, or called."""
    searches = {name for name, tool in offered.items() if tool.finds_tools}
    known = {name for name, tool in offered.items() if tool.source is not None}
    return found_tools(heard, searches, known) if known else ()


def _turn_of(call: ThinkCall) -> Turn:
    execution = activity.info().workflow_run_id
    assert execution is not None
    return Turn(call.task_id, call.run, call.turn, call.seq, execution, call.routes)


def _seconds_since_asked() -> float:
    return max(0.0, (datetime.now(UTC) - activity.info().scheduled_time).total_seconds())


def _is_last(call: ThinkCall, error: AgentOSError) -> bool:
    return error.retries_used_up or failures_before(call.tried) >= policies.THINK_RETRIES


def _why(call: ThinkCall, error: AgentOSError) -> Failure:
    """For the task's row."""
    message = error.account[:_MAX_ACCOUNT_CHARACTERS]
    return Failure(code=error.code, message=message, step=f"turn {call.turn}")


def _retrying(call: ThinkCall, error: AgentOSError) -> LlmRetrying:
    pause = policies.think_pause(activity.info().attempt, error.retry_after_seconds)
    return LlmRetrying(
        turn=call.turn,
        model=str(error.fields.get("model", "")),
        error=_failure(error),
        next_attempt_at=datetime.now(UTC) + pause,
    )


def _failure(error: AgentOSError) -> Failure:
    return Failure(code=error.code, message=str(error)[:_MAX_ERROR_CHARACTERS])
