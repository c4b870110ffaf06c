"""The tools that an agent is offered, native ones and those of MCP servers, and calls of them."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

import structlog
from pydantic import JsonValue

from activities.attempts.holding import Held
from activities.breakers.errors import BreakerOpen
from activities.breakers.watched import of_server, of_tool
from activities.equipment import Equipment
from activities.patience import patiently
from activities.store.database import Database
from activities.store.tools import tool_settings
from activities.tools.context import AgentContext, ToolContext, ToolResult
from activities.tools.counting import counted_call
from activities.tools.fallbacks import MAX_CHAIN
from activities.tools.mcp.questions import Replies
from activities.tools.mcp.results import McpFile, McpResult
from activities.tools.offered import OfferedTool, allowed_tools, native_tools
from activities.tools.registry import Registry
from workflows.definitions.agent import Agent
from workflows.definitions.mcp_server import PREFIX
from workflows.errors import AgentOSError
from workflows.errors.mcp import McpAsks, McpFilesLost, McpToolFailed
from workflows.errors.tools import ToolDisabled, ToolNotFound
from workflows.states import Permission

REMEMBERED_SECONDS = 1.0
MAX_REMEMBERED_TEAMS = 256
NAMES_SHOWN = 50

log = structlog.get_logger(__name__)


class McpTools(Protocol):
    """The tools of a team's MCP servers."""

    async def offered(self, team_id: UUID) -> Sequence[OfferedTool]:
        """The active ones, under names such as ``mcp.time.convert_time``."""

    async def call(
        self,
        team_id: UUID,
        name: str,
        arguments: Mapping[str, JsonValue],
        timeout_seconds: float,
        replies: Replies,
    ) -> McpResult:
        """Raises an ``AgentOSError`` when there is no answer: ``McpAsks`` when the server has a
        question that ``replies`` do not answer."""


class Toolbox:
    """``has_search`` tells whether a provider of web search is configured."""

    def __init__(
        self,
        registry: Registry,
        database: Database,
        *,
        mcp: McpTools | None = None,
        has_search: bool = False,
    ) -> None:
        self._registry = registry
        self._database = database
        self._mcp = mcp
        self._has_search = has_search
        self._remembered: dict[UUID, tuple[float, Mapping[str, OfferedTool]]] = {}

    async def offered(
        self, team_id: UUID, agent: Agent, *, is_first_turn: bool = False
    ) -> Mapping[str, OfferedTool]:
        """What the agent may call, by name; ``finish`` is the last.

        What the team has switched off or denied is not among them, a second after it said so. In
        its first turn an agent has what was registered just before its task was submitted.
        """
        if is_first_turn:
            self._remembered.pop(team_id, None)
        return allowed_tools(await self._active(team_id), agent, has_search=self._has_search)

    async def call(
        self,
        context: ToolContext,
        name: str,
        arguments: Mapping[str, JsonValue],
        replies: Replies = MappingProxyType({}),
    ) -> ToolResult:
        """Call a tool. Whatever goes wrong is the result's ``error``, as is ``BreakerOpen`` where
        it is not called for now. ``replies`` are those of people to questions of its server.

        Raises:
            Held: it cannot be called now, through no fault of its own.
        """
        try:
            tool = await self.find(context.team_id, name)
            return await self._make(context, tool, arguments, replies)
        except Held:
            raise
        except BreakerOpen as refused:
            result = await self._fall_back(context, tool, arguments)
            return result or ToolResult("", exit_code=None, error=refused)
        except AgentOSError as error:
            return ToolResult(error.said, exit_code=None, error=error)

    def may_repeat(
        self, equipment: Equipment, name: str, arguments: Mapping[str, JsonValue]
    ) -> bool:
        """Whether a tool that is safe to call again is so with these arguments, too."""
        tool = self._registry.tools.get(name)
        return tool is None or not tool.is_unsafe_with(equipment, arguments)

    def is_for_residents(self, name: str) -> bool:
        """Whether it is a tool for agents that stay, which is told who calls it."""
        tool = self._registry.tools.get(name)
        return tool is not None and tool.is_for_residents

    async def is_safe_step(self, team_id: UUID, name: str) -> bool:
        """Whether a step of a pipeline may call a tool again when nobody knows how far the call
        before has come. Those of AgentOS write under the same keys again, and one that cannot be
        called at all does no harm."""
        try:
            tool = await self.find(team_id, name)
        except AgentOSError:
            return True
        return tool.is_retry_safe or (tool.native is not None and not tool.native.is_own)

    async def has_changed(self, team_id: UUID, name: str, digest: str) -> bool:
        """Whether a tool is not what it was when it had this digest."""
        tool = (await self._active(team_id)).get(name)
        return tool is not None and tool.digest != digest

    async def _fall_back(
        self, context: ToolContext, wanted: OfferedTool, arguments: Mapping[str, JsonValue]
    ) -> ToolResult | None:
        """The result of the first tool that may answer in place of the one that is ``wanted``, and
        of which the breaker is not open; None where there is none."""
        tool, passed = wanted, {wanted.name}
        for _ in range(MAX_CHAIN):
            following = await self._following(context, tool)
            if following is None or tool.fallback is None or following.name in passed:
                return None
            arguments, tool = tool.fallback.arguments_for(arguments), following
            passed.add(tool.name)
            try:
                result = await self._make(context, tool, arguments, {})
            except BreakerOpen:
                continue
            except (Held, McpAsks):  # A question would be answered to the wrong tool.
                return None
            except AgentOSError as error:
                result = ToolResult(error.said, exit_code=None, error=error)
            log.info("breaker.fallback", tool=wanted.name, answered_by=tool.name)
            return replace(result, answered_by=tool.name, in_place_of=wanted.name)
        return None

    async def _following(self, context: ToolContext, tool: OfferedTool) -> OfferedTool | None:
        """The fallback of a tool, if it may be called without asking a person, and be called again
        where the tool may."""
        if tool.fallback is None:
            return None
        found = (await self._active(context.team_id)).get(tool.fallback.tool)
        if found is None or found.permission is not Permission.AUTO or found.question is not None:
            return None
        if tool.is_retry_safe and not found.is_retry_safe:
            return None
        if isinstance(context, AgentContext):
            return found if context.server_tools.allows(found.name) else None
        is_for_agents = found.native is not None and found.native.is_for_agents_only
        return None if is_for_agents else found

    async def _make(
        self,
        context: ToolContext,
        tool: OfferedTool,
        arguments: Mapping[str, JsonValue],
        replies: Replies,
    ) -> ToolResult:
        """Raises ``BreakerOpen``, and what goes wrong in the call."""
        with counted_call(context.equipment.numbers, tool.name) as call:
            result = await self._made(context, tool, arguments, replies)
            call.has_failed = result.error is not None
        return result

    async def _made(
        self,
        context: ToolContext,
        tool: OfferedTool,
        arguments: Mapping[str, JsonValue],
        replies: Replies,
    ) -> ToolResult:
        breakers, watched = context.equipment.breakers, of_tool(tool.name)
        if tool.native is not None:
            async with breakers.guard(context.team_id, watched):
                return await tool.native.call(context, arguments)
        assert self._mcp is not None  # Who else would have offered it?
        async with breakers.guard(context.team_id, watched, of_server(tool.source or "")):
            result = await self._mcp.call(
                context.team_id, tool.name, arguments, tool.timeout_seconds, replies
            )
        return await self._kept(context, tool, result)

    async def find(self, team_id: UUID, name: str) -> OfferedTool:
        """The tool, unless the team has switched it off since it was offered.

        Raises:
            ToolDisabled, ToolNotFound
        """
        active = await self._active(team_id)
        if name in active and active[name].permission is not Permission.DENY:
            return active[name]
        if name in active or name in self._registry.tools:
            raise ToolDisabled(tool=name)
        raise ToolNotFound(tool=name, known=", ".join(list(active)[:NAMES_SHOWN]))

    async def _active(self, team_id: UUID) -> Mapping[str, OfferedTool]:
        read_at, tools = self._remembered.get(team_id, (-REMEMBERED_SECONDS, {}))
        if time.monotonic() - read_at >= REMEMBERED_SECONDS:
            read_at = time.monotonic()
            tools = await patiently(lambda: self._read(team_id))
            if len(self._remembered) >= MAX_REMEMBERED_TEAMS:
                self._remembered.clear()
            self._remembered[team_id] = (read_at, tools)
        return tools

    async def _read(self, team_id: UUID) -> Mapping[str, OfferedTool]:
        settings = await tool_settings(self._database, team_id)
        mcp = await self._mcp.offered(team_id) if self._mcp else ()
        return native_tools(self._registry, settings) | {tool.name: tool for tool in mcp}

    async def _kept(self, context: ToolContext, tool: OfferedTool, result: McpResult) -> ToolResult:
        """The result of a server's tool, with its files in the output folder."""
        server, _, name = tool.name.removeprefix(PREFIX).partition(".")
        try:
            await asyncio.to_thread(_save, context.output, result.files)
        except OSError as failure:
            if tool.is_retry_safe:
                raise
            # The call has been made: an error that is retried would have it made again.
            lost = McpFilesLost(server=server, tool=name, reason=failure.strerror)
            return ToolResult(result.text, exit_code=None, error=lost)
        types = {file.name: file.mime_type for file in result.files}
        if not result.is_error:
            return ToolResult(result.text, mime_types=types)
        error = McpToolFailed(server=server, tool=name)
        return ToolResult(result.text, exit_code=None, error=error, mime_types=types)


def _save(folder: Path, files: Iterable[McpFile]) -> None:
    for file in files:
        with (folder / file.name).open("xb") as target:
            target.write(file.data)
