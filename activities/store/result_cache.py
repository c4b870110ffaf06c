"""Results of steps, kept for equal ones. Each function is one transaction, and safe to repeat."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from activities.store import audit
from activities.store.attempts import StoredFile
from activities.store.audit import Actor, Deed
from activities.store.database import Database, Row
from activities.store.events import as_json
from activities.store.reading.cursor import Cursor, cut
from activities.store.result_statements import (
    CLAIM,
    CLEAR,
    DROP,
    KEEP,
    RELEASE,
    RENEW,
)
from activities.store.tables import KeptResult

CLEARED_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A result that may be there: ``key`` is a SHA-256 over all that it depends on, and it may be
    as old as ``lifetime``. ``owner`` is who would make it; the rest is for people."""

    team_id: UUID
    key: str
    owner: UUID
    lifetime: timedelta
    kind: str
    name: str
    step: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a step gave. Its files are in the store under their SHA-256, unless they are gone."""

    exit_code: int | None
    stdout: str
    stderr: str
    files: tuple[StoredFile, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """The ``result`` that was made at ``made_at``; or None: whoever asked is to make it."""

    id: UUID
    made_at: datetime | None
    result: Result | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A result as people see it. ``kind`` is skill, code or tool; ``step`` is the id of the step
    that made it."""

    id: UUID
    kind: str
    name: str
    step: str
    files: int
    size: int
    made_at: datetime
    expires_at: datetime
    hits: int
    last_hit_at: datetime | None


@dataclass(frozen=True, slots=True)
class Clearing:
    """What to clear: all of the team, or what a step of that id, a skill or a tool has made."""

    step: str | None = None
    skill: str | None = None
    tool: str | None = None


async def claim(database: Database, wanted: Wanted, claim_seconds: float) -> Found | None:
    """Take a result, or else the right to make it, for ``claim_seconds``. None: another makes it.

    A result that is taken counts as a hit.
    """
    values = {**_place(wanted), **_seconds(wanted, claim_seconds)}
    rows = await database.execute(
        CLAIM, {**values, "kind": wanted.kind, "name": wanted.name, "step": wanted.step}
    )
    if not rows:
        return None
    [row] = rows
    return Found(row.id, row.made_at, _result(row) if row.is_fresh else None)


async def renew(database: Database, wanted: Wanted, claim_seconds: float) -> None:
    """Keep the right to make a result."""
    await database.execute(RENEW, {**_place(wanted), "claim_seconds": claim_seconds})


async def keep(database: Database, wanted: Wanted, result: Result) -> None:
    """Write down a result, unless the right to make it was lost meanwhile."""
    values = {
        **_place(wanted),
        "lifetime_seconds": wanted.lifetime.total_seconds(),
        "step": wanted.step,
        "files": as_json([asdict(file) for file in result.files]),
        "refused": as_json(list(result.refused)),
        "stdout": result.stdout,
        "stderr": result.stderr,
        "exit_code": result.exit_code,
    }
    await database.execute(KEEP, values)


async def release(database: Database, wanted: Wanted) -> None:
    """Give up the right to make a result: the next one who wants it makes it."""
    await database.execute(RELEASE, _place(wanted))


async def drop(database: Database, found: Found) -> None:
    """Remove a result that cannot be used, unless it was made anew since."""
    await database.execute(DROP, {"id": found.id, "made_at": found.made_at})


async def clear(database: Database, actor: Actor, clearing: Clearing) -> int:
    """Remove the results of a team that somebody names, and what is being made of them, in parts.
    Gives how many results there were, which the last part writes down."""
    cleared = 0
    values = {"team_id": actor.team_id, "limit": CLEARED_AT_ONCE, **asdict(clearing)}
    while True:
        async with database.writing() as connection:
            rows, results = (await connection.execute(CLEAR, values)).one()
            cleared += int(results)
            if rows < CLEARED_AT_ONCE:
                await audit.note(connection, actor, _deed(clearing, cleared))
                return cleared


async def list_results(
    database: Database, team_id: UUID, cursor: Cursor | None, limit: int
) -> tuple[Sequence[Entry], Cursor | None]:
    """A page of the results that a team has, the newest first."""
    place = (col(KeptResult.made_at), col(KeptResult.id))
    query = (
        select(
            col(KeptResult.id),
            col(KeptResult.kind),
            col(KeptResult.name),
            col(KeptResult.step),
            col(KeptResult.files),
            col(KeptResult.made_at),
            col(KeptResult.expires_at),
            col(KeptResult.hits),
            col(KeptResult.last_hit_at),
        )
        .where(
            col(KeptResult.team_id) == team_id,
            col(KeptResult.made_at).is_not(None),
            col(KeptResult.expires_at) > func.now(),
        )
        .order_by(*(column.desc() for column in place))
        .limit(limit + 1)
    )
    if cursor is not None:
        query = query.where(cursor.before(*place))
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    entries = [
        Entry(
            id=row.id,
            kind=row.kind,
            name=row.name,
            step=row.step,
            files=len(row.files),
            size=sum(file["size"] for file in row.files),
            made_at=row.made_at,
            expires_at=row.expires_at,
            hits=row.hits,
            last_hit_at=row.last_hit_at,
        )
        for row in rows
    ]
    return cut(entries, limit, lambda entry: Cursor(entry.made_at, entry.id))


def _place(wanted: Wanted) -> dict[str, Any]:
    return {"team_id": wanted.team_id, "key": wanted.key, "owner": wanted.owner}


def _seconds(wanted: Wanted, claim_seconds: float) -> dict[str, float]:
    return {
        "claim_seconds": claim_seconds,
        "lifetime_seconds": wanted.lifetime.total_seconds(),
    }


def _result(row: Row) -> Result:
    return Result(
        exit_code=row.exit_code,
        stdout=row.stdout,
        stderr=row.stderr,
        files=tuple(StoredFile(**file) for file in row.files),
        refused=tuple(row.refused),
    )


def _deed(clearing: Clearing, cleared: int) -> Deed:
    named = {name: value for name, value in asdict(clearing).items() if value is not None}
    target = ", ".join(f"{name} {value}" for name, value in named.items()) or "all"
    return Deed("cache.cleared", target, details={**named, "results": cleared})
