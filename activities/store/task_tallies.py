"""Tallies of how tasks started and ended, for metrics.

A trigger marks each start and each end, in the transaction that makes it; marks are added up here,
a little later. So an end counts once, whoever writes it down, and none waits for another's count.
"""

from collections.abc import Sequence

from sqlalchemy import ARRAY, Float, Integer, Text, bindparam, text

from activities.store.database import Database
from activities.store.tables.tallies import STARTED

# At once: a pass makes several such statements.
MOST_MARKS = 5_000

# In one order, so that two APIs do not wait for each other.
_TALLY = text(
    """
    WITH taken AS (
        DELETE FROM task_marks WHERE id IN (
            SELECT id FROM task_marks ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED
        )
        RETURNING type, outcome, seconds
    ), placed AS (
        SELECT type, outcome, seconds, coalesce(
            CASE WHEN outcome = :started
                THEN (:of_starts)[width_bucket(seconds, :of_starts) + 1]
                ELSE (:of_ends)[width_bucket(seconds, :of_ends) + 1]
            END, CAST('Infinity' AS float)) AS most_seconds
        FROM taken
    ), added AS (
        INSERT INTO task_tallies AS tally (type, outcome, most_seconds, count, seconds)
        SELECT type, outcome, most_seconds, count(*), sum(seconds) FROM placed
        GROUP BY type, outcome, most_seconds ORDER BY type, outcome, most_seconds
        ON CONFLICT (type, outcome, most_seconds) DO UPDATE
            SET count = tally.count + excluded.count, seconds = tally.seconds + excluded.seconds
    )
    SELECT count(*) AS taken FROM taken
    """
).bindparams(
    bindparam("most", type_=Integer()),
    bindparam("started", type_=Text()),
    bindparam("of_starts", type_=ARRAY(Float())),
    bindparam("of_ends", type_=ARRAY(Float())),
)


async def tally_marks(
    database: Database, of_starts: Sequence[float], of_ends: Sequence[float]
) -> bool:
    """Add marks up, by the bounds of ``of_starts`` and ``of_ends`` in seconds. Whether there may be
    more. Any number of processes may do so at once: each mark is taken by one."""
    values = {
        "most": MOST_MARKS,
        "started": STARTED,
        "of_starts": list(map(float, of_starts)),
        "of_ends": list(map(float, of_ends)),
    }
    (row,) = await database.execute(_TALLY, values)
    return bool(row.taken == MOST_MARKS)
