"""Telling the workflow of an agent that it has something new: at once, and again if that was lost.

A message is a row before anybody is told, so all that can go wrong here is that it is late.
"""

from dataclasses import dataclass
from uuid import UUID

from activities.store import inbox
from api.services import Services
from workflows.resident_contracts import ConversationRun


@dataclass(frozen=True, slots=True)
class Word:
    """What an agent is to be told: that there is message ``seq``, which may interrupt it."""

    agent_id: UUID
    team_id: UUID
    name: str
    seq: int
    interrupts: bool = False


async def tell(services: Services, word: Word) -> None:
    """Raises ``TemporaryFailure``: the teller's next pass tells it again."""
    run = ConversationRun(agent_id=word.agent_id, team_id=word.team_id)
    conversations = services.temporal.conversations
    say = conversations.interrupt if word.interrupts else conversations.look
    await say(run, word.seq, title=word.name)
    await inbox.note_told(services.database, word.agent_id, word.seq)
