"""A team's MCP tools, as they are listed, changed and called. See `mcp_servers` for their rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from pydantic import JsonValue, ValidationError
from sqlalchemy import ColumnElement, Row, Select, and_, func, literal_column, or_, select, update
from sqlalchemy.orm import aliased
from sqlmodel import col

from activities.store.audit import Actor
from activities.store.database import Database
from activities.store.tables import Tool
from activities.store.tools import ToolSettingChange, fallback_of, note_change
from workflows.definitions.fallback import Fallback
from workflows.definitions.mcp_server import PREFIX, McpServer
from workflows.states import Permission, ToolType

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StoredTool:
    """A server or a tool as it is listed. A tool is active when its server is as well.

    ``refused`` are the tools of a server that are left out, and why. ``changed`` is what a tool was
    before the server changed it, until the team says something about it again. ``checked`` is how a
    server answered when somebody looked last (``mcp_checks``).
    """

    name: str
    description: str
    schema: dict[str, JsonValue]
    is_active: bool
    permission_level: Permission
    refused: tuple[str, ...] = ()
    changed: dict[str, JsonValue] | None = None
    max_running: int | None = None
    calls_per_minute: int | None = None
    fallback: Fallback | None = None
    is_server: bool = False
    checked: dict[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class CallableTool:
    """An active tool, and all that a call of it needs. ``name`` is the whole, ``tool`` the server's
    own name for it."""

    name: str
    tool: str
    description: str
    schema: dict[str, JsonValue]
    permission: Permission
    is_retry_safe: bool
    server: McpServer
    reads_resources: bool = False
    fallback: Fallback | None = None


async def change_mcp_tool(
    database: Database,
    actor: Actor,
    name: str,
    change: ToolSettingChange,
) -> StoredTool | None:
    """Change the setting of a tool, or of a server; None when there is none of this name.

    A server's permission becomes that of all its tools. Its being active is a switch of its own,
    and so are its limits. A change of a tool's definition counts as seen from then on.
    """
    team_id, permission_level, changes = actor.team_id, change.permission_level, change.columns
    seen = {"config": col(Tool.config).op("-")(literal_column("text 'changed'"))}
    async with database.writing() as connection:
        if changes:
            await connection.execute(
                update(Tool)
                .where(col(Tool.team_id) == team_id, col(Tool.name) == name, is_mcp())
                .values(changes | seen)
            )
        if permission_level is not None:
            await connection.execute(
                update(Tool)
                .where(col(Tool.team_id) == team_id, is_tool_of(name.removeprefix(PREFIX)))
                .values({"permission_level": permission_level} | seen)
            )
        row = (await connection.execute(_listed(team_id).where(col(Tool.name) == name))).first()
        if row is not None:
            await note_change(connection, actor, name, change)
    return None if row is None else _stored(row)


async def find_mcp_tool(database: Database, team_id: UUID, name: str) -> StoredTool | None:
    """A server, or a tool of one."""
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(_listed(team_id).where(col(Tool.name) == name))).first()
    return None if row is None else _stored(row)


async def list_mcp_tools(
    database: Database,
    team_id: UUID,
    *,
    after: str = "",
    limit: int,
    search: str | None = None,
    only_servers: bool = False,
) -> Sequence[StoredTool]:
    """Servers and tools by name, from the first one after ``after``; with a text in the name or the
    description."""
    by_name = col(Tool.name).collate("C")
    query = _listed(team_id).where(by_name > after).order_by(by_name).limit(limit)
    if search:
        words = (col(Tool.name), col(Tool.description))
        query = query.where(or_(*(each.icontains(search, autoescape=True) for each in words)))
    if only_servers:
        query = query.where(col(Tool.config)["connection"].astext.is_not(None))
    async with database.reading(fresh=True) as connection:
        return [_stored(row) for row in await connection.execute(query)]


async def list_server(database: Database, team_id: UUID, server: str) -> Sequence[StoredTool]:
    """A server, and after it its tools by name."""
    name = f"{PREFIX}{server}"
    query = (
        _listed(team_id)
        .where(or_(col(Tool.name) == name, is_tool_of(server)))
        .order_by(col(Tool.name).collate("C"))
    )
    async with database.reading(fresh=True) as connection:
        return [_stored(row) for row in await connection.execute(query)]


async def callable_tools(
    database: Database, team_id: UUID, name: str | None = None
) -> Sequence[CallableTool]:
    """The tools that are active, by name: all of them, or the one that is named."""
    query = (
        select(
            col(Tool.name),
            col(Tool.description),
            col(Tool.schema_).label("schema"),
            col(Tool.config),
            col(Tool.permission_level),
            col(Tool.fallback),
            col(_Server.config).label("server"),
        )
        .join(_Server, _serves)
        .where(
            col(Tool.team_id) == team_id,
            is_mcp(),
            col(Tool.is_active),
            col(_Server.is_active),
            _is_there,
        )
        .order_by(col(Tool.name).collate("C"))
    )
    if name is not None:
        query = query.where(col(Tool.name) == name)
    async with database.reading(fresh=True) as connection:
        rows = (await connection.execute(query)).all()
    return [tool for row in rows if (tool := _callable(row)) is not None]


_Server = aliased(Tool)

_serves = and_(
    col(_Server.team_id) == col(Tool.team_id),
    col(_Server.name) == func.concat(PREFIX, col(Tool.config)["server"].astext),
)
_is_there = col(Tool.config)["is_gone"].astext.is_distinct_from("true")


def is_mcp() -> ColumnElement[bool]:
    return col(Tool.type) == ToolType.MCP


def is_tool_of(server: str) -> ColumnElement[bool]:
    return and_(is_mcp(), col(Tool.config)["server"].astext == server)


def _listed(team_id: UUID) -> Select[*tuple[Any, ...]]:
    return (
        select(
            col(Tool.name),
            col(Tool.description),
            col(Tool.schema_).label("schema"),
            and_(col(Tool.is_active), func.coalesce(col(_Server.is_active), True)).label(
                "is_active"
            ),
            col(Tool.permission_level),
            col(Tool.config),
            col(Tool.max_running),
            col(Tool.calls_per_minute),
            col(Tool.fallback),
        )
        .outerjoin(_Server, _serves)
        .where(col(Tool.team_id) == team_id, is_mcp(), _is_there)
    )


def _stored(row: Row[*tuple[Any, ...]]) -> StoredTool:
    return StoredTool(
        name=row.name,
        description=row.description,
        schema=row.schema,
        is_active=row.is_active,
        permission_level=row.permission_level,
        refused=tuple(row.config.get("refused", ())),
        changed=row.config.get("changed"),
        max_running=row.max_running,
        calls_per_minute=row.calls_per_minute,
        fallback=fallback_of(row.fallback),
        is_server="connection" in row.config,
        checked=row.config.get("checked"),
    )


def _callable(row: Row[*tuple[Any, ...]]) -> CallableTool | None:
    if (server := connection_of(row.server)) is None:
        return None
    return CallableTool(
        name=row.name,
        tool=row.config["tool"],
        description=row.description,
        schema=row.schema,
        permission=row.permission_level,
        is_retry_safe=bool(row.config["is_retry_safe"]),
        server=server,
        reads_resources=bool(row.config.get("reads_resources")),
        fallback=fallback_of(row.fallback),
    )


def connection_of(config: dict[str, Any]) -> McpServer | None:
    """None for what an earlier version stored and this one does not take any more."""
    try:
        return McpServer.model_validate(config["connection"])
    except (KeyError, ValidationError):
        log.warning("mcp.stored_server_invalid")
        return None
