"""Agents that stay whose workflows may not know that people have stopped them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from activities.store import fence
from activities.store.database import Database
from workflows.states import Status


@dataclass(frozen=True, slots=True)
class Misheard:
    """An exchange that goes on although its agent ``is_paused``, or rests although it is not."""

    exchange_id: UUID
    agent_id: UUID
    is_paused: bool


async def is_terminated(database: Database, agent_id: UUID) -> bool:
    """So is one of which nothing is left."""
    return not await database.execute(_IS_ALIVE, {"agent_id": agent_id})


async def misheard(database: Database, age_seconds: float, limit: int) -> Sequence[Misheard]:
    """Those that have been so for ``age_seconds``, the oldest first. One that waits for a person
    hears of a pause once it goes on."""
    values = {"age_seconds": age_seconds, "limit": limit}
    rows = await database.execute(_MISHEARD, values)
    return [Misheard(row.id, row.agent_id, row.is_paused) for row in rows]


_IS_ALIVE = text("SELECT id FROM agents WHERE id = :agent_id AND terminated_at IS NULL")

_MISHEARD = text(
    f"""
    SELECT tasks.id, agents.id AS agent_id, paused_at IS NOT NULL AS is_paused
    FROM tasks JOIN agents ON agents.exchange_id = tasks.id
    WHERE {fence.IS_LIVING} AND agents.terminated_at IS NULL AND CASE
        WHEN tasks.status = '{Status.WAITING}' THEN false
        WHEN tasks.status = '{Status.PAUSED}' THEN paused_at IS NULL
            AND tasks.updated_at < now() - make_interval(secs => :age_seconds)
        ELSE paused_at < now() - make_interval(secs => :age_seconds)
    END
    ORDER BY tasks.updated_at, tasks.id
    LIMIT :limit
    """
)
