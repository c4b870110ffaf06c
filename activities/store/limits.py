"""What teams have set as limits, and their weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text, update
from sqlmodel import col

from activities.store.audit import Actor, Deed, note
from activities.store.database import Database
from activities.store.tables import Team


@dataclass(frozen=True, slots=True)
class TeamBounds:
    team_id: UUID
    max_running: int | None
    weight: float | None
    max_thinking: int | None


@dataclass(frozen=True, slots=True)
class ToolBounds:
    """Of a tool, or of an MCP server, ``mcp.<server>``."""

    team_id: UUID
    name: str
    max_running: int | None
    calls_per_minute: int | None


async def limits_set(database: Database) -> tuple[Sequence[TeamBounds], Sequence[ToolBounds]]:
    """Those of all teams: few teams set any."""
    rows = await database.execute(_LIMITS_SET, {})
    return (
        [
            TeamBounds(row.team_id, row.max_running, row.weight, row.max_thinking)
            for row in rows
            if row.name is None
        ],
        [
            ToolBounds(row.team_id, row.name, row.max_running, row.calls_per_minute)
            for row in rows
            if row.name is not None
        ],
    )


async def find_weight(database: Database, team_id: UUID) -> float | None:
    """A team's share of the workers; None is the usual one."""
    async with database.reading(fresh=True) as connection:
        return await connection.scalar(select(col(Team.weight)).where(col(Team.id) == team_id))


async def set_max_running(database: Database, actor: Actor, running: int | None) -> None:
    """How many steps, calls and turns of the actor's team may run at once; None is no limit."""
    await _set_of_team(
        database,
        actor,
        {"max_running": running},
        Deed("team.limited", str(actor.team_id), "", {"running": running}),
    )


async def set_max_thinking(database: Database, actor: Actor, thinking: int | None) -> None:
    """How many agents that stay of the actor's team may think at once; None is no limit."""
    await _set_of_team(
        database,
        actor,
        {"max_thinking": thinking},
        Deed("team.limited", str(actor.team_id), "", {"thinking": thinking}),
    )


async def set_weight(database: Database, actor: Actor, weight: float | None) -> None:
    """The share of the actor's team in the workers, of tasks that start from now on."""
    await _set_of_team(
        database,
        actor,
        {"weight": weight},
        Deed("team.weighted", str(actor.team_id), "", {"weight": weight}),
    )


async def _set_of_team(
    database: Database, actor: Actor, values: Mapping[str, object], deed: Deed
) -> None:
    async with database.writing() as connection:
        await connection.execute(update(Team).where(col(Team.id) == actor.team_id).values(**values))
        await note(connection, actor, deed)


# Each API and each worker asks once a second while there is work.
_LIMITS_SET = text(
    """
    SELECT id AS team_id, CAST(NULL AS text) AS name, max_running, weight, max_thinking,
           CAST(NULL AS int) AS calls_per_minute
    FROM teams
    WHERE max_running IS NOT NULL OR weight IS NOT NULL OR max_thinking IS NOT NULL
    UNION ALL
    SELECT team_id, name, max_running, NULL, NULL, calls_per_minute
    FROM tools
    WHERE max_running IS NOT NULL OR calls_per_minute IS NOT NULL
    """
)
