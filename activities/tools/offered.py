"""A tool as an agent is offered it, and which of a team's tools an agent may call."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from pydantic import JsonValue

from activities.llm.base import ToolSpec
from activities.store.tools import ToolSetting
from activities.tools.finish import FINISH, FINISH_DESCRIPTION, finish_schema
from activities.tools.options import Need
from activities.tools.registry import (
    DEFAULT_TIMEOUT_SECONDS,
    CallType,
    Registry,
    Tool,
)
from activities.tools.selection import is_allowed
from workflows.definitions.agent import Agent
from workflows.definitions.fallback import Fallback
from workflows.definitions.mcp_server import PREFIX
from workflows.states import Permission

Check = Callable[[Mapping[str, JsonValue]], Awaitable[Sequence[tuple[str, str]]]]


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool as an agent may call it. ``schema`` is the JSON schema of its arguments.

    ``native`` is None for a tool of a server, for ``finish``, whose call ``ends_task``, and for
    what only a role offers: its calls are ``made_as`` something else, and ``check`` judges them.
    The ``fallback`` is called in its place while its breaker is open.
    """

    name: str
    description: str
    schema: dict[str, Any]
    permission: Permission = Permission.AUTO
    is_retry_safe: bool = False
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    native: Tool | None = field(default=None, repr=False)
    ends_task: bool = False
    made_as: CallType = "tool"
    check: Check | None = field(default=None, repr=False)
    fallback: Fallback | None = None

    @property
    def digest(self) -> str:
        """Of what a person who approves a call relies on: the definition, as it was offered."""
        document = [self.description, self.schema, self.is_retry_safe]
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()

    @property
    def result_digest(self) -> str:
        """Of what its results follow from beside the arguments: the definition, and the code of a
        tool of the house, which may change without it."""
        if self.native is None or not self.native.source:
            return self.digest
        return hashlib.sha256(f"{self.digest} {self.native.source}".encode()).hexdigest()

    @property
    def call_type(self) -> CallType:
        return self.made_as if self.native is None else self.native.call_type

    @property
    def need(self) -> Need | None:
        return None if self.native is None else self.native.need

    @property
    def question(self) -> str | None:
        return None if self.native is None else self.native.question

    @property
    def cache(self) -> timedelta | None:
        """How long its results are kept where a step does not say so; None: not at all."""
        return None if self.native is None else self.native.cache

    @property
    def may_be_cached(self) -> bool:
        """Whether a step may say that its results are kept. Of a server's tool its author knows."""
        return self.native is None or self.native.cache is not None

    @property
    def shows_skills(self) -> bool:
        return self.native is not None and self.native.shows_skills

    @property
    def shows_notes(self) -> bool:
        return self.native is not None and self.native.shows_notes

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

    async def problems(self, arguments: Mapping[str, JsonValue]) -> Sequence[tuple[str, str]]:
        """What is known to be wrong with arguments before a call: JSON pointers and messages.

        Of a tool of a server nothing is: the server itself says it.
        """
        if self.check is not None:
            return await self.check(arguments)
        return [] if self.native is None else self.native.problems(arguments)


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
                fallback=(setting and setting.fallback) or tool.fallback,
            )
    return found


def allowed_tools(
    active: Mapping[str, OfferedTool], agent: Agent, *, has_search: bool
) -> Mapping[str, OfferedTool]:
    """Those among its team's that an agent may call, and ``finish`` as the last, but for agents
    that stay."""
    allowed = {
        name: tool
        for name, tool in active.items()
        if tool.permission is not Permission.DENY
        and is_allowed(agent, name, tool.need)
        and (agent.stays or tool.native is None or not tool.native.is_for_residents)
    }
    has = {
        Need.SEARCH: has_search,
        Need.SKILLS: agent.skills is None or len(agent.skills) > 0,
        Need.SERVER_TOOLS: any(tool.source is not None for tool in allowed.values()),
    }
    found = {name: tool for name, tool in allowed.items() if tool.need is None or has[tool.need]}
    if not agent.stays:
        found[FINISH] = OfferedTool(
            FINISH,
            FINISH_DESCRIPTION,
            finish_schema(agent.output_schema),
            is_retry_safe=True,
            ends_task=True,
        )
    return MappingProxyType(found)
