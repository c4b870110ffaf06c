"""A team's settings for its tools: whether one may be used, and whether calls need approval."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store import audit
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.tables import Tool
from workflows.states import Permission, ToolType


@dataclass(frozen=True, slots=True)
class ToolSetting:
    is_active: bool = True
    permission_level: Permission = Permission.AUTO


async def tool_settings(database: Database, team_id: UUID) -> dict[str, ToolSetting]:
    """By name of the tool. A tool of which the team said nothing is not among them."""
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(
            select(col(Tool.name), col(Tool.is_active), col(Tool.permission_level)).where(
                col(Tool.team_id) == team_id
            )
        )
        return {name: ToolSetting(active, level) for name, active, level in rows}


async def set_native_tool(
    database: Database,
    actor: Actor,
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
                    team_id=actor.team_id,
                    name=name,
                    type=ToolType.NATIVE,
                    description="",
                    schema={},
                    config={},
                    **row,
                )
                # Setting a column to itself, for a change of nothing must return the row as well.
                .on_conflict_do_update(constraint="tools_once", set_={"name": name, **changes})
                .returning(col(Tool.is_active), col(Tool.permission_level))
            )
        ).one()
        await note_change(connection, actor, name, is_active, permission_level)
    return ToolSetting(*saved)


async def note_change(
    connection: AsyncConnection,
    actor: Actor,
    name: str,
    is_active: bool | None,
    permission_level: Permission | None,
) -> None:
    """Write down what is not None of what somebody says of a tool, or of a server."""
    if is_active is not None:
        deed = Deed("tool.enabled" if is_active else "tool.disabled", name)
        await audit.note(connection, actor, deed)
    if permission_level is not None:
        details = {"permission_level": str(permission_level)}
        await audit.note(connection, actor, Deed("tool.permission_set", name, details=details))
