"""Sweeps of agents that stay: of deleted ones all goes, and of the others what was said long ago
and no model is shown any more.

Either marks exchanges, which are tasks, as deleted: ``DeletedTasks`` removes those, with what was
said and made in them. An exchange stays whose file was given to a task that has not ended or to a
schedule.
"""

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import DateTime, Uuid

from activities.store import fence
from activities.store.housekeeping.base import MOST_COUNTED, Scope, Step, Sweep
from activities.store.housekeeping.ended_tasks import EXCHANGES
from activities.store.housekeeping.tasks import IS_USED, mark
from activities.store.reading.cursor import Cursor
from activities.store.reading.exchanges import MOST_EXCHANGES

MOST_AGENTS = 20
MOST_LOOKED_AT = 500


class DeletedAgents(Sweep):
    """Removes agents that a person has deleted: their exchanges first, then their inbox, then
    themselves. One that has not ended its last exchange waits."""

    name = "deleted_agents"
    keep = None

    async def step(self, connection: AsyncConnection, scope: Scope) -> Step:
        values = scope.values | {"most": MOST_AGENTS}
        rows = (await connection.execute(_DELETED, values)).all()
        if not rows:
            return Step(0, is_done=True)
        ids = [row.id for row in rows]
        of_agents = {"ids": ids, "limit": scope.limit}
        exchanges = (await connection.scalars(_EXCHANGES, of_agents)).all()
        await mark(connection, exchanges)
        removed = (await connection.execute(_INBOX, of_agents)).rowcount
        if exchanges or removed >= scope.limit:
            return Step(removed, is_done=False, place=scope.after)
        gone = (await connection.execute(_REMOVE, {"ids": ids})).rowcount
        # What is left waits for its tasks, and keeps none that were deleted after it.
        is_done = len(rows) < MOST_AGENTS
        place = None if is_done else Cursor(rows[-1].deleted_at, rows[-1].id)
        return Step(removed + gone, is_done, place)

    async def count_left(self, connection: AsyncConnection, scope: Scope) -> int:
        values = {"team_id": scope.team_id, "most": MOST_COUNTED}
        return await connection.scalar(_COUNT_DELETED, values) or 0


class ExpiredExchanges(Sweep):
    """Marks exchanges whose time is over, some at a time. Those stay that a model may be shown: the
    last of each agent, as far as they are not summed up."""

    name = "agent_tasks"
    keep = "tasks"

    async def step(self, connection: AsyncConnection, scope: Scope) -> Step:
        most = min(scope.limit, MOST_LOOKED_AT)
        values = scope.values | {"most": most}
        rows = (await connection.execute(_OLD, values)).all()
        if not rows:
            return Step(0, is_done=True)
        expired = [row.id for row in rows if row.is_expired]
        await mark(connection, expired)
        is_done = len(rows) < most
        place = None if is_done else Cursor(rows[-1].finished_at, rows[-1].id)
        return Step(len(expired), is_done, place)

    async def count_left(self, connection: AsyncConnection, scope: Scope) -> int:
        values = scope.values | {"most": MOST_COUNTED}
        return await connection.scalar(_COUNT_OLD, values) or 0


_TEAM = bindparam("team_id", type_=Uuid())
_IDS = bindparam("ids", type_=ARRAY(Uuid()))

_DELETED = text(
    """
    SELECT id, deleted_at FROM agents
    WHERE team_id = :team_id AND deleted_at IS NOT NULL AND (deleted_at, id) > (:at, :id)
    ORDER BY deleted_at, id LIMIT :most FOR UPDATE SKIP LOCKED
    """
).bindparams(_TEAM, bindparam("at", type_=DateTime(timezone=True)), bindparam("id", type_=Uuid()))
_COUNT_DELETED = text(
    """
    SELECT count(*) FROM (
        SELECT FROM agents WHERE team_id = :team_id AND deleted_at IS NOT NULL LIMIT :most
    ) AS left_over
    """
).bindparams(_TEAM)
_EXCHANGES = text(
    f"""
    SELECT id FROM tasks
    WHERE parent_id = ANY(:ids) AND {EXCHANGES} AND deleted_at IS NULL
      AND status IN ({fence.FINAL_STATES}) AND NOT {IS_USED}
    LIMIT :limit
    """
).bindparams(_IDS)
_INBOX = text(
    """
    DELETE FROM inbox WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM inbox WHERE agent_id = ANY(:ids) LIMIT :limit))
    """
).bindparams(_IDS)
_REMOVE = text(
    """
    DELETE FROM agents
    WHERE id = ANY(:ids)
      AND NOT EXISTS (SELECT FROM tasks WHERE tasks.parent_id = agents.id)
      AND NOT EXISTS (SELECT FROM inbox WHERE inbox.agent_id = agents.id)
    """
).bindparams(_IDS)

_IS_OLD = f"""
    tasks.team_id = :team_id AND tasks.{EXCHANGES} AND tasks.finished_at < :before
    AND tasks.deleted_at IS NULL AND tasks.status IN ({fence.FINAL_STATES})
    AND (tasks.finished_at, tasks.id) > (:at, :id)"""
_TYPES = (
    _TEAM,
    bindparam("before", type_=DateTime(timezone=True)),
    bindparam("at", type_=DateTime(timezone=True)),
    bindparam("id", type_=Uuid()),
)
# How an agent is, its last exchange tells.
_OLD = text(
    f"""
    SELECT tasks.id, tasks.finished_at,
           tasks.id IS DISTINCT FROM agents.exchange_id AND NOT {IS_USED}
           AND CAST(tasks.definition ->> 'number' AS int) <= greatest(
               agents.exchanges - {MOST_EXCHANGES},
               (SELECT max(through) FROM agent_summaries WHERE agent_id = agents.id)
           ) AS is_expired
    FROM tasks JOIN agents ON agents.id = tasks.parent_id
    WHERE {_IS_OLD}
    ORDER BY tasks.finished_at, tasks.id LIMIT :most FOR UPDATE OF tasks SKIP LOCKED
    """
).bindparams(*_TYPES)
_COUNT_OLD = text(
    f"SELECT count(*) FROM (SELECT FROM tasks WHERE {_IS_OLD} LIMIT :most) AS left_over"
).bindparams(*_TYPES)
