"""Figures of all teams, for metrics: each is a look at an index of what is open, and bounded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Float, Integer, TextClause, bindparam, text

from activities.store.database import Database
from activities.store.fence import IS_LIVING
from activities.store.tables.tallies import STARTED
from workflows.states import Status, TaskType

# Beyond this nobody counts on: more has the same remedy.
MOST_COUNTED = 100_000

_UNBEGUN = f"('{Status.PENDING}', '{Status.QUEUED}')"
_SINCE = "CASE WHEN run = 1 THEN created_at ELSE updated_at END"


def _living(order: str) -> TextClause:
    return text(
        f"""
        SELECT type, status, count(*) AS found, CAST(extract(epoch FROM now() - min(
                   CASE WHEN status IN {_UNBEGUN} THEN {_SINCE} END
               )) AS float) AS waits
        FROM (
            SELECT type, status, run, created_at, updated_at FROM tasks
            WHERE {IS_LIVING} {order} LIMIT :most
        ) AS living
        GROUP BY type, status
        """
    ).bindparams(bindparam("most", type_=Integer()))


LIVING = _living("")
# Where there are more than are counted: of those that wait, the oldest are to be among them. Their
# order costs more than the count.
_OLDEST_LIVING = _living("ORDER BY created_at, id")

# Schedules are looked at every minute, so that five minutes mean that Temporal is away.
_FIGURES = text(
    f"""
    SELECT
        (SELECT count(*) FROM (
            SELECT FROM dead_letters WHERE state = 'open' LIMIT :most
        ) AS open) AS dead_letters,
        (SELECT count(*) FROM (
            SELECT FROM sub_tasks JOIN tasks ON tasks.id = sub_tasks.task_id
            WHERE sub_tasks.status = '{Status.WAITING}'
              AND sub_tasks.approval ->> 'kind' IS NOT NULL
              AND sub_tasks.approval ->> 'decision' IS NULL
              AND {IS_LIVING}
            LIMIT :most
        ) AS waiting) AS approvals,
        (SELECT count(*) FROM schedules
         WHERE deleted_at IS NULL AND paused_at IS NULL
           AND (seen_at < now() - interval '5 minutes'
                OR synced_version <> version AND updated_at < now() - interval '1 minute')
        ) AS schedules_overdue,
        (SELECT count(*) FROM (
            SELECT FROM webhook_deliveries WHERE state = 'pending' LIMIT :most
        ) AS pending) AS deliveries,
        (SELECT count(*) FROM webhooks
         WHERE NOT is_active AND disabled_reason IS NOT NULL) AS webhooks_off,
        (SELECT count(*) FROM tools
         WHERE type = 'MCP' AND is_active AND config ? 'connection') AS mcp_servers,
        (SELECT coalesce(max(CAST(tokens AS float) / quota), 0) FROM (
            SELECT tokens, coalesce(teams.daily_tokens, :daily_tokens) AS quota
            FROM team_usage JOIN teams ON teams.id = team_usage.team_id
            WHERE day = (now() AT TIME ZONE 'utc')::date
         ) AS used WHERE quota > 0) AS quota_used
    """
).bindparams(bindparam("most", type_=Integer()), bindparam("daily_tokens", type_=Float()))

_TALLIES = text(
    """
    SELECT type, outcome, most_seconds, count, seconds FROM task_tallies
    ORDER BY type, outcome, most_seconds
    """
)


@dataclass(frozen=True, slots=True)
class Living:
    """Tasks that have not ended, and for how long one of them has waited at most to be begun."""

    by_state: Mapping[tuple[TaskType, Status], int]
    longest_wait_seconds: float


@dataclass(frozen=True, slots=True)
class Figures:
    """``quota_used`` is the share of the team that is nearest to its quota of today."""

    dead_letters: int
    approvals: int
    schedules_overdue: int
    deliveries: int
    webhooks_off: int
    mcp_servers: int
    quota_used: float


@dataclass(frozen=True, slots=True)
class Tally:
    """Tasks of a type that started, or ended with a state, by how long that took: those of each
    bound in seconds, and what they took together."""

    type: str
    outcome: str
    counts: Mapping[float, int]
    seconds: float

    @property
    def is_of_starts(self) -> bool:
        return self.outcome == STARTED


async def living_tasks(database: Database, most: int = MOST_COUNTED) -> Living:
    async with database.reading() as connection:
        rows = (await connection.execute(LIVING, {"most": most})).all()
        if sum(row.found for row in rows) == most:
            rows = (await connection.execute(_OLDEST_LIVING, {"most": most})).all()
    counts = {(TaskType(row.type), Status(row.status)): row.found for row in rows}
    return Living(counts, max((row.waits or 0.0 for row in rows), default=0.0))


async def figures(database: Database, daily_tokens: int) -> Figures:
    """``daily_tokens`` is the quota of teams that have none of their own; 0 is no limit."""
    values = {"most": MOST_COUNTED, "daily_tokens": daily_tokens}
    async with database.reading() as connection:
        row = (await connection.execute(_FIGURES, values)).one()
    return Figures(*row)


async def tallies(database: Database) -> Sequence[Tally]:
    found: dict[tuple[str, str], Tally] = {}
    async with database.reading() as connection:
        for row in await connection.execute(_TALLIES):
            key = row.type, row.outcome
            before = found.get(key) or Tally(*key, counts={}, seconds=0.0)
            counts = {**before.counts, row.most_seconds: row[3]}
            found[key] = Tally(*key, counts=counts, seconds=before.seconds + row.seconds)
    return list(found.values())
