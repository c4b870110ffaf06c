"""Tools, MCP servers and breakers: what there is, and the team's word on it."""

from math import isfinite
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import Depends, Request, Response
from pydantic import JsonValue

from activities.store.audit import Actor
from api.errors import InvalidRequest
from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.routes import breakers as breakers_api
from api.http.routes import tools as tools_api
from api.http.routes.audit import list_audit
from api.http.routes.breakers import get_breakers
from api.http.routes.mcp_servers import check_server
from api.http.routes.tools import get_tool, list_tools
from api.services import Services
from api.web.forms import own_path, text_of
from api.web.page import fields_of, pages, render, see_other
from api.web.paging import first_page, next_page
from api.web.schema_tables import rows_of
from api.wire.requests import BreakerDecision, ToolChange
from api.wire.responses.audit import AuditEntry
from api.wire.responses.breakers import Breaker
from api.wire.responses.pages import MAX_PAGE, Page
from api.wire.responses.tools import Tool
from workflows.definitions import mcp_server
from workflows.pointers import Problem
from workflows.states import BreakerState

router = pages()

GivenTool = Annotated[Tool, Depends(get_tool)]

_SERVERS, _BREAKERS = "/tools/servers", "/tools/breakers"


@router.get("/tools")
async def tools_page(
    request: Request,
    tools: Annotated[Page[Tool], Depends(list_tools)],
    breakers: Annotated[Page[Breaker], Depends(get_breakers)],
) -> Response:
    """List tools, with a search."""
    return render(
        request,
        "tools/tools.html",
        tools=[tool for tool in tools.items if not tool.is_server],
        given=request.query_params,
        states=_states(breakers),
        first=first_page(request),
        next=next_page(request, tools),
        address_of=address_of,
    )


async def _servers(services: ServicesDep, team_id: TeamDep) -> Page[Tool]:
    # A team has no more than fit on a page.
    return await list_tools(services=services, team_id=team_id, kind="server", limit=MAX_PAGE)


@router.get("/tools/servers")
async def servers_page(
    request: Request,
    servers: Annotated[Page[Tool], Depends(_servers)],
    breakers: Annotated[Page[Breaker], Depends(get_breakers)],
) -> Response:
    """List MCP servers, and whether they are well."""
    return render(
        request,
        "tools/servers.html",
        servers=servers.items,
        states=_states(breakers),
        address_of=address_of,
    )


async def _history(services: ServicesDep, team_id: TeamDep) -> Page[AuditEntry]:
    return await list_audit(services=services, team_id=team_id, action=("breaker",), limit=20)


@router.get("/tools/breakers")
async def breakers_page(
    request: Request,
    breakers: Annotated[Page[Breaker], Depends(get_breakers)],
    history: Annotated[Page[AuditEntry], Depends(_history)],
    name: str = "",
) -> Response:
    """List breakers that are open, or were lately, and what people did with any."""
    return render(
        request,
        "tools/breakers.html",
        breakers=breakers.items,
        history=history.items,
        name=name,
        first=first_page(request),
        next=next_page(request, breakers),
    )


@router.post("/tools/breakers")
async def decide(request: Request, services: ServicesDep, actor: ActorDep) -> Response:
    """Open or close one."""
    fields = await fields_of(request)
    minutes = text_of(fields, "minutes").strip()
    wanted: dict[str, JsonValue] = {"note": text_of(fields, "note")}
    if minutes:
        wanted["seconds"] = _number(minutes) * 60
    decision = checked(BreakerDecision, wanted)
    is_opened = text_of(fields, "state") == BreakerState.OPEN
    act = breakers_api.open_breaker if is_opened else breakers_api.close_breaker
    await act(text_of(fields, "name").strip(), decision, services, actor)
    return see_other(_BREAKERS)


@router.post("/tools/change")
async def change(request: Request, services: ServicesDep, actor: ActorDep) -> Response:
    """Change a setting of a tool or a server, and go on where one was."""
    fields = await fields_of(request)
    given: dict[str, JsonValue] = {}
    if level := fields.get("permission_level"):
        given["permission_level"] = str(level)
    if active := fields.get("is_active"):
        given["is_active"] = str(active) == "true"
    for bound in ("max_running", "calls_per_minute"):
        if bound in fields:
            given[bound] = int(_number(str(fields[bound]).strip() or "0"))
    name = text_of(fields, "name")
    await tools_api.change_tool(name, checked(ToolChange, given), services, actor)
    return see_other(own_path(str(fields.get("back", "/tools"))))


@router.post("/tools/check")
async def check(request: Request, services: ServicesDep, actor: ActorDep) -> Response:
    """Ask a server whether it is well."""
    fields = await fields_of(request)
    name = text_of(fields, "name").removeprefix(mcp_server.PREFIX)
    await check_server(name, services, actor)
    return see_other(own_path(str(fields.get("back", _SERVERS))))


@router.get("/tools/{name:path}/remove")
async def removing_page(
    request: Request,
    services: ServicesDep,
    team_id: TeamDep,
    server: GivenTool,
) -> Response:
    """Say what will happen."""
    tools = await _tools_of(services, team_id, server)
    return render(request, "tools/remove.html", server=server, tools=tools, address_of=address_of)


@router.post("/tools/{name:path}/remove")
async def remove(name: tools_api.ToolName, services: ServicesDep, actor: ActorDep) -> Response:
    """Remove a server with its tools."""
    await tools_api.remove_tools(name, services, actor)
    return see_other(_SERVERS)


@router.get("/tools/{name:path}")
async def tool_page(
    request: Request,
    services: ServicesDep,
    actor: ActorDep,
    tool: GivenTool,
) -> Response:
    """Show a tool with its arguments, or a server with its tools."""
    return render(
        request,
        "tools/server.html" if tool.is_server else "tools/tool.html",
        tool=tool,
        tools=await _tools_of(services, actor.team_id, tool) if tool.is_server else (),
        rows=rows_of(tool.schema_),
        breaker=await _breaker(services, actor, tool),
        address_of=address_of,
    )


def address_of(name: str) -> str:
    """The page of a tool or a server; names of servers' tools may hold anything."""
    return f"/tools/{quote(name, safe='')}"


def breaker_of(tool: Tool) -> str:
    return f"mcp:{tool.name.removeprefix('mcp.')}" if tool.is_server else f"tool:{tool.name}"


async def _tools_of(services: Services, team_id: UUID, server: Tool) -> list[Tool]:
    listed = await tools_api.tools_of_server(services, team_id, server.name)
    return [tool for tool in listed if not tool.is_server]


async def _breaker(services: Services, actor: Actor, tool: Tool) -> Breaker | None:
    listed = await get_breakers(services, actor, limit=MAX_PAGE)
    return next((each for each in listed.items if each.name == breaker_of(tool)), None)


def _number(text: str) -> float:
    try:
        number = float(text)
        return number if isfinite(number) else _number("")
    except ValueError:
        raise InvalidRequest([Problem("", f"{text[:50]!r} is no number")]) from None


def _states(breakers: Page[Breaker]) -> dict[str, str]:
    return {each.name: str(each.state) for each in breakers.items}
