"""The inboxes of agents that stay: what they were told, and what they have replied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select, text
from sqlmodel import col

from activities.store.columns import member_of
from activities.store.database import Database
from activities.store.database import Row as PlainRow
from activities.store.reading.cursor import cut_at
from activities.store.tables import InboxRow
from workflows.states import InboxKind, MessageMode, Status

# A page of messages ends early here, whatever its limit; one message is always given whole.
MAX_PAGE_BYTES = 8 * 1024 * 1024

_BAD = ", ".join(f"'{status}'" for status in (Status.FAILED, Status.BLOCKED, Status.CANCELLED))


@dataclass(frozen=True, slots=True)
class StoredInboxMessage:
    """A row of the inbox of ``agent_id``; see ``InboxRow``."""

    id: UUID
    agent_id: UUID
    seq: int
    kind: InboxKind
    from_agent_id: UUID | None
    from_name: str
    to_agent_id: UUID | None
    to_name: str
    content: str
    attachments: Mapping[str, str]
    mode: MessageMode
    reply_to: UUID | None
    exchange_id: UUID | None
    group_id: UUID | None
    is_interrupted: bool
    is_read: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Answering:
    """How far the answer to a message is: there is a ``reply``, or none will come until somebody
    does something (``is_over``)."""

    reply: StoredInboxMessage | None
    is_read: bool
    is_over: bool


async def list_inbox(
    database: Database, agent_id: UUID, before: int | None, limit: int
) -> tuple[Sequence[StoredInboxMessage], int | None]:
    """The last messages, or the last before number ``before``, in their order; and the number to
    ask for what is before them, if there is more. The caller has checked whose agent it is."""
    conditions = [col(InboxRow.agent_id) == agent_id, _IS_SHOWN]
    if before is not None:
        conditions.append(col(InboxRow.seq) < before)
    sizes = (
        select(col(InboxRow.seq), func.octet_length(col(InboxRow.content)))
        .where(*conditions)
        .order_by(col(InboxRow.seq).desc())
        .limit(limit + 1)
    )
    async with database.reading() as connection:
        found = (await connection.execute(sizes)).all()
        if not found:
            return [], None
        count = cut_at([size for _, size in found], limit, MAX_PAGE_BYTES)
        first = found[count - 1][0]
        rows = await connection.execute(
            select(*_COLUMNS)
            .where(*conditions, col(InboxRow.seq) >= first)
            .order_by(col(InboxRow.seq))
        )
        return [stored_message(row) for row in rows], first if len(found) > count else None


async def find_message(
    database: Database, agent_id: UUID, message_id: UUID
) -> StoredInboxMessage | None:
    return await _find(
        database,
        col(InboxRow.agent_id) == agent_id,
        col(InboxRow.id) == message_id,
        _IS_SHOWN,
    )


async def is_written(database: Database, agent_id: UUID, client_key: str) -> bool:
    """Whether an earlier request with this key has written a message, whatever that said."""
    found = await _find(
        database, col(InboxRow.agent_id) == agent_id, col(InboxRow.client_key) == client_key
    )
    return found is not None


async def answering(database: Database, agent_id: UUID, message_id: UUID) -> Answering | None:
    """None when the message is gone."""
    async with database.reading(fresh=True) as connection:
        values = {"agent_id": agent_id, "message_id": message_id}
        row = (await connection.execute(_ANSWERING, values)).one_or_none()
    if row is None:
        return None
    reply = None
    if row.reply_id is not None:
        reply = await find_message(database, agent_id, row.reply_id)
    return Answering(reply, is_read=row.is_read, is_over=row.is_over)


async def _find(database: Database, *conditions: ColumnElement[bool]) -> StoredInboxMessage | None:
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(select(*_COLUMNS).where(*conditions))).one_or_none()
    return None if row is None else stored_message(row)


_IS_SHOWN = col(InboxRow.withdrawn_at).is_(None)

_COLUMNS = (
    col(InboxRow.id),
    col(InboxRow.agent_id),
    col(InboxRow.seq),
    col(InboxRow.kind),
    col(InboxRow.from_agent_id),
    col(InboxRow.from_name),
    col(InboxRow.to_agent_id),
    col(InboxRow.to_name),
    col(InboxRow.content),
    col(InboxRow.attachments),
    col(InboxRow.mode),
    col(InboxRow.reply_to),
    col(InboxRow.exchange_id),
    col(InboxRow.group_id),
    col(InboxRow.is_interrupted),
    col(InboxRow.read_at),
    col(InboxRow.created_at),
)


def stored_message(row: Row[*tuple[Any, ...]] | PlainRow) -> StoredInboxMessage:
    """Of a row with the columns of ``InboxRow``, as SQLAlchemy or the driver gives it."""
    return StoredInboxMessage(
        id=row.id,
        agent_id=row.agent_id,
        seq=row.seq,
        kind=member_of(InboxKind, row.kind),
        from_agent_id=row.from_agent_id,
        from_name=row.from_name,
        to_agent_id=row.to_agent_id,
        to_name=row.to_name,
        content=row.content,
        attachments=row.attachments or {},
        mode=member_of(MessageMode, row.mode),
        reply_to=row.reply_to,
        exchange_id=row.exchange_id,
        group_id=row.group_id,
        is_interrupted=row.is_interrupted,
        is_read=row.read_at is not None,
        created_at=row.created_at,
    )


# What a failed exchange had taken is unread still; a restart lets it be taken again, or be read.
_ANSWERING = text(
    f"""
    SELECT reply.id AS reply_id, message.read_at IS NOT NULL AS is_read,
           agents.terminated_at IS NOT NULL OR agents.deleted_at IS NOT NULL
           OR (exchange.status IN ({_BAD})
               AND (agents.exchange_id = exchange.id OR message.read_at IS NOT NULL)
           ) IS TRUE AS is_over
    FROM inbox AS message
    JOIN agents ON agents.id = message.agent_id
    LEFT JOIN tasks AS exchange ON exchange.id = message.exchange_id
    LEFT JOIN inbox AS reply
        ON reply.exchange_id = message.exchange_id AND reply.agent_id = message.agent_id
        AND reply.kind = '{InboxKind.REPLY}'
    WHERE message.id = :message_id AND message.agent_id = :agent_id
      AND message.withdrawn_at IS NULL
    """
)
