"""Breakers that people open and close, and what is told of breakers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from activities.store import audit
from activities.store.audit import Actor, Deed
from activities.store.breakers import COLUMNS, MAX_PER_TEAM, TELL, StoredBreaker, stored
from activities.store.database import Database
from activities.store.team_lock import lock_team
from workflows.states import BreakerState

# One that is closed is listed for so long after it opened.
_LISTED = "interval '1 day'"
_MAX_COUNTED = 1_000

# Those that have been closed for long make room. One that exists may be decided on in any case.
_MAKE_ROOM = text(
    """
    DELETE FROM breakers
    WHERE team_id = :team_id AND state = 'closed' AND changed_at < now() - interval '7 days'
    """
)
_DECIDE = text(
    f"""
    INSERT INTO breakers (team_id, name, state, opened_at, until, times, opened, failures, calls,
                          reason, decided_by, note)
    SELECT :team_id, :name, :state, CASE WHEN :opens THEN now() END,
           now() + make_interval(secs => CAST(:seconds AS float)), CAST(:opens AS int),
           CAST(:opens AS int), 0, 0, :reason, :decided_by, :note
    WHERE EXISTS (SELECT FROM breakers WHERE team_id = :team_id AND name = :name)
          OR (SELECT count(*) FROM breakers WHERE team_id = :team_id) < {MAX_PER_TEAM}
    ON CONFLICT (team_id, name) DO UPDATE
        SET state = excluded.state, until = excluded.until, prober = NULL,
            opened_at = coalesce(excluded.opened_at, breakers.opened_at),
            times = excluded.times, opened = breakers.opened + excluded.opened,
            reason = excluded.reason, decided_by = excluded.decided_by, note = excluded.note,
            changed_at = now()
    RETURNING {COLUMNS}, {TELL} AS told
    """
)

_LIST = text(
    f"""
    SELECT {COLUMNS} FROM breakers
    WHERE team_id = :team_id AND name COLLATE "C" > :after
          AND (state <> 'closed' OR until > now() OR opened_at > now() - {_LISTED})
    ORDER BY name COLLATE "C" LIMIT :limit
    """
)

_COUNT = text(
    f"""
    SELECT name, sum(opened) AS opened, count(*) FILTER (WHERE state = 'open') AS is_open,
           count(*) FILTER (WHERE state = 'half_open') AS is_half_open
    FROM breakers GROUP BY name ORDER BY max(changed_at) DESC LIMIT {_MAX_COUNTED}
    """
)


_OPEN = text(
    f"""
    SELECT team_id, name FROM breakers WHERE state <> 'closed'
    ORDER BY changed_at DESC LIMIT {_MAX_COUNTED}
    """
)


@dataclass(frozen=True, slots=True)
class BreakerCount:
    """Of the breakers of this name: for how many teams they are open, and how often they opened."""

    name: str
    opened: int
    open: int
    half_open: int


async def decide(
    database: Database,
    actor: Actor,
    name: str,
    state: BreakerState,
    *,
    seconds: float | None,
    note: str,
) -> StoredBreaker | None:
    """Open or close the breaker of the actor's team by hand, and write that down.

    One that is opened is tried after ``seconds``, one that is closed does not open before. None: an
    open one stays so until somebody closes it, a closed one counts from now on. Returns None where
    the team has as many breakers as are allowed.
    """
    opens = state is BreakerState.OPEN
    values = {
        "team_id": actor.team_id,
        "name": name,
        "state": state.value,
        "opens": opens,
        "seconds": seconds,
        "reason": "opened by hand" if opens else "closed by hand",
        "decided_by": actor.name,
        "note": note,
    }
    deed = Deed(f"breaker.{'opened' if opens else 'closed'}", name, note, {"seconds": seconds})
    async with database.writing() as connection:
        await lock_team(connection, actor.team_id)
        await connection.execute(_MAKE_ROOM, {"team_id": actor.team_id})
        row = (await connection.execute(_DECIDE, values)).one_or_none()
        if row is None:
            return None
        await audit.note(connection, actor, deed)
    return stored(row)


async def list_breakers(
    database: Database, actor: Actor, *, after: str, limit: int
) -> Sequence[StoredBreaker]:
    """Those of a team, by name: what is not closed, and what opened in the last day."""
    values = {"team_id": actor.team_id, "after": after, "limit": limit}
    return [stored(row) for row in await database.execute(_LIST, values)]


async def count_breakers(database: Database) -> Sequence[BreakerCount]:
    """Of all teams, those that changed last."""
    return [
        BreakerCount(row.name, int(row.opened), row.is_open, row.is_half_open)
        for row in await database.execute(_COUNT, {})
    ]


async def open_breakers(database: Database) -> Mapping[UUID, Sequence[str]]:
    """The names of those that are not closed, by team."""
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    for row in await database.execute(_OPEN, {}):
        found[row.team_id].append(row.name)
    return found
