"""A turn of a model: what it is told, what it answers, and what is written of that."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import structlog
from temporalio import activity

from activities.agents.conversation_cache import Conversations
from activities.agents.lost_charges import Losses
from activities.agents.prompts import first_message, hint_message, system_prompt
from activities.agents.request_checks import judge
from activities.agents.text_stream import Send, sending_deltas
from activities.agents.written_answer import Answered
from activities.llm.base import ChatMessage, ToolSpec
from activities.llm.models import Models
from activities.patience import patiently
from activities.skills.catalogue import Catalogue
from activities.store import turns
from activities.store.database import Database
from activities.store.events import EventDraft
from activities.store.turns import BegunTurn, EndedTurn, Turn
from activities.tools.skills import AllowedSkills
from activities.tools.toolbox import Toolbox
from activities.tools.working_files import working_files
from workflows.contracts import Hint, ThinkCall, Thought
from workflows.definitions.agent import Agent
from workflows.errors import ModelNotConfigured, TaskMoved, TokenQuotaUsedUp

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ThinkOptions:
    """``daily_tokens`` is the quota of a team that has none of its own; 0 is no limit."""

    daily_tokens: int = 0
    approval_seconds: float = 24 * 3_600.0


class Thinking:
    def __init__(
        self,
        database: Database,
        models: Models | None,
        toolbox: Toolbox,
        catalogue: Catalogue,
        options: ThinkOptions,
    ) -> None:
        self._database = database
        self._models = models
        self._toolbox = toolbox
        self._catalogue = catalogue
        self._options = options
        self._conversations = Conversations()

    async def think(self, call: ThinkCall) -> Thought:
        """Make a turn, unless it has been made already.

        Raises:
            TaskMoved, TokenQuotaUsedUp
            ModelOverloaded, ModelUnavailable, ModelRefused, ContextTooLong, AnswerWithheld
        """
        info = activity.info()
        assert info.workflow_run_id is not None
        turn = Turn(call.task_id, call.run, call.turn, call.seq, info.workflow_run_id)
        known = self._conversations.known(turn.task_id, turn.execution, turn.seq)
        begun = await self._begin(turn, len(known), is_repeated=info.attempt > 1)
        if begun.thought is not None:
            return begun.thought
        heard = (*known, *begun.messages)
        self._conversations.keep(turn.task_id, turn.execution, heard)
        self._check_quota(begun)
        return await self._make(call, turn, begun, heard)

    async def _begin(self, turn: Turn, known: int, *, is_repeated: bool) -> BegunTurn:
        return await patiently(
            lambda: turns.begin_turn(self._database, turn, known=known, is_repeated=is_repeated)
        )

    async def _make(
        self, call: ThinkCall, turn: Turn, begun: BegunTurn, heard: Sequence[ChatMessage]
    ) -> Thought:
        if self._models is None:
            raise ModelNotConfigured
        agent = Agent.model_validate(begun.definition)
        offered = await self._toolbox.offered(begun.team_id, agent)
        before = await self._before(call, begun, agent, offered.keys(), heard)
        lost = Losses(self._database, turn, begun.lost)
        async with sending_deltas(turn.turn, self._sender(turn)) as deltas, lost.counted():
            answer = await self._models.complete(
                (*heard, *before),
                [ToolSpec(tool.name, tool.description, tool.schema) for tool in offered.values()],
                model=agent.model,
                on_text=deltas.add,
                on_restart=deltas.restart,
                on_broken=lost.add,
            )
        judged = await judge(answer, offered, agent, turn.seq + len(before) + 2)
        answered = Answered(turn, heard, before, answer, judged, lost.total)
        ended = answered.ended(deltas.drain(), self._options.approval_seconds)
        return await self._write(turn, ended)

    async def _write(self, turn: Turn, ended: EndedTurn) -> Thought:
        if not await patiently(lambda: turns.end_turn(self._database, turn, ended)):
            return await self._written(turn)
        log.info(
            "turn.ended",
            turn=turn.turn,
            model=ended.answer.model,
            tokens=ended.thought.tokens,
            calls=len(ended.calls),
            duration_ms=ended.answer.duration_ms,
        )
        return ended.thought

    async def _written(self, turn: Turn) -> Thought:
        """What stands where this answer was to be written: the same one, if the database's word on
        it got lost, or that of another attempt, whose calls are then the ones to be made."""
        begun = await self._begin(turn, turn.seq, is_repeated=True)
        if begun.thought is None:
            raise TaskMoved(task_id=turn.task_id)
        return begun.thought

    def _check_quota(self, begun: BegunTurn) -> None:
        quota = begun.daily_tokens if begun.daily_tokens is not None else self._options.daily_tokens
        if quota and begun.tokens_today >= quota:
            raise TokenQuotaUsedUp(used=begun.tokens_today, quota=quota)

    async def _before(
        self,
        call: ThinkCall,
        begun: BegunTurn,
        agent: Agent,
        tools: Collection[str],
        heard: Sequence[ChatMessage],
    ) -> tuple[ChatMessage, ...]:
        """What the model has to be told before its answer."""
        hints: tuple[ChatMessage, ...] = ()
        # Of an answer that was cut off before it called a tool it was told at once.
        was_told = call.hint is Hint.CALL_A_TOOL and heard[-1].role == "user"
        if call.hint is not None and not was_told:
            hints = (ChatMessage("user", hint_message(call.hint), turn=call.turn),)
        if call.seq > 0:
            return hints
        files = await patiently(lambda: working_files(self._database, call.task_id, begun.team_id))
        skills = await AllowedSkills(self._catalogue, agent.skills).all()
        system = system_prompt(agent, tools, skills, files.files)
        task = first_message(begun.prompt)
        return (
            ChatMessage("system", system, is_protected=True),
            ChatMessage("user", task, is_protected=True),
            *hints,
        )

    def _sender(self, turn: Turn) -> Send:
        async def send(drafts: tuple[EventDraft, ...]) -> None:
            await turns.add_events(self._database, turn, drafts)

        return send
