"""Agents that stay which are terminated, and go on with what they had begun."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from activities.store import fence
from activities.store.database import Database
from workflows.states import TaskType


async def unended(database: Database, *, since_seconds: float, limit: int) -> Sequence[UUID]:
    """Those that were terminated so long ago, of all teams."""
    values = {"seconds": since_seconds, "limit": limit}
    return [row.id for row in await database.execute(_UNENDED, values)]


_UNENDED = text(
    f"""
    SELECT agents.id FROM tasks JOIN agents ON agents.exchange_id = tasks.id
    WHERE {fence.IS_LIVING} AND tasks.type = '{TaskType.EXCHANGE}' AND agents.id = tasks.parent_id
      AND agents.terminated_at < now() - make_interval(secs => :seconds)
    LIMIT :limit
    """
)
