"""Taking back a message that an agent has not begun to read."""

from enum import Enum, auto
from uuid import UUID

from sqlalchemy import text

from activities.store import audit
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.resident_locks import lock_agent, tell_viewers
from workflows.states import LIVING, InboxKind

_LIVING = ", ".join(f"'{status}'" for status in sorted(LIVING))


class Withdrawn(Enum):
    """What became of it."""

    DONE = auto()
    GONE = auto()  # No such agent in this team, or no such message.
    READ = auto()  # The agent answers it, or has.
    OF_GROUP = auto()  # All members of a group read the same.
    NO_MESSAGE = auto()  # It is a reply, or a notice.


async def withdraw(database: Database, actor: Actor, agent_id: UUID, message_id: UUID) -> Withdrawn:
    """Take back an unread message: nobody is shown it any more, and none is written under its key.
    One that a turn has taken which then failed is unread, too."""
    values = {"agent_id": agent_id, "message_id": message_id}
    async with database.writing() as connection:
        # Whoever takes messages holds this lock.
        if await lock_agent(connection, actor.team_id, agent_id) is None:
            return Withdrawn.GONE
        row = (await connection.execute(_FIND, values)).one_or_none()
        if row is None:
            return Withdrawn.GONE
        if row.kind != InboxKind.MESSAGE:
            return Withdrawn.NO_MESSAGE
        if row.group_id is not None:
            return Withdrawn.OF_GROUP
        if row.is_taken:
            return Withdrawn.READ
        await connection.execute(_WITHDRAW, values)
        details = {"message_id": str(message_id), "seq": row.seq}
        deed = Deed("message.withdrawn", str(agent_id), details=details)
        await audit.note(connection, actor, deed)
        await tell_viewers(connection, actor.team_id, [agent_id])
    return Withdrawn.DONE


_FIND = text(
    f"""
    SELECT inbox.seq, inbox.kind, inbox.group_id,
           inbox.read_at IS NOT NULL OR (exchange.status IN ({_LIVING})) IS TRUE AS is_taken
    FROM inbox LEFT JOIN tasks AS exchange ON exchange.id = inbox.exchange_id
    WHERE inbox.id = :message_id AND inbox.agent_id = :agent_id AND inbox.withdrawn_at IS NULL
    """
)

_WITHDRAW = text(
    """
    UPDATE inbox
    SET withdrawn_at = now(), read_at = now(), content = '', attachments = NULL, exchange_id = NULL
    WHERE id = :message_id AND agent_id = :agent_id
    """
)
