"""Writing schedules: as people want them, and what Temporal knows of that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store import audit
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.input_holding import require_inputs
from activities.store.reading.schedules import BRIEF, WHOLE, StoredSchedule, stored
from activities.store.tables import Schedule
from activities.store.team_lock import lock_team
from workflows.schedule_contracts import Overlap

# More wait nowhere: Temporal keeps one beside the one that runs, or starts all at once.
_ASKED_REMEMBERED = 100

_IS_THERE = col(Schedule.deleted_at).is_(None)


class Written(Enum):
    """What became of a change."""

    DONE = auto()
    NAME_TAKEN = auto()
    TOO_MANY = auto()
    GONE = auto()


@dataclass(frozen=True, slots=True)
class NewSchedule:
    id: UUID
    name: str
    cron: str | None
    every_seconds: float | None
    time_zone: str
    task: Mapping[str, JsonValue]
    overlap: Overlap
    catch_up_seconds: float
    is_paused: bool
    note: str


@dataclass(frozen=True, slots=True)
class AskedRun:
    """A run goes by the whole second ``at`` which it is due, and has to ``wait`` until then."""

    at: datetime
    wait: timedelta


async def create_schedule(
    database: Database, actor: Actor, new: NewSchedule, *, most: int
) -> Written:
    """Write a schedule down, unless the team has ``most`` already, or one of this name.

    Raises:
        InputsGone
    """
    async with database.writing() as connection:
        await require_inputs(connection, actor.team_id, _inputs_of(new.task))
        await lock_team(connection, actor.team_id)
        if await _has_name(connection, actor.team_id, new.name):
            return Written.NAME_TAKEN
        if await _count(connection, actor.team_id) >= most:
            return Written.TOO_MANY
        await connection.execute(
            insert(Schedule).values(
                id=new.id,
                team_id=actor.team_id,
                name=new.name,
                cron=new.cron,
                every_seconds=new.every_seconds,
                time_zone=new.time_zone,
                task=dict(new.task),
                overlap=new.overlap,
                catch_up_seconds=new.catch_up_seconds,
                note=new.note,
                paused_at=func.now() if new.is_paused else None,
                asked=[],
                version=1,
                synced_version=0,
            )
        )
        await audit.note(connection, actor, Deed("schedule.created", str(new.id), new.note))
    return Written.DONE


async def change_schedule(
    database: Database,
    actor: Actor,
    schedule_id: UUID,
    values: Mapping[str, Any],
    deed: Deed,
    *,
    paused: bool | None = None,
) -> Written:
    """Give columns of a schedule new values, and pause or resume it unless ``paused`` is None.
    Temporal is to be told of it then.

    Raises:
        InputsGone
    """
    if paused is not None:
        since = func.coalesce(col(Schedule.paused_at), func.now())
        values = {**values, "paused_at": since if paused else None}
    async with database.writing() as connection:
        await require_inputs(connection, actor.team_id, _inputs_of(values.get("task") or {}))
        await lock_team(connection, actor.team_id)
        if "name" in values and await _has_name(
            connection, actor.team_id, values["name"], besides=schedule_id
        ):
            return Written.NAME_TAKEN
        changed = await connection.scalar(
            update(Schedule)
            .where(col(Schedule.id) == schedule_id, col(Schedule.team_id) == actor.team_id)
            .where(_IS_THERE)
            .values(
                **values,
                version=col(Schedule.version) + 1,
                updated_at=func.now(),
                tried_at=func.now(),
            )
            .returning(col(Schedule.id))
        )
        if changed is None:
            return Written.GONE
        await audit.note(connection, actor, deed)
    return Written.DONE


async def delete_schedule(database: Database, actor: Actor, schedule_id: UUID) -> Written:
    """From now on it makes no task. Its row stays until Temporal has been told."""
    deed = Deed("schedule.deleted", str(schedule_id))
    return await change_schedule(database, actor, schedule_id, {"deleted_at": func.now()}, deed)


async def ask_run(
    database: Database, team_id: UUID, schedule_id: UUID, *, longest_wait: timedelta
) -> AskedRun | Written:
    """Note a run that a person asks for, at a time that no other has that was asked for. ``GONE``
    when there is no such schedule, ``TOO_MANY`` when it would have to wait longer than that."""
    wanted = select(col(Schedule.asked), func.now()).where(
        col(Schedule.id) == schedule_id, col(Schedule.team_id) == team_id, _IS_THERE
    )
    async with database.writing() as connection:
        row = (await connection.execute(wanted.with_for_update())).one_or_none()
        if row is None:
            return Written.GONE
        asked, now = row[0], row[1].astimezone(UTC)
        at = now.replace(microsecond=0)
        if asked:
            at = max(at, datetime.fromisoformat(asked[-1]) + timedelta(seconds=1))
        wait = max(at - now, timedelta())
        if wait > longest_wait:
            return Written.TOO_MANY
        await connection.execute(
            update(Schedule)
            .where(col(Schedule.id) == schedule_id)
            .values(asked=[*asked, at.isoformat()][-_ASKED_REMEMBERED:])
        )
    return AskedRun(at, wait)


async def find_due(database: Database, schedule_id: UUID, at: datetime) -> StoredSchedule | None:
    """The schedule of a run that was due ``at`` a time. None when it is to make no task: the
    schedule is gone, or was paused before that, and no person has asked for this run."""
    wanted = col(Schedule.id) == schedule_id, _IS_THERE
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(select(*WHOLE).where(*wanted))).one_or_none()
        asked = await connection.scalar(select(col(Schedule.asked)).where(*wanted)) or ()
    if row is None:
        return None
    schedule = stored(row)
    is_asked = at.astimezone(UTC).isoformat() in asked
    if schedule.paused_at is not None and schedule.paused_at < at and not is_asked:
        return None
    return schedule


async def claim_unsynced(
    database: Database, *, lease: timedelta, look_again: timedelta, limit: int
) -> Sequence[StoredSchedule]:
    """Schedules that Temporal has to be told of, or was not asked about for so long. Nobody else
    gets them while the lease lasts."""
    now = func.now()
    due = (
        select(col(Schedule.id))
        .where(col(Schedule.tried_at) < now - lease)
        .where(
            or_(
                col(Schedule.version) > col(Schedule.synced_version),
                col(Schedule.tried_at) < now - look_again,
            )
        )
        .order_by(col(Schedule.tried_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claim = update(Schedule).where(col(Schedule.id).in_(due)).values(tried_at=now)
    async with database.at_once() as connection:
        return [stored(row) for row in await connection.execute(claim.returning(*BRIEF))]


async def note_synced(database: Database, schedule_id: UUID, version: int) -> None:
    """Temporal has this version of a schedule, or a later one."""
    async with database.writing() as connection:
        await connection.execute(
            update(Schedule)
            .where(col(Schedule.id) == schedule_id)
            .values(
                synced_version=func.greatest(col(Schedule.synced_version), version),
                seen_at=func.now(),
                tried_at=func.now(),
            )
        )


async def forget_schedule(database: Database, schedule_id: UUID) -> None:
    """Temporal has no such schedule any more, and nobody wants it."""
    async with database.writing() as connection:
        await connection.execute(
            delete(Schedule).where(
                col(Schedule.id) == schedule_id, col(Schedule.deleted_at).is_not(None)
            )
        )


def _inputs_of(task: Mapping[str, Any]) -> Mapping[str, str]:
    inputs: Mapping[str, str] = task.get("inputs", {})
    return inputs


async def _has_name(
    connection: AsyncConnection, team_id: UUID, name: str, besides: UUID | None = None
) -> bool:
    taken = select(col(Schedule.id)).where(
        col(Schedule.team_id) == team_id, col(Schedule.name) == name, _IS_THERE
    )
    return await connection.scalar(taken) not in (None, besides)


async def _count(connection: AsyncConnection, team_id: UUID) -> int:
    own = select(func.count()).where(col(Schedule.team_id) == team_id, _IS_THERE)
    return await connection.scalar(own) or 0
