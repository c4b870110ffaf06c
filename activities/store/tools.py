"""A team's settings for its tools: whether one may be used, and whether calls need approval."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import structlog
from pydantic import ValidationError
from sqlalchemy import Row, null, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store.audit import Actor, Deed, note
from activities.store.database import Database
from activities.store.tables import Tool
from workflows.definitions.fallback import Fallback
from workflows.states import Permission, ToolType

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ToolSetting:
    """Of its calls ``max_running`` may run at once and ``calls_per_minute`` be made; None is no
    limit. The ``fallback`` is called in its place while its breaker is open."""

    is_active: bool = True
    permission_level: Permission = Permission.AUTO
    max_running: int | None = None
    calls_per_minute: int | None = None
    fallback: Fallback | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSettingChange:
    """What is None stays. A limit of 0 is none."""

    is_active: bool | None = None
    permission_level: Permission | None = None
    max_running: int | None = None
    calls_per_minute: int | None = None

    @property
    def columns(self) -> dict[str, Any]:
        given = {"is_active": self.is_active, "permission_level": self.permission_level}
        return {key: value for key, value in given.items() if value is not None} | self.limits

    @property
    def limits(self) -> dict[str, int | None]:
        given = {"max_running": self.max_running, "calls_per_minute": self.calls_per_minute}
        return {key: value or None for key, value in given.items() if value is not None}


async def tool_settings(database: Database, team_id: UUID) -> dict[str, ToolSetting]:
    """By name of the tool. A tool of which the team said nothing is not among them."""
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(
            select(col(Tool.name), *_SETTING).where(col(Tool.team_id) == team_id)
        )
        return {row.name: _setting(row) for row in rows}


_SETTING = (
    col(Tool.is_active),
    col(Tool.permission_level),
    col(Tool.max_running),
    col(Tool.calls_per_minute),
    col(Tool.fallback),
)


def _setting(row: Row[*tuple[Any, ...]]) -> ToolSetting:
    return ToolSetting(
        is_active=row.is_active,
        permission_level=row.permission_level,
        max_running=row.max_running,
        calls_per_minute=row.calls_per_minute,
        fallback=fallback_of(row.fallback),
    )


def fallback_of(stored: dict[str, Any] | None) -> Fallback | None:
    """None for what an earlier version stored and this one does not take any more."""
    try:
        return None if stored is None else Fallback.model_validate(stored)
    except ValidationError:
        log.warning("tool.stored_fallback_invalid")
        return None


async def set_fallback(
    database: Database, actor: Actor, name: str, fallback: Fallback | None
) -> None:
    """Say what is called in place of a tool, of which there is a row."""
    document = None if fallback is None else fallback.model_dump(mode="json", exclude_none=True)
    async with database.writing() as connection:
        await connection.execute(
            update(Tool)
            .where(col(Tool.team_id) == actor.team_id, col(Tool.name) == name)
            .values(fallback=null() if document is None else document)
        )
        details = {"fallback": None if fallback is None else fallback.tool}
        await note(connection, actor, Deed("tool.fallback_set", name, details=details))


async def is_known_tool(database: Database, team_id: UUID, name: str) -> bool:
    """Whether the team has said something of it, or registered it or its server."""
    query = select(col(Tool.id)).where(col(Tool.team_id) == team_id, col(Tool.name) == name)
    async with database.reading(fresh=True) as connection:
        return await connection.scalar(query) is not None


async def set_native_tool(
    database: Database,
    actor: Actor,
    name: str,
    default: ToolSetting,
    change: ToolSettingChange,
) -> ToolSetting:
    """Change a native tool's setting for the actor's team; gives the whole setting.

    ``default`` is what holds as long as the team says nothing.
    """
    changes = change.columns
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
                .returning(*_SETTING)
            )
        ).one()
        await note_change(connection, actor, name, change)
    return _setting(saved)


async def note_change(
    connection: AsyncConnection, actor: Actor, name: str, change: ToolSettingChange
) -> None:
    """Write down what somebody says of a tool, or of a server."""
    if change.is_active is not None:
        await note(connection, actor, Deed(_SWITCHED[change.is_active], name))
    if change.permission_level is not None:
        details = {"permission_level": str(change.permission_level)}
        await note(connection, actor, Deed("tool.permission_set", name, details=details))
    if change.limits:
        await note(connection, actor, Deed("tool.limited", name, details=change.limits))


_SWITCHED = {True: "tool.enabled", False: "tool.disabled"}
