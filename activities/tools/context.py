"""What a tool is given beside its arguments, and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from activities.attempts.reporter import Reporter
from activities.equipment import Equipment
from activities.store.reading.callers import ResidentCall
from activities.tools.skills import AllowedSkills
from workflows.errors import AgentOSError


class ServerTool(Protocol):
    """A tool of an MCP server, ``source``. ``schema`` is the JSON schema of its arguments."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def schema(self) -> dict[str, Any]: ...

    @property
    def source(self) -> str | None: ...


class ServerTools(Protocol):
    """The tools of servers that an agent may call, shown to it or not."""

    async def all(self) -> Mapping[str, ServerTool]:
        """By name."""

    def allows(self, name: str) -> bool:
        """Whether the agent may use a tool at all, of a server or native."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Where a tool is called. What it writes to ``output`` becomes an artifact."""

    task_id: UUID
    team_id: UUID
    output: Path
    equipment: Equipment


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentContext(ToolContext):
    """Where an agent's tool is called. A tool that asks for one is none for pipelines.

    ``code`` is an empty folder for what a script brings along. ``reporter`` tells of the call while
    it runs. ``call_id`` is the same for each attempt at the call: what it leaves behind is keyed by
    that. ``resident`` is there for tools of agents that stay.
    """

    code: Path
    reporter: Reporter
    skills: AllowedSkills
    server_tools: ServerTools
    call_id: UUID
    resident: ResidentCall | None = None

    @property
    def caller(self) -> ResidentCall:
        """The agent that stays, for a tool that is for such agents only."""
        assert self.resident is not None
        return self.resident


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of a call; its files are those in ``ToolContext.output`` afterwards.

    With an ``error`` the call failed, and ``text`` may say more. ``is_protected``: the text must
    never be shortened. ``is_kept``: it can be had again, so no copy of a long one is kept.
    ``mime_types`` are those of files, by name, where the tool knows more than their names tell.
    ``answered_by`` is the tool that was called ``in_place_of`` the one that was wanted.
    """

    text: str
    exit_code: int | None = 0
    error: AgentOSError | None = None
    is_protected: bool = False
    is_kept: bool = False
    mime_types: Mapping[str, str] = field(default_factory=dict)
    answered_by: str = ""
    in_place_of: str = ""
