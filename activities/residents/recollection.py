"""What a worker has at hand of the past of the agents whose exchanges it has turns of."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

from activities.llm.base import ChatMessage
from activities.llm.compaction import Count
from activities.llm.models import PROMPT_SHARE, Models
from activities.patience import patiently
from activities.residents.past import PAST_SHARE, past_messages, with_past
from activities.store.database import Database
from activities.store.reading.exchanges import Bounds, Past, agent_of, read_past
from activities.tokens import Tokens

MAX_REMEMBERED = 200
MAX_CHARACTERS = 32 * 1024 * 1024

# Of the tokens that a prompt may have, what was written to the agent for one exchange may take.
PROMPT_OF_EXCHANGE_SHARE = 0.4

# A token is seldom more characters than this, and a character seldom more than a token.
_CHARACTERS_A_TOKEN = 5
_MOST_EACH_CHARACTERS = 16_000


class Recollection:
    """Those of the last exchanges, up to a number and a size: what came before an exchange is the
    same in all its turns. It may forget any at any time."""

    def __init__(self, database: Database, models: Models | None, tokens: Tokens) -> None:
        self._database = database
        self._models = models
        self._tokens = tokens
        self._remembered: OrderedDict[UUID, tuple[ChatMessage, ...]] = OrderedDict()

    async def conversation(
        self, exchange_id: UUID, number: int, model: str | None, messages: Sequence[ChatMessage]
    ) -> Sequence[ChatMessage]:
        """The ``messages`` of the ``number``-th exchange of an agent, after what came before it: no
        more of either than ``model``, or the one that is asked without a name, can read."""
        assert self._models is not None
        name = model or await self._models.default_model()
        context = round(self._models.context_tokens_of(name) * PROMPT_SHARE)
        count = partial(self._tokens.count, model=name)
        past = await self._before(exchange_id, number, round(context * PAST_SHARE), count)
        budget = round(context * PROMPT_OF_EXCHANGE_SHARE)
        shown = await asyncio.to_thread(_shortened, messages, budget, count)
        return with_past(past, shown, number)

    async def _before(
        self, exchange_id: UUID, number: int, budget: int, count: Count
    ) -> tuple[ChatMessage, ...]:
        known = self._remembered.pop(exchange_id, None)
        if known is None:
            past = await patiently(lambda: self._read(exchange_id, number, bounds_of(budget)))
            # Beside the event loop: it may be megabytes that have to be counted.
            known = await asyncio.to_thread(past_messages, past, budget, count)
        self._remembered[exchange_id] = known
        self._forget()
        return known

    async def _read(self, exchange_id: UUID, number: int, bounds: Bounds) -> Past:
        agent_id = await agent_of(self._database, exchange_id)
        if agent_id is None or number == 1:
            return Past()
        return await read_past(self._database, agent_id, number, bounds)

    def _forget(self) -> None:
        characters = sum(map(_characters, self._remembered.values()))
        while len(self._remembered) > MAX_REMEMBERED or (
            characters > MAX_CHARACTERS and len(self._remembered) > 1
        ):
            _, oldest = self._remembered.popitem(last=False)
            characters -= _characters(oldest)


def bounds_of(budget_tokens: int) -> Bounds:
    """What is read where so many tokens are to be shown."""
    characters = budget_tokens * _CHARACTERS_A_TOKEN
    return Bounds(characters, min(characters, _MOST_EACH_CHARACTERS))


def _characters(messages: Sequence[ChatMessage]) -> int:
    return sum(message.characters for message in messages)


def _shortened(messages: Sequence[ChatMessage], budget: int, count: Count) -> Sequence[ChatMessage]:
    """With the middle of what was written to the agent left out, where that is too long for it: it
    could not be answered at all, and nothing after it."""
    place = next((at for at, message in enumerate(messages) if message.role == "user"), None)
    if place is None or len(messages[place].content) <= budget:
        return messages
    asked = messages[place]
    content, characters = asked.content, len(asked.content)
    while count(content) > budget and characters > 1:
        characters = characters * 3 // 4
        half = characters // 2
        left_out = len(asked.content) - 2 * half
        note = f"[{left_out} characters were left out here: it is more than you can read]"
        content = f"{asked.content[:half]}\n{note}\n{asked.content[-half:]}"
    return (*messages[:place], replace(asked, content=content), *messages[place + 1 :])
