"""How an MCP server answered when somebody asked whether it is well: kept in its row."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import col

from activities.store.database import Database
from activities.store.mcp_tools import connection_of, is_mcp
from activities.store.tables import Tool
from workflows.definitions.mcp_server import McpServer


@dataclass(frozen=True, slots=True)
class Checked:
    """Without an ``error`` it has answered, with so many ``tools`` that can be taken."""

    tools: int
    duration_ms: int
    error: str | None = None


async def find_server(database: Database, team_id: UUID, name: str) -> McpServer | None:
    """The server that is registered as ``mcp.<name>``."""
    this = (col(Tool.team_id) == team_id, col(Tool.name) == name, is_mcp())
    async with database.reading(fresh=True) as connection:
        config = await connection.scalar(select(col(Tool.config)).where(*this))
    return None if config is None or "connection" not in config else connection_of(config)


async def note_check(database: Database, team_id: UUID, name: str, checked: Checked) -> None:
    """It stays until the next one, or until the server is registered anew."""
    note = {**asdict(checked), "at": datetime.now(UTC).isoformat()}
    async with database.writing() as connection:
        await connection.execute(
            update(Tool)
            .where(
                col(Tool.team_id) == team_id,
                col(Tool.name) == name,
                is_mcp(),
                col(Tool.config)["connection"].astext.is_not(None),
            )
            .values(config=col(Tool.config).concat({"checked": note}))
        )
