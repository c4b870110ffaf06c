"""Tools: which there are, the team's settings for them, and the MCP servers it registered."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response

from activities.kinds.tool_names import mcp_tool_names
from activities.store.mcp_servers import register_server, remove_server
from activities.store.mcp_tools import (
    StoredTool,
    change_mcp_tool,
    find_mcp_tool,
    list_mcp_tools,
    list_server,
)
from activities.store.tools import (
    ToolSetting,
    ToolSettingChange,
    set_native_tool,
    tool_settings,
)
from activities.tools.registry import Tool
from api.errors import InvalidRequest, NotFound, ServerNotUsable, ServersOfOwner, did_you_mean
from api.http.bodies import Body
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.openapi import refusals
from api.http.paging import NO_CURSOR, CursorText, Limit
from api.http.peers import why_stranger
from api.http.routing import Routes
from api.services import Services
from api.tasks.fallbacks import declare
from api.wire.requests import Text, ToolChange, ToolRegistration
from api.wire.responses import tools as answers
from api.wire.responses.pages import DEFAULT_PAGE, Page
from api.wire.responses.tools import RegisteredServer
from workflows.definitions import mcp_server
from workflows.errors.mcp import McpError
from workflows.states import ToolType

router = Routes(prefix="/tools", tags=["tools"])


Kind = Literal["native", "mcp", "server"]
Search = Annotated[Text, Query(min_length=1, max_length=200)]


@router.get("")
async def list_tools(
    *,
    services: ServicesDep,
    team_id: TeamDep,
    kind: Kind | None = None,
    text: Search | None = None,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[answers.Tool]:
    """List every tool with its arguments, by name. An MCP server precedes its tools.

    ``kind`` may be ``native``, ``mcp`` (servers and their tools) or ``server``; ``text`` is
    something in the name or the description.
    """
    after = cursor or ""
    if "\x00" in after:
        raise InvalidRequest([NO_CURSOR])
    settings = await tool_settings(services.database, team_id)
    listed = [
        _native(tool, settings.get(name, ToolSetting(permission_level=tool.permission)))
        for name, tool in services.tools.tools.items()
        if name > after and kind in {None, "native"} and _holds(tool, text)
    ]
    if kind != "native":
        listed += [
            answer_of(tool)
            for tool in await list_mcp_tools(
                services.database,
                team_id,
                after=after,
                limit=limit + 1,
                search=text,
                only_servers=kind == "server",
            )
        ]
    listed.sort(key=lambda tool: tool.name)
    following = listed[limit - 1].name if len(listed) > limit else None
    return Page(items=listed[:limit], next_cursor=following)


@router.post("/register", status_code=201, responses=refusals(ServerNotUsable, ServersOfOwner))
async def register_tools(
    request: Annotated[ToolRegistration, Depends(Body(ToolRegistration))],
    services: ServicesDep,
    actor: ActorDep,
    sent: Request,
) -> RegisteredServer:
    """Connect to an MCP server and offer its tools as ``mcp.<name>.<tool>``.

    A server with the same name is replaced; the team's settings for its tools are kept. If the
    server cannot be used, nothing changes.
    """
    # A key says for which team somebody speaks, and not that programs of theirs may run as us.
    if services.mcp.policy.is_for_owner and (reason := why_stranger(sent.scope)):
        raise ServersOfOwner(reason=reason)
    server = request.server
    try:
        listing = await services.mcp.probe(actor.team_id, server)
    except McpError as error:
        said = f" It said:\n{error.said.rstrip().rstrip('.')}." if error.said else ""
        raise ServerNotUsable(reason=f"{error}{said}") from error
    await register_server(
        services.database,
        actor,
        server,
        listing,
        description=request.description or f"MCP server: {server.endpoint}",
        permission_level=request.permission_level,
    )
    first, *others = await list_server(services.database, actor.team_id, server.name)
    tools = [answer_of(tool) for tool in others]
    return RegisteredServer(server=answer_of(first), tools=tools, refused=list(listing.refused))


ToolName = Annotated[Text, Path(description="the whole name")]


@router.get("/{name:path}")
async def get_tool(name: ToolName, services: ServicesDep, team_id: TeamDep) -> answers.Tool:
    """Show a tool, or an MCP server, by its whole name."""
    if (tool := services.tools.tools.get(name)) is not None:
        settings = await tool_settings(services.database, team_id)
        return _native(tool, settings.get(name, ToolSetting(permission_level=tool.permission)))
    found = await find_mcp_tool(services.database, team_id, name)
    if found is None:
        raise await _no_tool(services, team_id, name)
    return answer_of(found)


@router.patch("/{name:path}")
async def change_tool(
    name: ToolName,
    change: Annotated[ToolChange, Depends(Body(ToolChange))],
    services: ServicesDep,
    actor: ActorDep,
) -> answers.Tool:
    """Enable or disable a tool for the team, set whether its calls require approval, or limit them.

    The name of an MCP server changes all of its tools. Limits of a server hold for the calls of all
    its tools together, beside those of each. A limit of 0 is none.
    """
    if "fallback" in change.model_fields_set:
        await declare(services, actor, name, change.fallback)
    changes = ToolSettingChange(**change.model_dump(exclude={"fallback"}))
    if (tool := services.tools.tools.get(name)) is not None:
        default = ToolSetting(permission_level=tool.permission)
        setting = await set_native_tool(services.database, actor, name, default, changes)
        return _native(tool, setting)
    changed = await change_mcp_tool(services.database, actor, name, changes)
    if changed is None:
        raise await _no_tool(services, actor.team_id, name)
    return answer_of(changed)


@router.delete("/{name:path}", status_code=204)
async def remove_tools(name: ToolName, services: ServicesDep, actor: ActorDep) -> Response:
    """Remove an MCP server, ``mcp.<name>``, with all its tools."""
    if not await remove_server(services.database, actor, name):
        raise NotFound(kind="MCP server", id=repr(name[:100]))
    return Response(status_code=204)


async def tools_of_server(services: Services, team_id: UUID, name: str) -> list[answers.Tool]:
    """A server, and after it its tools, by its whole name."""
    found = await list_server(services.database, team_id, name.removeprefix(mcp_server.PREFIX))
    return [answer_of(tool) for tool in found]


def _holds(tool: Tool, text: str | None) -> bool:
    return text is None or text.lower() in f"{tool.name}\n{tool.description}".lower()


def _native(tool: Tool, setting: ToolSetting) -> answers.Tool:
    return answers.Tool(
        name=tool.name,
        type=ToolType.NATIVE,
        description=tool.description,
        schema_=tool.schema,
        is_active=setting.is_active,
        permission_level=setting.permission_level,
        max_running=setting.max_running,
        calls_per_minute=setting.calls_per_minute,
        fallback=setting.fallback or tool.fallback,
        is_own=tool.is_own,
    )


def answer_of(tool: StoredTool) -> answers.Tool:
    return answers.Tool(
        name=tool.name,
        type=ToolType.MCP,
        description=tool.description,
        schema_=tool.schema,
        is_active=tool.is_active,
        permission_level=tool.permission_level,
        refused=tool.refused,
        max_running=tool.max_running,
        calls_per_minute=tool.calls_per_minute,
        fallback=tool.fallback,
        changed=tool.changed and answers.ChangedTool.model_validate(tool.changed),
        is_server=tool.is_server,
        checked=tool.checked and answers.CheckedServer.model_validate(tool.checked),
    )


async def _no_tool(services: ServicesDep, team_id: UUID, name: str) -> NotFound:
    """That no tool has this name, and which one may be meant."""
    known = [*services.tools.tools, *await mcp_tool_names(services.database, team_id)]
    return NotFound(kind="tool", id=repr(name[:100]), hint=did_you_mean(name, known))
