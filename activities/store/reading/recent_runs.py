"""How tasks of the same name ended lately: whether, and how fast, they are getting worse."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.store import fence
from workflows.states import Status

MAX_RUNS = 12


@dataclass(frozen=True, slots=True)
class RecentRun:
    """A task that has ended, and how long its last run took; None for one that never began."""

    task_id: UUID
    status: Status
    seconds: float | None


async def recent_runs(
    connection: AsyncConnection, team_id: UUID, names: Collection[str]
) -> Mapping[str, Sequence[RecentRun]]:
    """By name the last twelve that have ended, the oldest first."""
    values = {"team_id": team_id, "names": list(names), "most": MAX_RUNS}
    found: defaultdict[str, list[RecentRun]] = defaultdict(list)
    for row in await connection.execute(_RECENT, values):
        found[row.name].append(RecentRun(row.id, Status(row.status), row.seconds))
    return found


_RECENT = text(
    f"""
    SELECT wanted.name, run.id, run.status, run.seconds
    FROM unnest(:names) AS wanted(name), LATERAL (
        SELECT id, status, finished_at,
               CAST(extract(epoch FROM finished_at - started_at) AS float) AS seconds
        FROM tasks
        WHERE team_id = :team_id AND name = wanted.name AND finished_at IS NOT NULL
          AND parent_id IS NULL AND deleted_at IS NULL AND status IN ({fence.FINAL_STATES})
        ORDER BY finished_at DESC LIMIT :most
    ) AS run
    ORDER BY wanted.name, run.finished_at, run.id
    """
).bindparams(bindparam("team_id", type_=Uuid()), bindparam("names", type_=ARRAY(Text())))
