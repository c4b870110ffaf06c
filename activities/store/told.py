"""What people tell the agent of a task while it is at work: a row, which its next turn reads.

Numbers are dealt out under the lock of the task's row. The end of a turn that finishes the task
takes the same lock, so either it sees that there is more to read, or the message is refused.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store import audit, events, fence
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.tables import ToldMessage
from workflows.events import MessageTold

# Of one task, read or not: they are never shortened for the model, and go with each turn.
MAX_TOLD = 200
MAX_TOLD_CHARACTERS = 100_000

_SHOWN_CHARACTERS = 2_000


class Refused(Enum):
    """Why a message was not written."""

    GONE = auto()  # No such task in this team.
    NO_AGENT = auto()
    ENDED = auto()
    FULL = auto()
    KEY_TAKEN = auto()  # Another message has the same client key.


@dataclass(frozen=True, slots=True)
class NewTold:
    """A message to the agent of a task. Of those with the same ``client_key`` the first counts, and
    ``request_digest`` tells a repeat from another message."""

    task_id: UUID
    from_name: str
    content: str
    client_key: str | None = None
    request_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A message that was told. ``seq``: the message in which the model has read it, if it has."""

    number: int
    from_name: str
    content: str
    seq: int | None
    created_at: datetime


async def tell(database: Database, actor: Actor, new: NewTold) -> Told | Refused:
    """Write a message down. A repeat under the same client key gives what was written first."""
    async with database.writing() as connection:
        values = {"task_id": new.task_id, "team_id": actor.team_id}
        task = (await connection.execute(_LOCK, values)).one_or_none()
        if task is None:
            return Refused.GONE
        if (earlier := await _earlier(connection, new)) is not None:
            return earlier
        refused = await _refusal(connection, task, new)
        return refused or await _write(connection, actor, task, new)


async def unread_messages(database: Database, task_id: UUID) -> list[Told]:
    """What the model of a task has not read yet, the oldest first."""
    query = (
        select(*_TOLD)
        .where(col(ToldMessage.task_id) == task_id, col(ToldMessage.seq).is_(None))
        .order_by(col(ToldMessage.number))
    )
    async with database.reading(fresh=True) as connection:
        return [_told(row) for row in await connection.execute(query)]


async def _earlier(connection: AsyncConnection, new: NewTold) -> Told | Refused | None:
    if new.client_key is None:
        return None
    query = select(*_TOLD, col(ToldMessage.request_digest)).where(
        col(ToldMessage.task_id) == new.task_id, col(ToldMessage.client_key) == new.client_key
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return _told(row) if row.request_digest == new.request_digest else Refused.KEY_TAKEN


async def _refusal(
    connection: AsyncConnection, task: Row[*tuple[Any, ...]], new: NewTold
) -> Refused | None:
    if not task.is_agent:
        return Refused.NO_AGENT
    if not task.is_living:
        return Refused.ENDED
    used = (await connection.execute(_USED, {"task_id": new.task_id})).one()
    is_full = used.messages >= MAX_TOLD or used.characters + len(new.content) > MAX_TOLD_CHARACTERS
    return Refused.FULL if is_full else None


async def _write(
    connection: AsyncConnection, actor: Actor, task: Row[*tuple[Any, ...]], new: NewTold
) -> Told:
    number = task.told_number + 1
    event = MessageTold.model_validate(
        {"number": number, "from": new.from_name, "content": new.content[:_SHOWN_CHARACTERS]}
    )
    values = {
        **events.values([event]),
        "task_id": new.task_id,
        "number": number,
        "from_name": new.from_name,
        "content": new.content,
        "client_key": new.client_key,
        "request_digest": new.request_digest,
    }
    row = (await connection.execute(_TELL, values)).one()
    details = {"number": number, "characters": len(new.content)}
    await audit.note(connection, actor, Deed("task.told", str(new.task_id), details=details))
    return Told(number, new.from_name, new.content, None, row.created_at)


def _told(row: Row[*tuple[Any, ...]]) -> Told:
    return Told(row.number, row.from_name, row.content, row.seq, row.created_at)


_TOLD = (
    col(ToldMessage.number),
    col(ToldMessage.from_name),
    col(ToldMessage.content),
    col(ToldMessage.seq),
    col(ToldMessage.created_at),
)

_LOCK = text(
    f"""
    SELECT type = 'agent' AS is_agent, told_number,
           -- What its last turn has finished only has to be closed: nobody reads any more.
           {fence.IS_LIVING} AND result IS NULL AS is_living
    FROM tasks WHERE id = :task_id AND team_id = :team_id AND deleted_at IS NULL FOR UPDATE
    """
)

_USED = text(
    """
    SELECT count(*) AS messages, coalesce(sum(length(content)), 0) AS characters
    FROM told_messages WHERE task_id = :task_id
    """
)

_TELL = text(
    f"""
    WITH task AS (
        UPDATE tasks SET {events.COUNT}, told_number = :number WHERE id = :task_id
        RETURNING {events.NUMBERED}
    ), told AS (
        INSERT INTO told_messages
            (task_id, number, team_id, from_name, content, client_key, request_digest)
        SELECT id, :number, team_id, :from_name, :content, CAST(:client_key AS text),
               CAST(:request_digest AS text)
        FROM task
        RETURNING created_at
    ), event AS (
        {events.INSERT} {events.given("task")}
    )
    SELECT told.created_at, {events.notify("task")} FROM task, told
    """
)
