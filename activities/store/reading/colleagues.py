"""The agents of a team that stay, as one of them sees the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from activities.store.database import Database
from activities.store.resident_state import JOINED, STATE
from workflows.states import AgentState

_ROLE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Colleague:
    """An agent that is not deleted."""

    id: UUID
    name: str
    role: str
    state: AgentState
    parent_id: UUID | None


async def find_colleague(database: Database, team_id: UUID, name: str) -> Colleague | None:
    """The agent of a team that has this name, or this id."""
    values = {"team_id": team_id, "name": name, "agent_id": _as_id(name)}
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(_FIND, values)).first()
    return None if row is None else _colleague(row)


async def list_colleagues(
    database: Database, team_id: UUID, agent_id: UUID, limit: int
) -> tuple[Sequence[Colleague], int]:
    """Those that are not terminated: the agent itself, its parent, its children, then all others
    by name; at most ``limit``, and how many there are in all."""
    values = {"team_id": team_id, "agent_id": agent_id, "most": limit}
    async with database.reading(fresh=True) as connection:
        rows = (await connection.execute(_LIST, values)).all()
    return [_colleague(row) for row in rows], rows[0].in_all if rows else 0


def _colleague(row: Row[*tuple[Any, ...]]) -> Colleague:
    role = " ".join((row.role or "").split())[:_ROLE_CHARACTERS]
    return Colleague(row.id, row.name, role, AgentState(row.state), row.parent_id)


def _as_id(name: str) -> UUID | None:
    try:
        return UUID(name.strip())
    except ValueError:
        return None


_COLUMNS = f"""agents.id, agents.name, agents.parent_id,
    agents.definition #>> '{{profile,role}}' AS role, {STATE} AS state"""

_FIND = text(
    f"""
    SELECT {_COLUMNS}
    FROM agents {JOINED}
    WHERE agents.team_id = :team_id AND agents.deleted_at IS NULL
      AND (agents.name = :name OR agents.id = CAST(:agent_id AS uuid))
    ORDER BY agents.name = :name DESC LIMIT 1
    """
)

_LIST = text(
    f"""
    WITH listed AS (
        SELECT agents.id, count(*) OVER () AS in_all,
               CASE WHEN agents.id = me.id THEN 0 WHEN agents.id = me.parent_id THEN 1
                    WHEN agents.parent_id = me.id THEN 2 ELSE 3 END AS place
        FROM agents, (SELECT id, parent_id FROM agents WHERE id = :agent_id) AS me
        WHERE agents.team_id = :team_id AND agents.deleted_at IS NULL
          AND agents.terminated_at IS NULL
        ORDER BY place, agents.name LIMIT :most
    )
    SELECT {_COLUMNS}, in_all
    FROM listed JOIN agents ON agents.id = listed.id {JOINED}
    ORDER BY place, agents.name
    """
)
