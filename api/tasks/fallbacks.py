"""What is called in place of a tool while its breaker is open, as a team declares it."""

from activities.store.audit import Actor
from activities.store.mcp_tools import callable_tools, find_mcp_tool
from activities.store.tools import (
    ToolSetting,
    ToolSettingChange,
    set_fallback,
    set_native_tool,
    tool_settings,
)
from activities.tools.fallbacks import problems_of
from activities.tools.mcp.team_tools import offered_tool
from activities.tools.offered import native_tools
from api.errors import InvalidRequest, NotFound
from api.services import Services
from workflows.definitions.fallback import Fallback
from workflows.pointers import Problem


async def declare(services: Services, actor: Actor, name: str, fallback: Fallback | None) -> None:
    """Keep the fallback of a tool; None: there is none any more.

    Raises:
        NotFound: there is no such tool.
        InvalidRequest: it cannot answer for that tool.
    """
    database = services.database
    native = services.tools.tools.get(name)
    team_id = actor.team_id
    if native is None:
        stored = await find_mcp_tool(database, team_id, name)
        if stored is None:
            raise NotFound(kind="tool", id=repr(name[:100]))
        if stored.is_server:
            reason = f"{name} is a server: each of its tools may have a fallback"
            raise InvalidRequest([Problem("/fallback", reason)])
    if fallback is not None:
        settings = await tool_settings(database, team_id)
        servers = await callable_tools(database, team_id)
        tools = native_tools(services.tools, settings) | {
            tool.name: offered_tool(tool) for tool in servers
        }
        if problems := list(problems_of(name, fallback, tools)):
            raise InvalidRequest(problems)
    if native is not None:
        default = ToolSetting(permission_level=native.permission)
        await set_native_tool(database, actor, name, default, ToolSettingChange())
    await set_fallback(database, actor, name, fallback)
