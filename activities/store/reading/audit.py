"""The log of who did what, as it is listed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import ColumnElement, or_, select
from sqlmodel import col

from activities.store.database import Database
from activities.store.reading.cursor import Cursor, cut
from activities.store.tables import AuditEntry


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """An ``actor`` is named in full or, if it is a key, by the key's name alone. An action may be
    the noun before its dot, ``task``, for all that is done to such. ``target`` is the beginning of
    an id or a name, ``text`` something in the note, whatever the case."""

    actor: str | None = None
    actions: Sequence[str] = ()
    target: str | None = None
    text: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredEntry:
    id: UUID
    actor: str
    action: str
    target: str
    note: str
    details: Mapping[str, JsonValue]
    created_at: datetime


async def list_entries(
    database: Database, team_id: UUID, wanted: AuditFilter, cursor: Cursor | None, limit: int
) -> tuple[Sequence[StoredEntry], Cursor | None]:
    """A page of entries, the newest first, and the place of its last one if there are more."""
    created_at, key = col(AuditEntry.created_at), col(AuditEntry.id)
    query = select(
        key,
        col(AuditEntry.actor),
        col(AuditEntry.action),
        col(AuditEntry.target),
        col(AuditEntry.note),
        col(AuditEntry.details),
        created_at,
    ).where(col(AuditEntry.team_id) == team_id, *_conditions(wanted))
    if cursor is not None:
        query = query.where(cursor.before(created_at, key))
    query = query.order_by(created_at.desc(), key.desc()).limit(limit + 1)
    async with database.reading() as connection:
        found = [StoredEntry(*row) for row in await connection.execute(query)]
    return cut(found, limit, lambda entry: Cursor(entry.created_at, entry.id))


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    made: list[ColumnElement[bool]] = []
    if wanted.actor is not None:
        made.append(_names(wanted.actor))
    if wanted.actions:
        made.append(or_(*map(_is_action, wanted.actions)))
    if wanted.target:
        made.append(col(AuditEntry.target).startswith(wanted.target, autoescape=True))
    if wanted.text:
        made.append(col(AuditEntry.note).icontains(wanted.text, autoescape=True))
    if wanted.created_after is not None:
        made.append(col(AuditEntry.created_at) > wanted.created_after)
    if wanted.created_before is not None:
        made.append(col(AuditEntry.created_at) < wanted.created_before)
    return made


def _names(actor: str) -> ColumnElement[bool]:
    """A key is called ``laptop (ak_12ab...)``: see ``actor_of_key``."""
    name = col(AuditEntry.actor)
    return or_(name == actor, name.startswith(f"{actor} (ak_", autoescape=True))


def _is_action(text: str) -> ColumnElement[bool]:
    action = col(AuditEntry.action)
    return or_(action == text, action.startswith(f"{text}.", autoescape=True))
