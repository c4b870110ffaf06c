"""Notes that people write for agents that stay, and take away."""

from uuid import UUID, uuid4, uuid5

from activities.store import notes
from activities.store.audit import Actor, Deed, note
from activities.store.notes import Note, NotKept
from api.errors import IdempotencyConflict, NotFound
from api.residents.lookup import no_agent
from api.residents.memory_errors import NoteRefused
from api.services import Services
from workflows.definitions.note import MAX_NOTES

_WHY = {
    NotKept.TERMINATED: "the agent is terminated, and will never read it",
    NotKept.FULL: f"the agent has {MAX_NOTES:,} notes, and none has more. Delete some first",
}


async def keep_note(
    services: Services, actor: Actor, agent_id: UUID, words: str, key: str | None
) -> Note:
    """Write a note. The same ``key`` gives the same note.

    Raises:
        NotFound, NoteRefused, IdempotencyConflict
    """
    note_id = uuid4() if key is None else uuid5(agent_id, f"note:{key}")
    async with services.database.writing() as connection:
        kept = await notes.keep_within(connection, agent_id, actor.team_id, note_id, words)
        if isinstance(kept, Note) and kept.is_new:
            deed = Deed("agent.noted", str(agent_id), details={"note": str(note_id)})
            await note(connection, actor, deed)
    if kept is NotKept.GONE:
        raise no_agent(agent_id)
    if isinstance(kept, NotKept):
        raise NoteRefused(reason=_WHY[kept])
    if not kept.is_new and kept.text != notes.storable(words):
        raise IdempotencyConflict(key=key)
    return kept


async def delete_note(services: Services, actor: Actor, agent_id: UUID, note_id: UUID) -> None:
    """Raises ``NotFound``."""
    async with services.database.writing() as connection:
        if not await notes.forget_within(connection, agent_id, actor.team_id, note_id):
            raise NotFound(kind="note", id=note_id)
        details = {"note": str(note_id)}
        await note(connection, actor, Deed("agent.note_deleted", str(agent_id), details=details))
