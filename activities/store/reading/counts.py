"""How many things of a team are under way, or wait for somebody."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.types import Uuid

from activities.store.database import Database
from activities.store.reading.task_search import RETRYING
from workflows.states import LIVING, LetterState, Status

# Nobody counts further than that.
MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Counts:
    """Of tasks that are no nodes and no turns, as far as ``MOST_COUNTED`` each."""

    pending: int
    running: int
    waiting: int
    paused: int
    retrying: int
    dead_letters: int


async def count_under_way(database: Database, team_id: UUID) -> Counts:
    values = {"team_id": team_id, "most": MOST_COUNTED}
    async with database.reading() as connection:
        rows = (await connection.execute(_COUNT, values)).all()
    found = {row.name: row.number for row in rows}
    return Counts(
        pending=found[Status.PENDING] + found[Status.QUEUED],
        running=found[Status.RUNNING],
        waiting=found[Status.WAITING],
        paused=found[Status.PAUSED],
        retrying=found["retrying"],
        dead_letters=found["dead_letters"],
    )


def _counted(name: str, rows: str) -> str:
    return f"SELECT '{name}' AS name, count(*) AS number FROM ({rows} LIMIT :most) AS found"


_MAIN = "team_id = :team_id AND parent_id IS NULL AND deleted_at IS NULL"
_COUNT = text(
    " UNION ALL ".join(
        (
            *(
                _counted(status, f"SELECT FROM tasks WHERE {_MAIN} AND status = '{status}'")
                for status in sorted(LIVING)
            ),
            _counted("retrying", f"SELECT FROM tasks WHERE {_MAIN} AND id IN ({RETRYING})"),
            _counted(
                "dead_letters",
                "SELECT FROM dead_letters"
                f" WHERE team_id = :team_id AND state = '{LetterState.OPEN}'",
            ),
        )
    )
).bindparams(bindparam("team_id", type_=Uuid()))
