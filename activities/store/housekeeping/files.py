"""Uploaded files that no task names which is kept, and no schedule.

They name them in their inputs. Whoever is about to write such a task or schedule touches
``named_at`` first (``files.touch_files``), once an hour: a file that was touched within the last
day is not removed, and one that was removed is not there to be touched. So none is accepted whose
file then goes. A person may delete one at once: see ``input_holding``.
"""

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import DateTime, Uuid

from activities.store.housekeeping import named
from activities.store.housekeeping.base import MOST_COUNTED, Scope, Step, Sweep
from activities.store.reading.cursor import Cursor

MOST_FILES = 500


class Files(Sweep):
    """A file that a task or schedule names is passed by, and looked at again in the next round."""

    name = "files"
    keep = "files"

    async def step(self, connection: AsyncConnection, scope: Scope) -> Step:
        most = min(scope.limit, MOST_FILES)
        rows = (await connection.execute(_OLD, scope.values | {"most": most})).all()
        if not rows:
            return Step(0, is_done=True)
        values = {"ids": [row.id for row in rows], "before": scope.before}
        removed = (await connection.execute(_DELETE, values)).rowcount
        is_done = len(rows) < most
        place = None if is_done else Cursor(rows[-1].named_at, rows[-1].id)
        return Step(removed, is_done, place)

    async def count_left(self, connection: AsyncConnection, scope: Scope) -> int:
        return await connection.scalar(_COUNT, scope.values | {"most": MOST_COUNTED}) or 0


_IS_OLD = """
    team_id = :team_id AND task_id IS NULL AND named_at < :before
    AND (named_at, id) > (:at, :id)"""
_TYPES = (
    bindparam("team_id", type_=Uuid()),
    bindparam("before", type_=DateTime(timezone=True)),
    bindparam("at", type_=DateTime(timezone=True)),
    bindparam("id", type_=Uuid()),
)

_OLD = text(
    f"SELECT id, named_at FROM files WHERE {_IS_OLD} ORDER BY named_at, id LIMIT :most"
).bindparams(*_TYPES)
_COUNT = text(
    f"SELECT count(*) FROM (SELECT FROM files WHERE {_IS_OLD} LIMIT :most) AS left_over"
).bindparams(*_TYPES)
# Whoever touches one meanwhile holds its row: then the condition on `named_at` is looked at anew.
_DELETE = text(
    f"""
    DELETE FROM files
    WHERE id = ANY(:ids) AND named_at < :before AND {named.is_unnamed("'file:' || files.id")}
    """
).bindparams(
    bindparam("ids", type_=ARRAY(Uuid())), bindparam("before", type_=DateTime(timezone=True))
)
