"""A team's MCP servers, as rows of ``tools``: ``mcp.<server>``, and ``mcp.<server>.<tool>`` each.

A server's row keeps how to connect to it, under ``connection`` in its configuration, and which of
its tools are left out, under ``refused``. A tool's row keeps its schema. If the server has changed
the tool since the team last said something of it, ``changed`` keeps what it was then.

The row of a tool that the server takes away is removed, unless the team has said of it what it did
not say of the server: then it is marked as gone, and is what it was when it comes back.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from pydantic import JsonValue
from sqlalchemy import ColumnElement, and_, case, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store import audit
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.mcp_tools import connection_of, is_mcp, is_tool_of
from activities.store.tables import Team, Tool
from activities.tools.mcp.listing import Listing, McpTool
from workflows.definitions.mcp_server import PREFIX, McpServer
from workflows.errors.mcp import McpServerInvalid
from workflows.states import Permission, ToolType

MAX_SERVERS_PER_TEAM = 100


async def register_server(
    database: Database,
    actor: Actor,
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
    team_id = actor.team_id
    row = _row(team_id, server.full_name) | {
        "description": description,
        "schema": {},
        "endpoint": server.endpoint,
        "config": {
            "connection": server.model_dump(mode="json", exclude_defaults=True),
            **_refused(listing),
        },
        "permission_level": permission_level or Permission.AUTO,
    }
    changed = {key: row[key] for key in ("description", "endpoint", "config")}
    if permission_level is not None:
        changed["permission_level"] = permission_level
    async with database.writing() as connection:
        # One at a time, or the servers that others register at this moment would not be counted.
        await connection.execute(
            select(col(Team.id)).where(col(Team.id) == team_id).with_for_update(key_share=True)
        )
        level = await connection.scalar(
            insert(Tool)
            .values(row)
            .on_conflict_do_update(constraint="tools_once", set_=changed)
            .returning(col(Tool.permission_level))
        )
        servers = await connection.scalar(
            select(func.count()).where(col(Tool.team_id) == team_id, _is_server())
        )
        if (servers or 0) > MAX_SERVERS_PER_TEAM:
            reason = f"the team has {MAX_SERVERS_PER_TEAM} servers, which is the limit."
            raise McpServerInvalid(reason=reason)
        await _replace_tools(connection, team_id, server, listing, Permission(str(level)))
        # Not its endpoint: a command line may well have a secret in it.
        details: dict[str, JsonValue] = {
            "tools": len(listing.tools),
            "permission_level": str(level),
        }
        deed = Deed("mcp_server.registered", server.full_name, details=details)
        await audit.note(connection, actor, deed)


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
        if row is not None and connection_of(row.config) == server:
            await _note_refused(connection, team_id, server, row.config, listing)
            await _replace_tools(connection, team_id, server, listing, row.permission_level)


async def remove_server(database: Database, actor: Actor, name: str) -> bool:
    """Remove ``mcp.<server>`` with its tools; whether there was such a server."""
    is_ours = col(Tool.team_id) == actor.team_id
    async with database.writing() as connection:
        # The server first, as everywhere here: two who lock rows in another order wait for ever.
        removed = await connection.scalar(
            delete(Tool)
            .where(is_ours, col(Tool.name) == name, _is_server())
            .returning(col(Tool.id))
        )
        if removed is not None:
            await connection.execute(
                delete(Tool).where(is_ours, is_tool_of(name.removeprefix(PREFIX)))
            )
            await audit.note(connection, actor, Deed("mcp_server.removed", name))
    return removed is not None


def _is_server() -> ColumnElement[bool]:
    return and_(is_mcp(), col(Tool.config)["connection"].astext.is_not(None))


async def _replace_tools(
    connection: AsyncConnection,
    team_id: UUID,
    server: McpServer,
    listing: Listing,
    permission_level: Permission,
) -> None:
    rows = list(_tool_rows(team_id, server, listing.tools, permission_level))
    is_gone = and_(
        col(Tool.team_id) == team_id,
        is_tool_of(server.name),
        col(Tool.name).not_in([row["name"] for row in rows]),
    )
    says_nothing = and_(
        col(Tool.is_active),
        col(Tool.permission_level) == permission_level,
        col(Tool.max_running).is_(None),
        col(Tool.calls_per_minute).is_(None),
        col(Tool.fallback).is_(None),
    )
    await connection.execute(delete(Tool).where(is_gone, says_nothing))
    await connection.execute(
        update(Tool).where(is_gone).values(config=col(Tool.config).concat({"is_gone": True}))
    )
    if rows:
        new = insert(Tool).values(rows)
        is_other = _is_other(new)
        await connection.execute(
            new.on_conflict_do_update(
                constraint="tools_once",
                set_={
                    "description": new.excluded.description,
                    "schema": new.excluded.schema,
                    "config": case(
                        (is_other, _changed(new)),
                        (
                            col(Tool.config)["changed"].astext.is_not(None),
                            new.excluded.config.concat(
                                func.jsonb_build_object("changed", col(Tool.config)["changed"])
                            ),
                        ),
                        else_=new.excluded.config,
                    ),
                },
                # Most connections find what is stored already: nothing is written then.
                where=or_(is_other, col(Tool.config)["is_gone"].astext.is_not(None)),
            )
        )


def _is_other(new: Insert) -> ColumnElement[bool]:
    """Whether what is stored of a tool is not what the server says now."""
    return or_(
        col(Tool.description).is_distinct_from(new.excluded.description),
        col(Tool.schema_).is_distinct_from(new.excluded.schema),
        *(
            col(Tool.config)[key].is_distinct_from(new.excluded.config[key])
            for key in ("is_retry_safe", "reads_resources")
        ),
    )


def _changed(new: Insert) -> ColumnElement[Any]:
    """The configuration of a tool that the server has changed: with what it was before, at the
    first of several changes."""
    before = col(Tool.config)["changed"]
    was = {
        "at": func.now(),
        "description": func.coalesce(before["description"], func.to_jsonb(col(Tool.description))),
        "schema": func.coalesce(before["schema"], col(Tool.schema_)),
    }
    note = func.jsonb_build_object(*(part for pair in was.items() for part in pair))
    return new.excluded.config.concat(func.jsonb_build_object("changed", note))


async def _note_refused(
    connection: AsyncConnection,
    team_id: UUID,
    server: McpServer,
    config: dict[str, Any],
    listing: Listing,
) -> None:
    noted = {key: value for key, value in config.items() if key != "refused"} | _refused(listing)
    if noted != config:
        await connection.execute(
            update(Tool)
            .where(col(Tool.team_id) == team_id, col(Tool.name) == server.full_name)
            .values(config=noted)
        )


def _refused(listing: Listing) -> dict[str, Any]:
    return {"refused": list(listing.refused)} if listing.refused else {}


def _tool_rows(
    team_id: UUID, server: McpServer, tools: Iterable[McpTool], permission_level: Permission
) -> Iterable[dict[str, Any]]:
    for tool in tools:
        config: JsonValue = {
            "server": server.name,
            "tool": tool.name,
            "is_retry_safe": tool.is_retry_safe,
            **({"reads_resources": True} if tool.reads_resources else {}),
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
