"""Bulk runs: one, a page of them, and how far they are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Row, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store.database import Database
from activities.store.reading.cursor import Cursor, cut
from activities.store.tables import BulkItem, BulkRun
from workflows.states import BulkAction, BulkState, ItemState

# Of the reasons why letters were skipped, so many are told, the most common first.
MAX_REASONS = 20


@dataclass(frozen=True, slots=True)
class Counts:
    """How many letters or tasks of a run are in which state; ``failed_alike`` of those that
    ``failed`` did so with the fingerprint that they had."""

    left: int = 0
    running: int = 0
    completed: int = 0
    failed: int = 0
    failed_alike: int = 0
    cancelled: int = 0
    discarded: int = 0
    done: int = 0
    skipped: int = 0

    @property
    def requeued(self) -> int:
        return self.running + self.completed + self.failed + self.cancelled

    @property
    def total(self) -> int:
        return self.left + self.requeued + self.discarded + self.done + self.skipped


@dataclass(frozen=True, slots=True)
class SkipReason:
    """Why ``count`` letters were skipped; ``example`` is what was said of one of them."""

    code: str
    count: int
    example: str


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A bulk run. ``filter`` is what was asked for, None for all."""

    id: UUID
    action: BulkAction
    state: BulkState
    reason: str
    actor: str
    note: str
    filter: Mapping[str, JsonValue] | None
    canary: int
    rate: int
    created_at: datetime
    ended_at: datetime | None
    counts: Counts = Counts()
    skipped: Sequence[SkipReason] = field(default=())


async def find_run(database: Database, team_id: UUID, bulk_id: UUID) -> StoredRun | None:
    """A run as the primary has it, with why letters were skipped."""
    query = select(*_RUN).where(col(BulkRun.id) == bulk_id, col(BulkRun.team_id) == team_id)
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        counts = await _counts(connection, [bulk_id])
        return _run(row, counts.get(bulk_id, Counts()), await _reasons(connection, bulk_id))


async def list_runs(
    database: Database, team_id: UUID, cursor: Cursor | None, limit: int
) -> tuple[Sequence[StoredRun], Cursor | None]:
    """A page, the newest first, and the place of its last one if there are more."""
    created_at, key = col(BulkRun.created_at), col(BulkRun.id)
    query = select(*_RUN).where(col(BulkRun.team_id) == team_id)
    if cursor is not None:
        query = query.where(cursor.before(created_at, key))
    query = query.order_by(created_at.desc(), key.desc()).limit(limit + 1)
    async with database.reading() as connection:
        found = (await connection.execute(query)).all()
        rows, following = cut(found, limit, lambda row: Cursor(row.created_at, row.id))
        counts = await _counts(connection, [row.id for row in rows])
    return [_run(row, counts.get(row.id, Counts())) for row in rows], following


async def count_items(database: Database, bulk_id: UUID) -> Counts:
    """How far a run is, as the primary has it, but for what completed without a task: that does
    not say how the tasks fare."""
    ran = or_(col(BulkItem.state) != ItemState.COMPLETED, col(BulkItem.code).is_(None))
    async with database.reading(fresh=True) as connection:
        return (await _counts(connection, [bulk_id], ran)).get(bulk_id, Counts())


async def _counts(
    connection: AsyncConnection, bulk_ids: Collection[UUID], *where: ColumnElement[bool]
) -> Mapping[UUID, Counts]:
    query = (
        select(
            col(BulkItem.bulk_id),
            col(BulkItem.state),
            func.count().label("count"),
            func.count().filter(col(BulkItem.is_alike).is_(True)).label("alike"),
        )
        .where(col(BulkItem.bulk_id).in_(bulk_ids), *where)
        .group_by(col(BulkItem.bulk_id), col(BulkItem.state))
    )
    found: dict[UUID, dict[str, int]] = {}
    for bulk_id, state, count, alike in await connection.execute(query):
        of_run = found.setdefault(bulk_id, {})
        of_run[_NAMES.get(state, state.value)] = count
        if state is ItemState.FAILED:
            of_run["failed_alike"] = alike
    return {bulk_id: Counts(**of_run) for bulk_id, of_run in found.items()}


async def _reasons(connection: AsyncConnection, bulk_id: UUID) -> Sequence[SkipReason]:
    count = func.count()
    query = (
        select(col(BulkItem.code), count, func.min(col(BulkItem.reason)))
        .where(col(BulkItem.bulk_id) == bulk_id, col(BulkItem.state) == ItemState.SKIPPED)
        .group_by(col(BulkItem.code))
        .order_by(count.desc(), col(BulkItem.code))
        .limit(MAX_REASONS)
    )
    rows = await connection.execute(query)
    return [SkipReason(code or "", number, said or "") for code, number, said in rows]


_NAMES = {ItemState.OPEN: "left", ItemState.REQUEUED: "running"}

_RUN = (
    col(BulkRun.id),
    col(BulkRun.action),
    col(BulkRun.state),
    col(BulkRun.reason),
    col(BulkRun.actor),
    col(BulkRun.note),
    col(BulkRun.filter),
    col(BulkRun.canary),
    col(BulkRun.rate),
    col(BulkRun.created_at),
    col(BulkRun.ended_at),
)


def _run(
    row: Row[*tuple[Any, ...]], counts: Counts, skipped: Sequence[SkipReason] = ()
) -> StoredRun:
    return StoredRun(
        id=row.id,
        action=row.action,
        state=row.state,
        reason=row.reason,
        actor=row.actor,
        note=row.note,
        filter=row.filter,
        canary=row.canary,
        rate=row.rate,
        created_at=row.created_at,
        ended_at=row.ended_at,
        counts=counts,
        skipped=skipped,
    )
