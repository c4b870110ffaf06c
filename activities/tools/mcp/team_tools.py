"""The tools of a team's registered servers, for whoever offers and calls tools."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

from pydantic import JsonValue

from activities.patience import patiently
from activities.store.database import Database
from activities.store.mcp_tools import CallableTool, callable_tools
from activities.tools.mcp.pool import McpPool
from activities.tools.mcp.questions import Replies
from activities.tools.mcp.results import McpResult
from activities.tools.offered import OfferedTool
from workflows.errors.tools import ToolDisabled
from workflows.states import Permission


class TeamTools:
    """Adapts rows and the pool to ``toolbox.McpTools``."""

    def __init__(self, database: Database, pool: McpPool) -> None:
        self._database = database
        self._pool = pool

    async def offered(self, team_id: UUID) -> Sequence[OfferedTool]:
        """The active ones, under names such as ``mcp.time.convert_time``."""
        tools = await callable_tools(self._database, team_id)
        servers = {tool.server.name: tool.server for tool in tools}
        self._pool.retain(team_id, servers.values())
        return [offered_tool(tool) for tool in tools]

    async def call(
        self,
        team_id: UUID,
        name: str,
        arguments: Mapping[str, JsonValue],
        timeout_seconds: float,
        replies: Replies = MappingProxyType({}),
    ) -> McpResult:
        """Raises ``ToolDisabled``, and as ``McpPool.call``."""
        found = await patiently(lambda: callable_tools(self._database, team_id, name))
        if not found or found[0].permission is Permission.DENY:
            raise ToolDisabled(tool=name)
        return await self._pool.call(
            team_id,
            found[0].server,
            found[0].tool,
            arguments,
            timeout_seconds=timeout_seconds,
            replies=replies,
            reads_resources=found[0].reads_resources,
            is_retry_safe=found[0].is_retry_safe,
        )


def offered_tool(tool: CallableTool) -> OfferedTool:
    """A stored tool as agents are offered it."""
    return OfferedTool(
        name=tool.name,
        description=tool.description,
        schema=tool.schema,
        permission=tool.permission,
        is_retry_safe=tool.is_retry_safe,
        timeout_seconds=tool.server.timeout_seconds,
        fallback=tool.fallback,
    )
