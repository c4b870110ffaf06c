"""What a tool is given beside its arguments, and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from activities.attempts.reporter import Reporter
from activities.equipment import Equipment
from activities.tools.skills import AllowedSkills
from workflows.errors import AgentOSError


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
    it runs.
    """

    code: Path
    reporter: Reporter
    skills: AllowedSkills


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of a call; its files are those in ``ToolContext.output`` afterwards.

    With an ``error`` the call failed, and ``text`` may say more. ``is_protected``: the text must
    never be shortened. ``is_kept``: it can be had again, so no copy of a long one is kept.
    ``mime_types`` are those of files, by name, where the tool knows more than their names tell.
    """

    text: str
    exit_code: int | None = 0
    error: AgentOSError | None = None
    is_protected: bool = False
    is_kept: bool = False
    mime_types: Mapping[str, str] = field(default_factory=dict)
