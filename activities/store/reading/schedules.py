"""Schedules, and the tasks that they have made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Row, select, text
from sqlmodel import col

from activities.store.database import Database
from activities.store.reading.cursor import Cursor, cut
from activities.store.tables import Schedule
from workflows.contracts import Failure
from workflows.schedule_contracts import Overlap
from workflows.states import Status


@dataclass(frozen=True, slots=True)
class StoredSchedule:
    """There is one of ``cron`` and ``every_seconds``. ``task`` is what is asked for, which may be
    large, and None where it is not needed; ``priority`` is that of the task, where it names one.
    Temporal was last known to have the schedule at ``seen_at``."""

    id: UUID
    team_id: UUID
    name: str
    cron: str | None
    every_seconds: float | None
    time_zone: str
    priority: int | None
    overlap: Overlap
    catch_up_seconds: float
    note: str
    paused_at: datetime | None
    version: int
    synced_version: int
    seen_at: datetime
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    task: Mapping[str, JsonValue] | None = None

    @property
    def is_synced(self) -> bool:
        return self.synced_version >= self.version


@dataclass(frozen=True, slots=True)
class StoredRun:
    """The task of a run of a schedule, which was due at ``scheduled_at``."""

    schedule_id: UUID
    task_id: UUID
    scheduled_at: datetime | None
    status: Status
    error: Failure | None
    created_at: datetime
    finished_at: datetime | None


# All but the task.
BRIEF = (
    col(Schedule.id),
    col(Schedule.team_id),
    col(Schedule.name),
    col(Schedule.cron),
    col(Schedule.every_seconds),
    col(Schedule.time_zone),
    col(Schedule.task)["priority"].as_integer(),
    col(Schedule.overlap),
    col(Schedule.catch_up_seconds),
    col(Schedule.note),
    col(Schedule.paused_at),
    col(Schedule.version),
    col(Schedule.synced_version),
    col(Schedule.seen_at),
    col(Schedule.created_at),
    col(Schedule.updated_at),
    col(Schedule.deleted_at),
)
WHOLE = (*BRIEF, col(Schedule.task))


def stored(row: Row[*tuple[Any, ...]]) -> StoredSchedule:
    """A row of ``BRIEF`` or ``WHOLE``."""
    return StoredSchedule(*row)


async def find_schedule(
    database: Database, team_id: UUID, schedule_id: UUID
) -> StoredSchedule | None:
    """A schedule to act on, read from the primary."""
    return await _find(
        database,
        col(Schedule.id) == schedule_id,
        col(Schedule.team_id) == team_id,
        col(Schedule.deleted_at).is_(None),
    )


async def find_schedule_of_any_team(database: Database, schedule_id: UUID) -> StoredSchedule | None:
    """As ``find_schedule``, also one that was deleted: not for what a client asks."""
    return await _find(database, col(Schedule.id) == schedule_id)


async def _find(database: Database, *conditions: ColumnElement[bool]) -> StoredSchedule | None:
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(select(*WHOLE).where(*conditions))).one_or_none()
    return None if row is None else stored(row)


async def list_schedules(
    database: Database, team_id: UUID, name: str | None, cursor: Cursor | None, limit: int
) -> tuple[Sequence[StoredSchedule], Cursor | None]:
    """A page of schedules, the newest first, and the place of its last one if there are more."""
    query = select(*BRIEF).where(
        col(Schedule.team_id) == team_id, col(Schedule.deleted_at).is_(None)
    )
    if name is not None:
        query = query.where(col(Schedule.name) == name)
    if cursor is not None:
        query = query.where(cursor.before(col(Schedule.created_at), col(Schedule.id)))
    query = query.order_by(col(Schedule.created_at).desc(), col(Schedule.id).desc())
    async with database.reading() as connection:
        found = (await connection.execute(query.limit(limit + 1))).all()
    rows, following = cut(found, limit, lambda row: Cursor(row.created_at, row.id))
    return [stored(row) for row in rows], following


# Of each schedule by itself: one that runs every minute must not hide those that run once a day.
_LAST_RUNS = text(
    """
    SELECT run.* FROM unnest(CAST(:schedule_ids AS uuid[])) AS schedule (id)
    CROSS JOIN LATERAL (
        SELECT tasks.schedule_id, tasks.id AS task_id, tasks.scheduled_at, tasks.status,
               tasks.error, tasks.created_at, tasks.finished_at
        FROM tasks
        WHERE tasks.schedule_id = schedule.id AND tasks.team_id = :team_id
        ORDER BY tasks.created_at DESC
        LIMIT :most
    ) AS run
    ORDER BY run.created_at DESC
    """
)


async def last_runs(
    database: Database, team_id: UUID, schedule_ids: Sequence[UUID], most: int
) -> Mapping[UUID, Sequence[StoredRun]]:
    """The latest runs of each schedule, the last one first."""
    found: dict[UUID, list[StoredRun]] = {schedule_id: [] for schedule_id in schedule_ids}
    values = {"schedule_ids": list(schedule_ids), "team_id": team_id, "most": most}
    async with database.reading() as connection:
        for row in await connection.execute(_LAST_RUNS, values):
            found[row.schedule_id].append(_run(row))
    return found


def _run(row: Row[*tuple[Any, ...]]) -> StoredRun:
    return StoredRun(
        schedule_id=row.schedule_id,
        task_id=row.task_id,
        scheduled_at=row.scheduled_at,
        status=Status(row.status),
        error=row.error and Failure.model_validate(row.error),
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
