"""Changes of state of breakers, each one statement, and told to all who listen.

The clock is PostgreSQL's: a state comes with the seconds that are left of it. A statement changes
nothing, and returns nothing, where the breaker is not any more what its caller takes it for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import TextClause, text

from activities.store.columns import member_of
from activities.store.database import Database, Row
from workflows.states import BreakerState

CHANNEL = "agentos_breakers"

# Of all teams, for a worker; a closed breaker is not read.
MAX_READ = 10_000
MAX_PER_TEAM = 1_000

_LONGEST_REASON_CHARACTERS = 500

COLUMNS = """
    breakers.team_id, breakers.name, breakers.state, breakers.opened_at, breakers.until,
    breakers.failures, breakers.calls, breakers.opened, breakers.reason, breakers.decided_by,
    breakers.note, CAST(extract(epoch FROM breakers.until - now()) AS float) AS seconds
"""
TELL = f"pg_notify('{CHANNEL}', '')"

# After so long without a failure, the time that it is open begins anew.
_TIMES = """
    CASE WHEN breakers.changed_at < now() - make_interval(secs => CAST(:longest_seconds AS float))
         THEN 1 ELSE least(breakers.times + 1, 30) END
"""


def _open_until(times: str) -> str:
    """The end of the time for which one is open that opens the so-manieth time in a row."""
    grown = f"CAST(:open_seconds AS float) * power(2, {times} - 1)"
    seconds = f"least(CAST(:longest_seconds AS float), {grown}) * CAST(:jitter AS float)"
    return f"now() + make_interval(secs => {seconds})"


def _change(sets: str, where: str) -> TextClause:
    return text(
        f"""
        UPDATE breakers SET {sets}, changed_at = now()
        WHERE team_id = :team_id AND name = :name AND {where}
        RETURNING {COLUMNS}, {TELL} AS told
        """
    )


_TRIP = text(
    f"""
    INSERT INTO breakers (team_id, name, state, opened_at, until, times, opened, failures, calls,
                          reason, note)
    VALUES (:team_id, :name, 'open', now(), {_open_until("1")}, 1, 1, :failures, :calls, :reason,
            '')
    ON CONFLICT (team_id, name) DO UPDATE
        SET state = 'open', opened_at = now(), times = {_TIMES}, until = {_open_until(_TIMES)},
            opened = breakers.opened + 1, failures = excluded.failures, calls = excluded.calls,
            reason = excluded.reason, prober = NULL, decided_by = NULL, note = '',
            changed_at = now()
        WHERE breakers.state = 'closed' AND (breakers.until IS NULL OR breakers.until < now())
              AND breakers.changed_at <= now() - make_interval(secs => CAST(:age_seconds AS float))
    RETURNING {COLUMNS}, {TELL} AS told
    """
)
_LEASED = "now() + make_interval(secs => CAST(:lease_seconds AS float))"
_ELECT = _change(
    f"state = 'half_open', prober = :prober, until = {_LEASED}",
    "state IN ('open', 'half_open') AND until < now()",
)
_IS_PROBED = "state = 'half_open' AND prober = :prober"
# Nobody needs to hear of it: whoever asks too early is told by the election.
_RENEW = text(
    f"""
    UPDATE breakers SET until = {_LEASED}
    WHERE team_id = :team_id AND name = :name AND {_IS_PROBED}
    RETURNING name
    """
)
_CLOSE = _change("state = 'closed', prober = NULL, until = NULL", _IS_PROBED)
_REOPEN = _change(
    "state = 'open', prober = NULL, times = least(times + 1, 30), reason = :reason, "
    f"until = {_open_until('least(times + 1, 30)')}",
    _IS_PROBED,
)
_RELEASE = _change("state = 'open', prober = NULL, until = now()", _IS_PROBED)

_READ = text(
    f"""
    SELECT {COLUMNS} FROM breakers
    WHERE state <> 'closed' OR until > now() ORDER BY changed_at DESC LIMIT {MAX_READ}
    """
)
_FIND = text(f"SELECT {COLUMNS} FROM breakers WHERE team_id = :team_id AND name = :name")


class BreakerKey(NamedTuple):
    """A breaker is its team's alone: nobody opens or closes that of another."""

    team_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class StoredBreaker:
    """``seconds`` are left until ``until``; none are if that is over."""

    team_id: UUID
    name: str
    state: BreakerState
    opened_at: datetime | None
    until: datetime | None
    failures: int
    calls: int
    opened: int
    reason: str
    decided_by: str | None
    note: str
    seconds: float | None

    @property
    def key(self) -> BreakerKey:
        return BreakerKey(self.team_id, self.name)


@dataclass(frozen=True, slots=True)
class Growth:
    """How long one is open that opens now. ``jitter`` is a factor: what opened at the same time is
    not to be tried at the same time."""

    open_seconds: float
    longest_seconds: float
    jitter: float


@dataclass(frozen=True, slots=True)
class Opening:
    """Why one opens: so many of ``calls`` failed, the oldest of which ended ``age_seconds`` ago."""

    failures: int
    calls: int
    reason: str
    age_seconds: float


async def trip(
    database: Database, key: BreakerKey, opening: Opening, growth: Growth
) -> StoredBreaker | None:
    """Open a closed one. None where it is open, was changed since the calls were counted, or is
    kept closed."""
    values = {
        **key._asdict(),
        **_growth(growth),
        "failures": opening.failures,
        "calls": opening.calls,
        "reason": opening.reason[:_LONGEST_REASON_CHARACTERS],
        "age_seconds": opening.age_seconds,
    }
    return _one(await database.execute(_TRIP, values))


async def elect(
    database: Database, key: BreakerKey, prober: str, lease_seconds: float
) -> StoredBreaker | None:
    """Let one call try an open breaker whose time is over, or whose last try is lost. None where
    another does, or where there is nothing to try."""
    values = {**key._asdict(), "prober": prober, "lease_seconds": lease_seconds}
    return _one(await database.execute(_ELECT, values))


async def renew(database: Database, key: BreakerKey, prober: str, lease_seconds: float) -> bool:
    """Whether the call still is the one that tries."""
    values = {**key._asdict(), "prober": prober, "lease_seconds": lease_seconds}
    return bool(await database.execute(_RENEW, values))


async def close(database: Database, key: BreakerKey, prober: str) -> StoredBreaker | None:
    """The call that tried went well."""
    return _one(await database.execute(_CLOSE, {**key._asdict(), "prober": prober}))


async def reopen(
    database: Database, key: BreakerKey, prober: str, reason: str, growth: Growth
) -> StoredBreaker | None:
    """The call that tried has failed: it is open for longer."""
    values = {
        **key._asdict(),
        **_growth(growth),
        "prober": prober,
        "reason": reason[:_LONGEST_REASON_CHARACTERS],
    }
    return _one(await database.execute(_REOPEN, values))


async def release(database: Database, key: BreakerKey, prober: str) -> StoredBreaker | None:
    """Nothing came of the call that tried: the next one may."""
    return _one(await database.execute(_RELEASE, {**key._asdict(), "prober": prober}))


async def read_open(database: Database) -> Sequence[StoredBreaker]:
    """Those of all teams that are not closed, or are kept closed."""
    return [stored(row) for row in await database.execute(_READ, {})]


async def find(database: Database, key: BreakerKey) -> StoredBreaker | None:
    return _one(await database.execute(_FIND, key._asdict()))


def _growth(growth: Growth) -> dict[str, Any]:
    return {
        "open_seconds": growth.open_seconds,
        "longest_seconds": growth.longest_seconds,
        "jitter": growth.jitter,
    }


def _one(rows: Sequence[Row]) -> StoredBreaker | None:
    return stored(rows[0]) if rows else None


def stored(row: Any) -> StoredBreaker:
    return StoredBreaker(
        team_id=row.team_id,
        name=row.name,
        state=member_of(BreakerState, row.state),
        opened_at=row.opened_at,
        until=row.until,
        failures=row.failures,
        calls=row.calls,
        opened=row.opened,
        reason=row.reason,
        decided_by=row.decided_by,
        note=row.note,
        seconds=None if row.seconds is None else max(row.seconds, 0.0),
    )
