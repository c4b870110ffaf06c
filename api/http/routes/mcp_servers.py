"""MCP servers: whether they answer. They are registered, listed and removed as tools are."""

import asyncio
import time
from typing import Annotated

from fastapi import Path

from activities.store.mcp_checks import Checked, find_server, note_check
from activities.store.mcp_servers import update_listing
from activities.store.mcp_tools import find_mcp_tool
from activities.tools.mcp.listing import Listing
from api.errors import NotFound
from api.http.dependencies import ActorDep, ServicesDep
from api.http.routes.tools import answer_of
from api.http.routing import Routes
from api.wire.requests import MAX_DESCRIPTION_CHARACTERS, Text
from api.wire.responses import tools as answers
from workflows.definitions import mcp_server
from workflows.errors.mcp import McpError

# Somebody waits for the answer; a server that starts for the first time may take longer.
CHECK_SECONDS = 20.0

router = Routes(prefix="/mcp-servers", tags=["tools"])

Name = Annotated[Text, Path(description="the name that it was registered under")]


@router.post("/{name}/check", operation_id="checkMcpServer")
async def check_server(name: Name, services: ServicesDep, actor: ActorDep) -> answers.Tool:
    """Connect to an MCP server, ``tracker`` for ``mcp.tracker``, and say in ``checked`` how it
    answered.

    What it offers now is taken over, as whenever a worker connects to it.
    """
    team_id, full_name = actor.team_id, f"{mcp_server.PREFIX}{name}"
    server = await find_server(services.database, team_id, full_name)
    if server is None:
        raise NotFound(kind="MCP server", id=repr(name[:100]))
    began = time.monotonic()
    listing, error = Listing(()), None
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            listing = await services.mcp.probe(team_id, server)
    except TimeoutError:
        error = f"It has not answered within {CHECK_SECONDS:.0f} seconds."
    except McpError as failure:
        error = str(failure)[:MAX_DESCRIPTION_CHARACTERS]
    else:
        await update_listing(services.database, team_id, server, listing)
    duration_ms = round((time.monotonic() - began) * 1_000)
    checked = Checked(len(listing.tools), duration_ms, error)
    await note_check(services.database, team_id, full_name, checked)
    found = await find_mcp_tool(services.database, team_id, full_name)
    if found is None:
        raise NotFound(kind="MCP server", id=repr(name[:100]))
    return answer_of(found)
