"""The agent that stays which calls a tool."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from activities.store.database import Database
from workflows.definitions.resident import Resident
from workflows.errors.tasks import TaskMoved


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentCall:
    """The agent that stays which makes a call, as it is at that moment. ``hops`` counts the
    messages of agents that led to this exchange; ``group_id`` is the group that it answers, if it
    answers one."""

    agent_id: UUID
    name: str
    parent_id: UUID | None
    depth: int
    definition: Resident
    exchange_id: UUID
    hops: int
    group_id: UUID | None = None


async def resident_call(database: Database, agent_id: UUID, exchange_id: UUID) -> ResidentCall:
    """Raises ``TaskMoved``: the agent is gone, or terminated."""
    values = {"agent_id": agent_id, "exchange_id": exchange_id}
    rows = await database.execute(_FIND, values)
    if not rows:
        raise TaskMoved(task_id=exchange_id)
    [row] = rows
    return ResidentCall(
        agent_id=agent_id,
        name=row.name,
        parent_id=row.parent_id,
        depth=row.depth,
        definition=Resident.model_validate(row.definition),
        exchange_id=exchange_id,
        hops=row.hops or 0,
        group_id=row.group_id,
    )


_FIND = text(
    """
    SELECT name, parent_id, depth, definition, taken.hops, taken.group_id
    FROM agents, LATERAL (
        SELECT max(hops) AS hops, (array_agg(group_id ORDER BY seq DESC))[1] AS group_id
        FROM inbox
        WHERE inbox.exchange_id = :exchange_id AND inbox.agent_id = agents.id
    ) AS taken
    WHERE agents.id = :agent_id AND terminated_at IS NULL AND deleted_at IS NULL
    """
)
