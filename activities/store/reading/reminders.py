"""What agents that stay are to be reminded of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlmodel import col

from activities.store.database import Database
from activities.store.reading.cursor import Cursor, cut
from activities.store.tables.reminders import Reminder


@dataclass(frozen=True, slots=True)
class StoredReminder:
    """``next_at`` is when it comes next, or came last if it has ``ended_at``; ``number`` is how
    often it has come."""

    id: UUID
    agent_id: UUID
    content: str
    next_at: datetime
    every_seconds: float | None
    until_at: datetime | None
    number: int
    created_at: datetime
    ended_at: datetime | None


_COLUMNS = (
    col(Reminder.id),
    col(Reminder.agent_id),
    col(Reminder.content),
    col(Reminder.next_at),
    col(Reminder.every_seconds),
    col(Reminder.until_at),
    col(Reminder.number),
    col(Reminder.created_at),
    col(Reminder.ended_at),
)


def stored(row: Row[*tuple[Any, ...]]) -> StoredReminder:
    """A row that has these columns, among others."""
    return StoredReminder(
        id=row.id,
        agent_id=row.agent_id,
        content=row.content,
        next_at=row.next_at,
        every_seconds=row.every_seconds,
        until_at=row.until_at,
        number=row.number,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


async def list_reminders(
    database: Database, team_id: UUID, agent_id: UUID, cursor: Cursor | None, limit: int
) -> tuple[Sequence[StoredReminder], Cursor | None]:
    """A page of those of an agent that are still to come, the oldest first, and the place of the
    last one if there are more."""
    wanted = (
        select(*_COLUMNS)
        .where(
            col(Reminder.agent_id) == agent_id,
            col(Reminder.team_id) == team_id,
            col(Reminder.ended_at).is_(None),
        )
        .order_by(col(Reminder.created_at), col(Reminder.id))
        .limit(limit + 1)
    )
    if cursor is not None:
        wanted = wanted.where(cursor.after(col(Reminder.created_at), col(Reminder.id)))
    # The primary: an agent may look for what it has just written down.
    async with database.reading(fresh=True) as connection:
        found = [stored(row) for row in await connection.execute(wanted)]
    return cut(found, limit, lambda each: Cursor(each.created_at, each.id))
