"""Sweeps of rows that are kept for some time after they were made, whatever becomes of others."""

from dataclasses import dataclass

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import DateTime, Uuid

from activities.store.housekeeping.base import MOST_COUNTED, Scope, Step, Sweep


@dataclass(frozen=True)
class Aged(Sweep):
    """Deletes rows of ``table`` whose ``column`` lies too far back, the oldest first. It needs an
    index on ``team_id`` and ``column``. A row where ``column`` is NULL stays, and one for which
    ``where`` does not hold."""

    name: str
    keep: str | None
    table: str
    column: str = "created_at"
    where: str = "true"

    async def step(self, connection: AsyncConnection, scope: Scope) -> Step:
        removed = (await connection.execute(self._delete, _values(scope, scope.limit))).rowcount
        return Step(removed, is_done=removed < scope.limit)

    async def count_left(self, connection: AsyncConnection, scope: Scope) -> int:
        return await connection.scalar(self._count, _values(scope, MOST_COUNTED)) or 0

    @property
    def _delete(self) -> TextClause:
        return _typed(
            f"""
            DELETE FROM {self.table} WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM {self.table}
                WHERE team_id = :team_id AND {self.column} < :before AND {self.where}
                ORDER BY {self.column} LIMIT :limit FOR UPDATE SKIP LOCKED))
            """
        )

    @property
    def _count(self) -> TextClause:
        return _typed(
            f"""
            SELECT count(*) FROM (
                SELECT FROM {self.table}
                WHERE team_id = :team_id AND {self.column} < :before AND {self.where}
                LIMIT :limit) AS left_over
            """
        )


def _values(scope: Scope, limit: int) -> dict[str, object]:
    return {"team_id": scope.team_id, "before": scope.before, "limit": limit}


def _typed(sql: str) -> TextClause:
    return text(sql).bindparams(
        bindparam("team_id", type_=Uuid()), bindparam("before", type_=DateTime(timezone=True))
    )
