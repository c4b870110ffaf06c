"""The pieces of text that a model said while it said them: no longer needed once it has said all.

Most are deleted by the statement that writes the message (see ``turn_statements``). What it leaves
are the pieces of its last seconds, which those who follow may not have read, and those of answers
that broke off.
"""

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from activities.store import fence
from activities.store.events import IS_OLD_DELTA
from activities.store.housekeeping.base import Scope, Step, Sweep


class Deltas(Sweep):
    name = "deltas"
    keep = None

    async def step(self, connection: AsyncConnection, scope: Scope) -> Step:
        values = {"team_id": scope.team_id, "limit": scope.limit}
        removed = (await connection.execute(_DELETE, values)).rowcount
        return Step(removed, is_done=removed < scope.limit)


_DELETE = text(
    f"""
    DELETE FROM events WHERE ctid = ANY(ARRAY(
        SELECT events.ctid FROM events JOIN tasks ON tasks.id = events.task_id
        WHERE events.team_id = :team_id AND {IS_OLD_DELTA}
          AND (NOT ({fence.IS_LIVING}) OR EXISTS (
              SELECT FROM messages
              WHERE messages.task_id = events.task_id AND messages.role = 'assistant'
                AND messages.turn >= CAST(events.data ->> 'turn' AS int)))
        LIMIT :limit))
    """
).bindparams(bindparam("team_id", type_=Uuid()))
