"""Summing up what an agent that stays has said and heard, while it goes on."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from uuid import UUID, uuid5

import structlog

from activities.attempts.holding import Held
from activities.breakers.watched import of_model
from activities.equipment import Equipment
from activities.llm.allowance import Allowance
from activities.llm.base import NO_CHARGE, Answer, Charge, ChatMessage
from activities.llm.compaction import Count, size_tokens
from activities.llm.models import PROMPT_SHARE, Models
from activities.patience import patiently
from activities.residents.options import MemoryOptions
from activities.residents.recollection import bounds_of
from activities.residents.summary_prompt import fault_of, summary_messages, transcript
from activities.store import summaries
from activities.store.reading.exchanges import Past, read_past
from activities.store.summaries import MOST_UNSUMMED, NewSummary, Remembering, Unsummed
from workflows.errors import TemporaryFailure
from workflows.resident_contracts import TakeCall, exchange_id

# Of what a model reads, this much waits to be summed up, and so much is summed up at once.
SUMMARISE_SHARE = 0.2
MOST_TOKENS = 50_000
_INPUT_SHARE = 0.6

# To look costs a query. What is missed for so long changes nothing.
_LOOKED_EVERY = 4

# Of an answer, with what a model thinks before it.
_ANSWER_TOKENS = 16_000

# A token is about so many characters, in most languages.
_CHARACTERS_A_TOKEN = 4

# To count what an answer took that broke off. Nobody is kept waiting for it.
_COUNTING_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Summariser:
    def __init__(self, equipment: Equipment, options: MemoryOptions) -> None:
        self._equipment = equipment
        self._database = equipment.database
        self._options = options

    async def is_due(self, agent_id: UUID, number: int, model: str | None) -> bool:
        """Whether exchanges before the ``number``-th are to be summed up. It costs a query at most,
        for somebody waits for an answer."""
        models = self._equipment.models
        if models is None or number % _LOOKED_EVERY:
            return False
        try:
            found = await summaries.unsummed(self._database, agent_id, number)
        except TemporaryFailure:
            return False
        return self._is_due(found, models, model)

    async def summarise(self, call: TakeCall) -> None:
        """Add a summary, if one is due still, and if a model is free for it.

        Raises:
            ModelOverloaded, ModelUnavailable, ModelRefused, ContextTooLong, AnswerWithheld
        """
        work = await self._work(call)
        if work is None:
            return
        lost = _Lost()
        try:
            answer = await self._ask(work, lost)
        except Held as held:
            log.info("summary.held", agent_id=str(call.agent_id), reason=held.what)
            await self._count(work, lost.charge)
        except BaseException:
            await self._count(work, lost.charge)
            raise
        else:
            await self._write(work, answer, lost.charge)

    async def _work(self, call: TakeCall) -> "_Work | None":
        """What there is to do; None: nothing, or not now."""
        models = self._equipment.models
        found = await patiently(
            lambda: summaries.find_remembering(self._database, call.agent_id, call.team_id)
        )
        if models is None or found is None or self._has_used_its_quota(found):
            return None
        left = await patiently(
            lambda: summaries.unsummed(self._database, call.agent_id, found.exchanges)
        )
        if not self._is_due(left, models, found.definition.model):
            return None
        name = found.definition.model or await models.default_model()
        budget = round(models.context_tokens_of(name) * PROMPT_SHARE * _INPUT_SHARE)
        bounds = bounds_of(budget)
        past = await patiently(
            lambda: read_past(self._database, call.agent_id, left.before, bounds, first=True)
        )
        count = partial(self._equipment.tokens.count, model=name)
        through, messages = await asyncio.to_thread(_request, past, budget, count)
        if through <= past.summary.through:
            return None
        most = size_tokens(messages, count) + _ANSWER_TOKENS
        return _Work(call, found, through, messages, Allowance(most, most))

    def _is_due(self, found: Unsummed, models: Models, model: str | None) -> bool:
        tokens = self._options.summarise_tokens
        if tokens is None:
            context = models.context_tokens_of(model or models.known_default)
            tokens = min(round(context * SUMMARISE_SHARE), MOST_TOKENS)
        is_long = found.characters > tokens * _CHARACTERS_A_TOKEN
        return found.exchanges > 0 and (is_long or found.exchanges >= MOST_UNSUMMED)

    def _has_used_its_quota(self, found: Remembering) -> bool:
        own = found.daily_tokens
        quota = self._options.daily_tokens if own is None else own
        return bool(quota) and found.tokens_today >= quota

    async def _ask(self, work: "_Work", lost: "_Lost") -> Answer:
        assert self._equipment.models is not None
        return await self._equipment.models.complete(
            work.messages,
            (),
            model=work.agent.definition.model,
            allowance=work.allowance,
            guard=partial(self._guard, work),
            on_text=lambda _: None,
            on_restart=lambda: None,
            on_broken=lost.add,
        )

    @asynccontextmanager
    async def _guard(self, work: "_Work", model: str) -> AsyncIterator[None]:
        """Within it a model is asked that its breaker lets, and that nobody waits for."""
        agent_id, team_id = work.call.agent_id, work.call.team_id
        async with self._equipment.breakers.guard(team_id, of_model(model)):
            if self._equipment.slots is None:
                yield
                return
            task_id = exchange_id(agent_id, work.agent.exchanges)
            holder = uuid5(agent_id, "summary")
            async with self._equipment.slots.beside(holder, task_id, team_id, model):
                yield

    async def _write(self, work: "_Work", answer: Answer, lost: Charge) -> None:
        fault, charge = fault_of(answer), answer.charge + lost
        summary = answer.text.strip() if fault is None else None
        new = work.summary(summary, answer.model, charge)
        # Not patiently: it may have been written, and would count again.
        is_written = await summaries.write_summary(self._database, new)
        agent_id = str(work.call.agent_id)
        if fault is not None:
            log.warning("summary.refused", agent_id=agent_id, model=answer.model, reason=fault)
        elif is_written:
            log.info("summary.written", agent_id=agent_id, through=new.through)

    async def _count(self, work: "_Work", lost: Charge) -> None:
        if not lost.tokens:
            return
        counting = summaries.write_summary(self._database, work.summary(None, "", lost))
        try:
            await asyncio.wait_for(counting, _COUNTING_SECONDS)
        except (TemporaryFailure, TimeoutError):
            log.warning("usage.uncounted", tokens=lost.tokens)


@dataclass(frozen=True, slots=True)
class _Work:
    """``messages`` ask a model for a summary of all up to the ``through``-th exchange."""

    call: TakeCall
    agent: Remembering
    through: int
    messages: Sequence[ChatMessage]
    allowance: Allowance

    def summary(self, text: str | None, model: str, charge: Charge) -> NewSummary:
        return NewSummary(
            agent_id=self.call.agent_id,
            team_id=self.call.team_id,
            through=self.through,
            text=text,
            model=model,
            charge=charge,
        )


class _Lost:
    """What answers took that broke off."""

    def __init__(self) -> None:
        self.charge = NO_CHARGE

    def add(self, charge: Charge) -> None:
        self.charge += charge


def _request(past: Past, budget: int, count: Count) -> tuple[int, Sequence[ChatMessage]]:
    """What a model is to read, and up to which exchange: the first ones that fit, one at least."""
    texts = [transcript(exchange) for exchange in past.exchanges]
    if not texts:
        return past.summary.through, ()
    sizes = accumulate(count(text) + 1 for text in texts)
    taken = max(sum(size <= budget for size in sizes), 1)
    said = "\n\n".join(texts[:taken])
    if count(said) > budget:
        # One that is too long by itself: its two ends.
        half = len(said) * budget // (2 * count(said))
        said = f"{said[:half]}\n[...]\n{said[-half:]}"
    return past.exchanges[taken - 1].number, summary_messages(past.summary.text, said)
