"""What a tool is given beside its arguments, and what it gives back."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from activities.attempts.reporter import Reporter
from activities.attempts.scripts import Scripts
from activities.inputs import Inputs
from activities.sandbox.base import Sandbox
from activities.store.database import Database
from activities.tools.searching import WebSearch
from activities.tools.skills import AllowedSkills
from workflows.errors import AgentOSError


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Where a tool is called. What it writes to ``output`` becomes an artifact."""

    task_id: UUID
    team_id: UUID
    output: Path
    database: Database
    inputs: Inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentContext(ToolContext):
    """Where an agent's tool is called. A tool that asks for one is none for pipelines.

    ``code`` is an empty folder for what a script brings along. ``reporter`` tells of the call while
    it runs. Without a provider ``search`` is None.
    """

    code: Path
    reporter: Reporter
    skills: AllowedSkills
    sandbox: Sandbox
    scripts: Scripts
    search: WebSearch | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call gave; its files are what lies in ``ToolContext.output`` afterwards.

    With an ``error`` the call failed, and ``text`` may say more. ``is_protected``: the text must
    never be shortened. ``is_kept``: it can be had again, so no copy of a long one is kept.
    """

    text: str
    exit_code: int | None = 0
    error: AgentOSError | None = None
    is_protected: bool = False
    is_kept: bool = False
