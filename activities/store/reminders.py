"""Reminders of agents that stay: written down, and put into the inboxes when they are due.

Whoever puts one there locks the agent first and then its reminders, as whoever deletes an agent
does. That a reminder has come, and when it comes next, is written in the same transaction.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.store import audit
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.inbox import NewMessage, Posted, Refused, lock_agents, post_within
from activities.store.reading.reminders import StoredReminder, stored
from workflows.states import InboxKind


class NotMade(Enum):
    """Why a reminder was not written down."""

    GONE = auto()  # No such agent in this team, or one that is terminated.
    TOO_MANY = auto()
    OTHER = auto()  # Another one has its id.


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReminder:
    """It comes ``at`` a time, or ``after_seconds``; and then every ``every_seconds``, if any, but
    not after ``until_at``. One of the same ``id`` and text stays as it is."""

    id: UUID
    agent_id: UUID
    content: str
    at: datetime | None = None
    after_seconds: float | None = None
    every_seconds: float | None = None
    until_at: datetime | None = None
    hops: int = 0


@dataclass(frozen=True, slots=True)
class Reminded:
    """How many ``agents`` had something due, and whose inbox is ``full``."""

    agents: int
    full: frozenset[UUID]


async def create_reminder(
    database: Database, actor: Actor, new: NewReminder, *, most: int
) -> StoredReminder | NotMade:
    """Write a reminder down, unless the agent has ``most`` that are still to come."""
    values = {
        "id": new.id,
        "agent_id": new.agent_id,
        "team_id": actor.team_id,
        # PostgreSQL keeps no NUL in text, and no half of a character.
        "content": new.content.replace("\0", "\ufffd").encode("utf-8", "replace").decode(),
        "at": new.at,
        "after_seconds": new.after_seconds,
        "every_seconds": new.every_seconds,
        "until_at": new.until_at,
        "hops": new.hops,
        "most": most,
    }
    async with database.writing() as connection:
        await lock_agents(connection, [new.agent_id])
        earlier = (await connection.execute(_FIND, values)).one_or_none()
        if earlier is not None:
            return stored(earlier) if earlier.is_same else NotMade.OTHER
        found = (await connection.execute(_COUNT, values)).one_or_none()
        if found is None:
            return NotMade.GONE
        if found.number >= most:
            return NotMade.TOO_MANY
        made = (await connection.execute(_INSERT, values)).one()
        details = {"agent_id": str(new.agent_id)}
        await audit.note(connection, actor, Deed("reminder.created", str(new.id), details=details))
    return stored(made)


async def cancel_reminder(
    database: Database, actor: Actor, agent_id: UUID, reminder_id: UUID
) -> bool:
    """False when the agent has none like that which is still to come."""
    values = {"id": reminder_id, "agent_id": agent_id, "team_id": actor.team_id}
    async with database.writing() as connection:
        if (await connection.execute(_CANCEL, values)).one_or_none() is None:
            return False
        details = {"agent_id": str(agent_id)}
        deed = Deed("reminder.cancelled", str(reminder_id), details=details)
        await audit.note(connection, actor, deed)
    return True


async def remind(database: Database, *, most: int, besides: Collection[UUID] = ()) -> Reminded:
    """Put what is due into the inboxes of at most ``most`` agents, each in a transaction.

    An agent whose inbox is full is reminded once there is room; ``besides`` are those that were
    found so before.
    """
    values = {"most": most, "besides": list(besides)}
    async with database.reading(fresh=True) as connection:
        due = (await connection.scalars(_DUE_AGENTS, values)).all()
    full = set[UUID]()
    for agent_id in due:
        async with database.writing() as connection:
            if not await _remind(connection, agent_id):
                full.add(agent_id)
    return Reminded(len(due), frozenset(full))


async def _remind(connection: AsyncConnection, agent_id: UUID) -> bool:
    """False when the inbox is full."""
    await lock_agents(connection, [agent_id])
    for due in (await connection.execute(_DUE, {"agent_id": agent_id})).all():
        if due.waits:  # The last one was not read yet: it says all that this one would.
            await connection.execute(_ADVANCE, {"id": due.id, "counts": 0})
            continue
        posted = await post_within(connection, _notice(due))
        if posted is Refused.FULL:
            return False
        if isinstance(posted, Posted):
            await connection.execute(_ADVANCE, {"id": due.id, "counts": 1})
        else:
            await connection.execute(_END, {"id": due.id})
    return True


def _notice(due: Row[*tuple[Any, ...]]) -> NewMessage:
    return NewMessage(
        agent_id=due.agent_id,
        team_id=due.team_id,
        kind=InboxKind.NOTICE,
        from_agent_id=due.agent_id,
        from_name=due.name,
        to_agent_id=due.agent_id,
        to_name=due.name,
        content=f"Reminder: {due.content}",
        # Else two agents would answer each other for ever, with a reminder at each step.
        hops=due.hops,
        client_key=_key(due.id, due.number + 1),
    )


def _key(reminder_id: UUID, number: int) -> str:
    return f"reminder:{reminder_id}:{number}"


_COLUMNS = """reminders.id, reminders.team_id, reminders.agent_id, reminders.content,
    reminders.next_at, reminders.every_seconds, reminders.until_at, reminders.number,
    reminders.created_at, reminders.ended_at"""

_FIND = text(
    f"""
    SELECT {_COLUMNS}, agent_id = :agent_id AND content = :content
           AND every_seconds IS NOT DISTINCT FROM CAST(:every_seconds AS float)
           AND until_at IS NOT DISTINCT FROM CAST(:until_at AS timestamptz) AS is_same
    FROM reminders WHERE id = :id AND team_id = :team_id
    """
)

_COUNT = text(
    """
    SELECT (SELECT count(*) FROM reminders WHERE agent_id = agents.id AND ended_at IS NULL)
           AS number
    FROM agents
    WHERE id = :agent_id AND team_id = :team_id AND deleted_at IS NULL AND terminated_at IS NULL
    """
)

_INSERT = text(
    f"""
    INSERT INTO reminders
        (id, team_id, agent_id, content, next_at, every_seconds, until_at, number, hops)
    VALUES (:id, :team_id, :agent_id, :content,
            coalesce(CAST(:at AS timestamptz),
                     now() + make_interval(secs => CAST(:after_seconds AS float))),
            :every_seconds, :until_at, 0, :hops)
    RETURNING {_COLUMNS}
    """
)

_CANCEL = text(
    """
    UPDATE reminders SET ended_at = now()
    WHERE id = :id AND agent_id = :agent_id AND team_id = :team_id AND ended_at IS NULL
    RETURNING id
    """
)

_DUE_AGENTS = text(
    """
    SELECT agent_id FROM reminders
    WHERE ended_at IS NULL AND next_at <= now()
      AND NOT agent_id = ANY(CAST(:besides AS uuid[]))
    GROUP BY agent_id ORDER BY min(next_at) LIMIT :most
    """
)

# Another API may be at it, and then has the lock of the agent, for which this one has waited.
_DUE = text(
    """
    SELECT reminders.id, reminders.team_id, reminders.agent_id, reminders.content, number, name,
           reminders.hops,
           number > 0 AND EXISTS (
               SELECT FROM inbox
               WHERE inbox.agent_id = reminders.agent_id AND read_at IS NULL
                 AND client_key = 'reminder:' || reminders.id || ':' || number
           ) AS waits
    FROM reminders JOIN agents ON agents.id = reminders.agent_id
    WHERE reminders.agent_id = :agent_id AND ended_at IS NULL AND next_at <= now()
    ORDER BY next_at, reminders.id
    FOR UPDATE OF reminders SKIP LOCKED
    """
)

# Those that were missed do not come later: the next is the first that is still to come.
_ADVANCE = text(
    """
    WITH next AS (
        SELECT id, next_at + make_interval(
                   secs => every_seconds
                       * (floor(extract(epoch FROM now() - next_at) / every_seconds) + 1)
               ) AS moment
        FROM reminders WHERE id = :id
    )
    UPDATE reminders
    SET number = number + :counts, next_at = coalesce(next.moment, next_at),
        ended_at = CASE WHEN next.moment IS NULL OR next.moment > until_at THEN now() END
    FROM next WHERE reminders.id = next.id
    """
)

_END = text("UPDATE reminders SET ended_at = now() WHERE id = :id")
