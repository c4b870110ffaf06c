"""Telling the workflow of an agent that it has something new: at once, and again if that was lost.

A message is a row before anybody is told, so all that can go wrong here is that it is late.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import structlog

from activities.store import inbox
from api.services import Services
from api.tasks.appearance import of_agent
from workflows.errors import TemporaryFailure
from workflows.resident_contracts import ConversationRun

AT_ONCE = 16

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Word:
    """What an agent is to be told: that there is message ``seq``, which may interrupt it. It
    ``is_awake``: most likely its workflow is open."""

    agent_id: UUID
    team_id: UUID
    name: str
    seq: int
    interrupts: bool = False
    is_awake: bool = False


async def tell(services: Services, *words: Word) -> Mapping[UUID, TemporaryFailure]:
    """Tell agents side by side, and write down in one go who was told. Gives why others were not:
    the teller's next pass tells them again.

    Raises:
        TemporaryFailure: the database cannot be reached; all are told again.
    """
    places = asyncio.Semaphore(AT_ONCE)

    async def tell_one(word: Word) -> TemporaryFailure | None:
        async with places:
            return await _say(services, word)

    failures = await asyncio.gather(*map(tell_one, words))
    told: dict[UUID, int] = {}
    untold: dict[UUID, TemporaryFailure] = {}
    for word, why in zip(words, failures, strict=True):
        if why is None:
            told[word.agent_id] = word.seq
        else:
            untold[word.agent_id] = why
    if told:
        await inbox.note_told(services.database, told)
    return untold


async def tell_soon(services: Services, *words: Word) -> None:
    """Now, or by the next pass that tells what nobody was told of."""
    try:
        untold = await tell(services, *words)
    except TemporaryFailure as failure:
        untold = {word.agent_id: failure for word in words}
    for agent_id, why in untold.items():
        log.warning("agent.not_told", agent_id=str(agent_id), reason=str(why))


async def _say(services: Services, word: Word) -> TemporaryFailure | None:
    """Gives its failure, which may be that of one workflow, and must hold up no others."""
    run = ConversationRun(agent_id=word.agent_id, team_id=word.team_id)
    conversations = services.temporal.conversations
    say = conversations.interrupt if word.interrupts else conversations.look
    try:
        looks = await of_agent(services, word.agent_id, word.team_id, word.name)
        await say(run, word.seq, appearance=looks, is_awake=word.is_awake)
    except TemporaryFailure as failure:
        return failure
    return None
