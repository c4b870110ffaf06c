"""The tools that an agent is offered, native ones and those of MCP servers, and calls of them."""

import asyncio
import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol
from uuid import UUID

from pydantic import JsonValue

from activities.equipment import Equipment
from activities.llm.base import ToolSpec
from activities.patience import patiently
from activities.store.database import Database
from activities.store.tools import ToolSetting, tool_settings
from activities.tools.context import ToolContext, ToolResult
from activities.tools.finish import FINISH, FINISH_DESCRIPTION, finish_schema
from activities.tools.mcp.questions import Replies
from activities.tools.mcp.results import McpFile, McpResult
from activities.tools.registry import (
    DEFAULT_TIMEOUT_SECONDS,
    CallType,
    Need,
    Registry,
    Tool,
)
from activities.tools.selection import is_allowed
from workflows.definitions.agent import Agent
from workflows.definitions.mcp_server import PREFIX
from workflows.errors import AgentOSError, McpFilesLost, McpToolFailed, ToolDisabled, ToolNotFound
from workflows.states import Permission

REMEMBERED_SECONDS = 1.0
MAX_REMEMBERED_TEAMS = 256
NAMES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool as an agent may call it. ``schema`` is the JSON schema of its arguments.

    ``native`` is None for a tool of a server, and for ``finish``, whose call ``ends_task``.
    """

    name: str
    description: str
    schema: dict[str, Any]
    permission: Permission = Permission.AUTO
    is_retry_safe: bool = False
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    native: Tool | None = field(default=None, repr=False)
    ends_task: bool = False

    @property
    def digest(self) -> str:
        """Of what a person who approves a call relies on: the definition, as it was offered."""
        document = [self.description, self.schema, self.is_retry_safe]
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()

    @property
    def call_type(self) -> CallType:
        return "tool" if self.native is None else self.native.call_type

    @property
    def need(self) -> Need | None:
        return None if self.native is None else self.native.need

    @property
    def question(self) -> str | None:
        return None if self.native is None else self.native.question

    @property
    def shows_skills(self) -> bool:
        return self.native is not None and self.native.shows_skills

    @property
    def finds_tools(self) -> bool:
        return self.native is not None and self.native.finds_tools

    @property
    def finds_skills(self) -> bool:
        return self.native is not None and self.native.finds_skills

    @property
    def source(self) -> str | None:
        """The server whose tool it is."""
        if not self.name.startswith(PREFIX):
            return None
        return self.name.removeprefix(PREFIX).partition(".")[0]

    @property
    def spec(self) -> ToolSpec:
        """As a model is sent it."""
        return ToolSpec(
            self.name,
            self.description,
            self.schema,
            source=self.source,
            finds_others=self.finds_tools,
            finds_skills=self.finds_skills,
        )

    def problems(self, arguments: Mapping[str, JsonValue]) -> list[tuple[str, str]]:
        """What is known to be wrong with arguments before a call: JSON pointers and messages.

        Of a tool of a server nothing is: the server itself says it.
        """
        return [] if self.native is None else self.native.problems(arguments)


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

    async def offered(self, team_id: UUID, agent: Agent) -> Mapping[str, OfferedTool]:
        """What the agent may call, by name; ``finish`` is the last.

        What the team has switched off or denied is not among them, a second after it said so.
        """
        return allowed_tools(await self._active(team_id), agent, has_search=self._has_search)

    async def call(
        self,
        context: ToolContext,
        name: str,
        arguments: Mapping[str, JsonValue],
        replies: Replies = MappingProxyType({}),
    ) -> ToolResult:
        """Call a tool. Whatever goes wrong is the result's ``error``. ``replies`` are those of
        people to questions of the tool's server."""
        try:
            tool = await self._find(context.team_id, name)
            if tool.native is not None:
                return await tool.native.call(context, arguments)
            return await self._call_mcp(context, tool, arguments, replies)
        except AgentOSError as error:
            return ToolResult(error.said, exit_code=None, error=error)

    def may_repeat(
        self, equipment: Equipment, name: str, arguments: Mapping[str, JsonValue]
    ) -> bool:
        """Whether a tool that is safe to call again is so with these arguments, too."""
        tool = self._registry.tools.get(name)
        return tool is None or tool.unsafe_if is None or not tool.unsafe_if(equipment, arguments)

    async def is_safe_step(self, team_id: UUID, name: str) -> bool:
        """Whether a step of a pipeline may call a tool again when nobody knows how far the call
        before has come. Native tools for pipelines write under the same keys again, and one that
        cannot be called at all does no harm."""
        try:
            tool = await self._find(team_id, name)
        except AgentOSError:
            return True
        return tool.native is not None or tool.is_retry_safe

    async def has_changed(self, team_id: UUID, name: str, digest: str) -> bool:
        """Whether a tool is not what it was when it had this digest."""
        tool = (await self._active(team_id)).get(name)
        return tool is not None and tool.digest != digest

    async def _find(self, team_id: UUID, name: str) -> OfferedTool:
        """The tool, unless the team has switched it off since it was offered."""
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

    async def _call_mcp(
        self,
        context: ToolContext,
        tool: OfferedTool,
        arguments: Mapping[str, JsonValue],
        replies: Replies,
    ) -> ToolResult:
        assert self._mcp is not None  # Who else would have offered it?
        result = await self._mcp.call(
            context.team_id, tool.name, arguments, tool.timeout_seconds, replies
        )
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


def native_tools(registry: Registry, settings: Mapping[str, ToolSetting]) -> dict[str, OfferedTool]:
    """Those that a team with these settings has not switched off."""
    found: dict[str, OfferedTool] = {}
    for name, tool in registry.tools.items():
        setting = settings.get(name)
        if setting is None or setting.is_active:
            found[name] = OfferedTool(
                name,
                tool.description,
                tool.schema,
                setting.permission_level if setting else tool.permission,
                tool.is_retry_safe,
                tool.timeout_seconds,
                native=tool,
            )
    return found


def allowed_tools(
    active: Mapping[str, OfferedTool], agent: Agent, *, has_search: bool
) -> Mapping[str, OfferedTool]:
    """Those among its team's that an agent may call, and ``finish`` as the last."""
    allowed = {
        name: tool
        for name, tool in active.items()
        if tool.permission is not Permission.DENY and is_allowed(agent, name, tool.need)
    }
    has = {
        Need.SEARCH: has_search,
        Need.SKILLS: agent.skills is None or len(agent.skills) > 0,
        Need.SERVER_TOOLS: any(tool.source is not None for tool in allowed.values()),
    }
    found = {name: tool for name, tool in allowed.items() if tool.need is None or has[tool.need]}
    found[FINISH] = OfferedTool(
        FINISH,
        FINISH_DESCRIPTION,
        finish_schema(agent.output_schema),
        is_retry_safe=True,
        ends_task=True,
    )
    return MappingProxyType(found)


class AllowedServerTools:
    """The tools of servers that ``agent`` may call, whether it was shown them or not."""

    def __init__(self, toolbox: Toolbox, team_id: UUID, agent: Agent) -> None:
        self._toolbox = toolbox
        self._team_id = team_id
        self._agent = agent

    async def all(self) -> Mapping[str, OfferedTool]:
        """By name."""
        offered = await self._toolbox.offered(self._team_id, self._agent)
        return {name: tool for name, tool in offered.items() if tool.source is not None}


def _save(folder: Path, files: Iterable[McpFile]) -> None:
    for file in files:
        with (folder / file.name).open("xb") as target:
            target.write(file.data)
