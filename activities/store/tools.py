"""A team's settings for its tools: whether one may be used, and whether calls need approval."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import structlog
from pydantic import ValidationError
from sqlalchemy import null, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from activities.store.database import Database
from activities.store.tables import Tool
from workflows.definitions.fallback import Fallback
from workflows.states import Permission, ToolType

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ToolSetting:
    is_active: bool = True
    permission_level: Permission = Permission.AUTO
    fallback: Fallback | None = None


async def tool_settings(database: Database, team_id: UUID) -> dict[str, ToolSetting]:
    """By name of the tool. A tool of which the team said nothing is not among them."""
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(
            select(
                col(Tool.name),
                col(Tool.is_active),
                col(Tool.permission_level),
                col(Tool.fallback),
            ).where(col(Tool.team_id) == team_id)
        )
        return {
            name: ToolSetting(active, level, fallback_of(fallback))
            for name, active, level, fallback in rows
        }


def fallback_of(stored: dict[str, Any] | None) -> Fallback | None:
    """None for what an earlier version stored and this one does not take any more."""
    try:
        return None if stored is None else Fallback.model_validate(stored)
    except ValidationError:
        log.warning("tool.stored_fallback_invalid")
        return None


async def set_fallback(
    database: Database, team_id: UUID, name: str, fallback: Fallback | None
) -> None:
    """Say what is called in place of a tool, of which there is a row."""
    document = None if fallback is None else fallback.model_dump(mode="json", exclude_none=True)
    async with database.writing() as connection:
        await connection.execute(
            update(Tool)
            .where(col(Tool.team_id) == team_id, col(Tool.name) == name)
            .values(fallback=null() if document is None else document)
        )


async def is_known_tool(database: Database, team_id: UUID, name: str) -> bool:
    """Whether the team has said something of it, or registered it or its server."""
    query = select(col(Tool.id)).where(col(Tool.team_id) == team_id, col(Tool.name) == name)
    async with database.reading(fresh=True) as connection:
        return await connection.scalar(query) is not None


async def set_native_tool(
    database: Database,
    team_id: UUID,
    name: str,
    default: ToolSetting,
    *,
    is_active: bool | None = None,
    permission_level: Permission | None = None,
) -> ToolSetting:
    """Change what is not None of a native tool's setting; the whole setting.

    ``default`` is what holds as long as the team says nothing.
    """
    given = {"is_active": is_active, "permission_level": permission_level}
    changes = {key: value for key, value in given.items() if value is not None}
    row = {"is_active": default.is_active, "permission_level": default.permission_level, **changes}
    async with database.writing() as connection:
        saved = (
            await connection.execute(
                insert(Tool)
                .values(
                    id=uuid4(),  # as of MCP servers: see there
                    team_id=team_id,
                    name=name,
                    type=ToolType.NATIVE,
                    description="",
                    schema={},
                    config={},
                    **row,
                )
                # Setting a column to itself, for a change of nothing must return the row as well.
                .on_conflict_do_update(constraint="tools_once", set_={"name": name, **changes})
                .returning(col(Tool.is_active), col(Tool.permission_level), col(Tool.fallback))
            )
        ).one()
    active, level, fallback = saved
    return ToolSetting(active, level, fallback_of(fallback))
