"""Bulk runs that ended long ago. Their letters, of which there may be thousands, go first."""

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import DateTime, Uuid

from activities.store.housekeeping.base import MOST_COUNTED, Scope, Step, Sweep

MOST_RUNS = 100


class BulkRuns(Sweep):
    """One whose task still runs stays: how that ends is written down in it."""

    name = "bulk_runs"
    keep = "dead_letters"

    async def step(self, connection: AsyncConnection, scope: Scope) -> Step:
        values = {"team_id": scope.team_id, "before": scope.before}
        ids = (await connection.scalars(_OLD, {**values, "most": MOST_RUNS})).all()
        if not ids:
            return Step(0, is_done=True)
        removed = (await connection.execute(_ITEMS, {"ids": ids, "most": scope.limit})).rowcount
        if removed >= scope.limit:
            return Step(removed, is_done=False)
        removed += (await connection.execute(_RUNS, {"ids": ids})).rowcount
        return Step(removed, is_done=len(ids) < MOST_RUNS)

    async def count_left(self, connection: AsyncConnection, scope: Scope) -> int:
        values = {"team_id": scope.team_id, "before": scope.before, "most": MOST_COUNTED}
        return await connection.scalar(_COUNT, values) or 0


_IS_OLD = """
    team_id = :team_id AND ended_at < :before AND NOT EXISTS (
        SELECT FROM bulk_items WHERE bulk_id = bulk_runs.id AND state = 'requeued')"""
_TYPES = (
    bindparam("team_id", type_=Uuid()),
    bindparam("before", type_=DateTime(timezone=True)),
)
_OLD = text(
    f"""
    SELECT id FROM bulk_runs WHERE {_IS_OLD}
    ORDER BY ended_at LIMIT :most FOR UPDATE SKIP LOCKED
    """
).bindparams(*_TYPES)
_COUNT = text(
    f"SELECT count(*) FROM (SELECT FROM bulk_runs WHERE {_IS_OLD} LIMIT :most) AS left_over"
).bindparams(*_TYPES)
_ITEMS = text(
    """
    DELETE FROM bulk_items WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM bulk_items WHERE bulk_id = ANY(CAST(:ids AS uuid[])) LIMIT :most))
    """
)
_RUNS = text("DELETE FROM bulk_runs WHERE id = ANY(CAST(:ids AS uuid[]))")
