"""Who does a pass, and how far the sweeps have come with each team."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import DateTime, Uuid

from activities.store.database import Database
from activities.store.housekeeping.base import Step
from activities.store.reading.cursor import Cursor
from activities.store.retention import TeamRetention


@dataclass(frozen=True, slots=True)
class DueSweep:
    """What is to be looked at: sweep ``name``, of a team, from a place on."""

    name: str
    team_id: UUID
    retention: TeamRetention
    after: Cursor | None
    after_key: str | None


@dataclass(frozen=True, slots=True)
class SweepProgress:
    """``removed`` rows or blobs since ever; ``remaining``: how many things are known to be left to
    look at; ``swept_at`` is None where the sweep has never been here."""

    name: str
    removed: int
    freed_bytes: int
    remaining: int
    swept_at: datetime | None


@dataclass(frozen=True, slots=True)
class LastPass:
    """``removed`` rows and blobs, of all teams. ``ended_at`` is None while one is under way."""

    began_at: datetime | None
    ended_at: datetime | None
    duration_ms: int | None
    removed: int


async def take_lease(database: Database, holder: str, seconds: float) -> bool:
    """Whether nobody else does a pass: then nobody does for so long, unless it is given back."""
    values = {"holder": holder, "seconds": seconds}
    return bool(await database.execute(_TAKE, values))


async def give_back(database: Database, holder: str, removed: int, duration_ms: int) -> None:
    """Note the end of a pass, and let others make one."""
    values = {"holder": holder, "removed": removed, "duration_ms": duration_ms}
    await database.execute(_GIVE_BACK, values)


async def due_sweeps(
    database: Database, names: Sequence[str], *, rest_seconds: float, limit: int
) -> Sequence[DueSweep]:
    """Those with something left, or at which nobody has looked for ``rest_seconds``; the one that
    has waited longest comes first."""
    values = {"names": list(names), "rest_seconds": rest_seconds, "limit": limit}
    async with database.reading(fresh=True) as connection:
        rows = (await connection.execute(_DUE, values)).all()
    return [
        DueSweep(
            row.name,
            row.team_id,
            TeamRetention(row.retention or {}),
            None if row.place_at is None else Cursor(row.place_at, row.place_id),
            row.place_key,
        )
        for row in rows
    ]


async def save(connection: AsyncConnection, name: str, team_id: UUID, step: Step) -> None:
    """Write down what a step did, in its own transaction."""
    place = step.place
    values = {
        "name": name,
        "team_id": team_id,
        "place_at": place and place.moment,
        "place_id": place and place.id,
        "reached_at": step.reached,
        "place_key": step.place_key,
        "removed": step.removed,
        "freed_bytes": step.freed_bytes,
        "remaining": 0 if step.is_done else 1,
    }
    await connection.execute(_SAVE, values)


async def save_left(connection: AsyncConnection, name: str, team_id: UUID, left: int) -> None:
    await connection.execute(_LEFT, {"name": name, "team_id": team_id, "remaining": left})


async def add_removed(connection: AsyncConnection, name: str, team_id: UUID, step: Step) -> None:
    """Count what was removed, and nothing else."""
    values = {
        "name": name,
        "team_id": team_id,
        "removed": step.removed,
        "freed_bytes": step.freed_bytes,
    }
    await connection.execute(_ADD, values)


async def database_id(database: Database) -> UUID:
    [row] = await database.execute(_ID, {})
    found: UUID = row.database_id
    return found


async def last_pass(database: Database) -> LastPass:
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(_LAST_PASS)).one()
    return LastPass(*row)


async def progress_of(
    database: Database, team_id: UUID, names: Sequence[str]
) -> Sequence[SweepProgress]:
    """Of each sweep in the order of ``names``, how far it is with a team."""
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(_PROGRESS, {"team_id": team_id})
        found = {row.name: SweepProgress(*row) for row in rows}
    return [found.get(name) or SweepProgress(name, 0, 0, 0, None) for name in names]


async def totals(database: Database) -> Mapping[str, SweepProgress]:
    """Of each sweep, the sums over all teams; ``swept_at`` is the latest."""
    async with database.reading() as connection:
        rows = await connection.execute(_TOTALS)
        return {row.name: SweepProgress(*row) for row in rows}


async def require_whole(
    connection: AsyncConnection, task_id: UUID, names: Sequence[str]
) -> str | None:
    """The first of the sweeps ``names`` that may have taken something of a task that has ended;
    None if none has. The task's row is locked until the transaction ends: none will."""
    values: dict[str, Any] = {"id": task_id, "names": list(names)}
    await connection.execute(_LOCK_TASK, {"id": task_id})
    # Another statement: it sees what the sweep wrote for which the first one waited.
    name: str | None = await connection.scalar(_SWEPT, values)
    return name


_TEAM = bindparam("team_id", type_=Uuid())
_TASK = bindparam("id", type_=Uuid())
_NAMES = bindparam("names", type_=ARRAY(Text()))

_TAKE = text(
    """
    UPDATE housekeeping
    SET holder = :holder, held_until = now() + make_interval(secs => :seconds),
        began_at = now(), ended_at = NULL
    WHERE held_until IS NULL OR held_until < now()
    RETURNING id
    """
)
_GIVE_BACK = text(
    """
    UPDATE housekeeping
    SET held_until = NULL, ended_at = now(), duration_ms = :duration_ms, removed = :removed
    WHERE holder = :holder
    """
)
_ID = text("SELECT database_id FROM housekeeping")
_LAST_PASS = text("SELECT began_at, ended_at, duration_ms, removed FROM housekeeping")

_DUE = text(
    """
    SELECT wanted.name, teams.id AS team_id, retention, place_at, place_id, place_key
    FROM teams CROSS JOIN unnest(:names) AS wanted(name)
    LEFT JOIN sweeps ON sweeps.team_id = teams.id AND sweeps.name = wanted.name
    WHERE swept_at IS NULL OR remaining > 0
       OR swept_at < now() - make_interval(secs => :rest_seconds)
    ORDER BY swept_at NULLS FIRST, wanted.name LIMIT :limit
    """
).bindparams(_NAMES)
_SAVE = text(
    """
    INSERT INTO sweeps
        (name, team_id, place_at, place_id, reached_at, place_key, removed, freed_bytes, remaining,
         swept_at)
    VALUES (:name, :team_id, :place_at, :place_id, :reached_at, :place_key, :removed, :freed_bytes,
            :remaining, now())
    ON CONFLICT (name, team_id) DO UPDATE
        SET place_at = excluded.place_at, place_id = excluded.place_id,
            place_key = excluded.place_key,
            reached_at = greatest(sweeps.reached_at, excluded.reached_at),
            removed = sweeps.removed + excluded.removed,
            freed_bytes = sweeps.freed_bytes + excluded.freed_bytes,
            remaining = excluded.remaining, swept_at = excluded.swept_at
    """
).bindparams(
    _TEAM,
    bindparam("name", type_=Text()),
    bindparam("place_at", type_=DateTime(timezone=True)),
    bindparam("place_id", type_=Uuid()),
    bindparam("reached_at", type_=DateTime(timezone=True)),
    bindparam("place_key", type_=Text()),
)
_ADD = text(
    """
    INSERT INTO sweeps (name, team_id, removed, freed_bytes, remaining, swept_at)
    VALUES (:name, :team_id, :removed, :freed_bytes, 1, now())
    ON CONFLICT (name, team_id) DO UPDATE
        SET removed = sweeps.removed + excluded.removed,
            freed_bytes = sweeps.freed_bytes + excluded.freed_bytes
    """
).bindparams(_TEAM)
_LEFT = text(
    "UPDATE sweeps SET remaining = :remaining WHERE name = :name AND team_id = :team_id"
).bindparams(_TEAM)
_PROGRESS = text(
    """
    SELECT name, removed, freed_bytes, remaining, swept_at FROM sweeps WHERE team_id = :team_id
    """
).bindparams(_TEAM)
_TOTALS = text(
    """
    SELECT name, CAST(sum(removed) AS bigint), CAST(sum(freed_bytes) AS bigint),
           CAST(sum(remaining) AS bigint), max(swept_at)
    FROM sweeps GROUP BY name
    """
)
_LOCK_TASK = text("SELECT FROM tasks WHERE id = :id FOR UPDATE").bindparams(_TASK)
_SWEPT = text(
    """
    SELECT sweeps.name FROM tasks JOIN sweeps ON sweeps.team_id = tasks.team_id
    WHERE tasks.id = :id AND sweeps.name = ANY(:names) AND reached_at >= finished_at
    ORDER BY sweeps.name LIMIT 1
    """
).bindparams(_TASK, _NAMES)
