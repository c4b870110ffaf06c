"""An agent that stays, locked for what somebody does to it, and who is told of that."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.store import events
from activities.store.inbox import lock_agents
from activities.store.resident_state import IS_PRESENT, JOINED, STATE
from workflows.states import AgentState


@dataclass(frozen=True, slots=True)
class LockedAgent:
    """``exchange_id`` is its last exchange, unless somebody has dealt with how that ended."""

    id: UUID
    name: str
    parent_id: UUID | None
    depth: int
    state: AgentState
    exchange_id: UUID | None


async def lock_agent(
    connection: AsyncConnection, team_id: UUID, agent_id: UUID
) -> LockedAgent | None:
    """Its state stays as it is until the transaction ends, but for the end of an exchange. None
    when the team has no such agent."""
    await lock_agents(connection, [agent_id])
    # In a statement of its own, which sees what was committed while this one waited.
    found = await connection.execute(_FIND, {"agent_id": agent_id, "team_id": team_id})
    row = found.one_or_none()
    if row is None:
        return None
    return LockedAgent(
        row.id, row.name, row.parent_id, row.depth, AgentState(row.state), row.exchange_id
    )


async def tell_viewers(
    connection: AsyncConnection, team_id: UUID, agent_ids: Iterable[UUID]
) -> None:
    """Let those who view the agents, or the team's, look again once this is committed."""
    channels = [str(each) for each in (*agent_ids, team_id)]
    await connection.execute(_TELL, {"ids": channels})


_FIND = text(
    f"""
    SELECT agents.id, agents.name, agents.parent_id, agents.depth, agents.exchange_id,
           {STATE} AS state
    FROM agents {JOINED}
    WHERE {IS_PRESENT}
    """
)

_TELL = text(
    f"SELECT pg_notify('{events.CHANNEL}', told) FROM unnest(CAST(:ids AS text[])) AS told"
)
