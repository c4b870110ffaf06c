"""A team's MCP servers, as rows of ``tools``: ``mcp.<server>``, and ``mcp.<server>.<tool>`` each.

A server's row keeps how to connect to it, under ``connection`` in its configuration. A tool's row
keeps its schema. What the team says of a tool outlives the tool: one that the server takes away is
marked as gone, and is what it was when it comes back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import structlog
from pydantic import JsonValue, ValidationError
from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased
from sqlmodel import col

from activities.store.database import Database
from activities.store.tables import Tool
from activities.tools.mcp.config import PREFIX, McpServer
from activities.tools.mcp.listing import Listing, McpTool
from workflows.contracts import Permission, ToolType
from workflows.errors import McpServerInvalid

MAX_SERVERS_PER_TEAM = 100

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StoredTool:
    """A server or a tool as it is listed. A tool is active when its server is as well."""

    name: str
    description: str
    schema: dict[str, JsonValue]
    is_active: bool
    permission_level: Permission


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


async def register_server(
    database: Database,
    team_id: UUID,
    server: McpServer,
    listing: Listing,
    *,
    description: str,
    permission_level: Permission | None,
) -> None:
    """Store a server with its tools, or replace the one of its name, in one transaction.

    A permission of None is what the server had. It is that of the tools that are new: what the team
    said of the others is kept.

    Raises:
        McpServerInvalid: the team has as many servers as are allowed.
    """
    row = _row(team_id, server.full_name) | {
        "description": description,
        "schema": {},
        "endpoint": server.endpoint,
        "config": {"connection": server.model_dump(mode="json", exclude_defaults=True)},
        "permission_level": permission_level or Permission.AUTO,
    }
    changed = {key: row[key] for key in ("description", "endpoint", "config")}
    if permission_level is not None:
        changed["permission_level"] = permission_level
    async with database.writing() as connection:
        level = await connection.scalar(
            insert(Tool)
            .values(row)
            .on_conflict_do_update(constraint="tools_once", set_=changed)
            .returning(col(Tool.permission_level))
        )
        servers = await connection.scalar(
            select(func.count()).where(col(Tool.team_id) == team_id, _is_server(Tool))
        )
        if (servers or 0) > MAX_SERVERS_PER_TEAM:
            reason = f"the team has {MAX_SERVERS_PER_TEAM} servers, which is the limit."
            raise McpServerInvalid(reason=reason)
        await _replace_tools(connection, team_id, server, listing, Permission(str(level)))


async def update_listing(
    database: Database, team_id: UUID, server: McpServer, listing: Listing
) -> None:
    """Store what a server offers now, unless it was removed or replaced by another since."""
    async with database.writing() as connection:
        row = (
            await connection.execute(
                select(col(Tool.config), col(Tool.permission_level))
                .where(col(Tool.team_id) == team_id, col(Tool.name) == server.full_name)
                .with_for_update()
            )
        ).one_or_none()
        if row is not None and _connection_of(row.config) == server:
            await _replace_tools(
                connection, team_id, server, listing, Permission(row.permission_level)
            )


async def remove_server(database: Database, team_id: UUID, name: str) -> bool:
    """Remove ``mcp.<server>`` with its tools; whether there was such a server."""
    is_ours = col(Tool.team_id) == team_id
    async with database.writing() as connection:
        # The server first, as everywhere here: two who lock rows in another order wait for ever.
        removed = await connection.scalar(
            delete(Tool)
            .where(is_ours, col(Tool.name) == name, _is_server(Tool))
            .returning(col(Tool.id))
        )
        if removed is not None:
            await connection.execute(
                delete(Tool).where(is_ours, _is_tool_of(name.removeprefix(PREFIX)))
            )
    return removed is not None


async def change_mcp_tool(
    database: Database,
    team_id: UUID,
    name: str,
    *,
    is_active: bool | None = None,
    permission_level: Permission | None = None,
) -> StoredTool | None:
    """Change what is not None of a tool, or of a server; None when there is none of this name.

    A server's permission becomes that of all its tools. Its being active is a switch of its own.
    """
    given = {"is_active": is_active, "permission_level": permission_level}
    changes = {key: value for key, value in given.items() if value is not None}
    async with database.writing() as connection:
        if changes:
            await connection.execute(
                update(Tool)
                .where(col(Tool.team_id) == team_id, col(Tool.name) == name, _is_mcp(Tool))
                .values(changes)
            )
        if permission_level is not None:
            await connection.execute(
                update(Tool)
                .where(col(Tool.team_id) == team_id, _is_tool_of(name.removeprefix(PREFIX)))
                .values(permission_level=permission_level)
            )
        row = (await connection.execute(_listed(team_id).where(col(Tool.name) == name))).first()
    return None if row is None else _stored(row)


async def list_mcp_tools(
    database: Database, team_id: UUID, *, after: str = "", limit: int
) -> Sequence[StoredTool]:
    """Servers and tools by name, from the first one after ``after``."""
    by_name = col(Tool.name).collate("C")
    query = _listed(team_id).where(by_name > after).order_by(by_name).limit(limit)
    async with database.reading(fresh=True) as connection:
        return [_stored(row) for row in await connection.execute(query)]


async def list_server(database: Database, team_id: UUID, server: str) -> Sequence[StoredTool]:
    """A server, and after it its tools by name."""
    name = f"{PREFIX}{server}"
    query = (
        _listed(team_id)
        .where(or_(col(Tool.name) == name, _is_tool_of(server)))
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
            col(_Server.config).label("server"),
        )
        .join(_Server, _serves)
        .where(
            col(Tool.team_id) == team_id,
            _is_mcp(Tool),
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


def _is_mcp(table: type[Tool]) -> ColumnElement[bool]:
    return col(table.type) == ToolType.MCP


def _is_server(table: type[Tool]) -> ColumnElement[bool]:
    return and_(_is_mcp(table), col(table.config)["connection"].astext.is_not(None))


def _is_tool_of(server: str) -> ColumnElement[bool]:
    return and_(_is_mcp(Tool), col(Tool.config)["server"].astext == server)


async def _replace_tools(
    connection: AsyncConnection,
    team_id: UUID,
    server: McpServer,
    listing: Listing,
    permission_level: Permission,
) -> None:
    rows = list(_tool_rows(team_id, server, listing.tools, permission_level))
    await connection.execute(
        update(Tool)
        .where(
            col(Tool.team_id) == team_id,
            _is_tool_of(server.name),
            col(Tool.name).not_in([row["name"] for row in rows]),
        )
        .values(config=col(Tool.config).concat({"is_gone": True}))
    )
    if rows:
        new = insert(Tool).values(rows)
        columns = {
            "description": col(Tool.description),
            "schema": col(Tool.schema_),
            "config": col(Tool.config),
        }
        await connection.execute(
            new.on_conflict_do_update(
                constraint="tools_once",
                set_={name: new.excluded[name] for name in columns},
                # Most connections find what is stored already: nothing is written then.
                where=or_(
                    *(
                        column.is_distinct_from(new.excluded[name])
                        for name, column in columns.items()
                    )
                ),
            )
        )


def _tool_rows(
    team_id: UUID, server: McpServer, tools: Iterable[McpTool], permission_level: Permission
) -> Iterable[dict[str, Any]]:
    for tool in tools:
        config: JsonValue = {
            "server": server.name,
            "tool": tool.name,
            "is_retry_safe": tool.is_retry_safe,
        }
        yield _row(team_id, f"{server.full_name}.{tool.name}") | {
            "description": tool.description,
            "schema": tool.schema,
            "endpoint": None,
            "config": config,
            "permission_level": permission_level,
        }


def _row(team_id: UUID, name: str) -> dict[str, Any]:
    return {
        # Not made from the name: two of the same, stored at once, would clash in both keys, and
        # PostgreSQL resolves a conflict in one of them only.
        "id": uuid4(),
        "team_id": team_id,
        "name": name,
        "type": ToolType.MCP,
        "is_active": True,
    }


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
        )
        .outerjoin(_Server, _serves)
        .where(col(Tool.team_id) == team_id, _is_mcp(Tool), _is_there)
    )


def _stored(row: Row[*tuple[Any, ...]]) -> StoredTool:
    return StoredTool(
        row.name, row.description, row.schema, row.is_active, Permission(row.permission_level)
    )


def _callable(row: Row[*tuple[Any, ...]]) -> CallableTool | None:
    if (server := _connection_of(row.server)) is None:
        return None
    return CallableTool(
        name=row.name,
        tool=row.config["tool"],
        description=row.description,
        schema=row.schema,
        permission=Permission(row.permission_level),
        is_retry_safe=bool(row.config["is_retry_safe"]),
        server=server,
    )


def _connection_of(config: dict[str, Any]) -> McpServer | None:
    """None for what an earlier version stored and this one does not take any more."""
    try:
        return McpServer.model_validate(config["connection"])
    except (KeyError, ValidationError):
        log.warning("mcp.stored_server_invalid")
        return None
