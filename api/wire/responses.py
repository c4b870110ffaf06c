"""What answers look like. Everything that is answered is made here."""

from datetime import date, datetime
from typing import Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from workflows.states import ArtifactType, Permission, Phase, Status, TaskType, ToolType

API = "/api/v1"

MAX_PAGE = 200
DEFAULT_PAGE = 50

Item = TypeVar("Item")


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Page(_Answer, Generic[Item]):
    """``next_cursor`` is what to send as ``cursor`` for the next page; None on the last one."""

    items: list[Item]
    next_cursor: str | None = None


class Links(_Answer):
    self: str
    events: str
    logs: str
    artifacts: str


class Accepted(_Answer):
    task_id: UUID
    status: Status
    links: Links


class Changed(_Answer):
    """A task after a request to change its state. The change itself may still be under way."""

    task_id: UUID
    status: Status


class Progress(_Answer):
    """Of a pipeline's steps, or of the turns that an agent may take in this run.

    ``current`` is the name of the step or call that runs.
    """

    done: int
    total: int
    percent: int
    current: str | None = None


class Usage(_Answer):
    """``attempts`` are those at steps and calls; ``duration_ms`` is their time and the model's."""

    tokens_used: int
    cost_usd: float = 0.0
    turns: int = 0
    attempts: int
    duration_ms: int


class Artifact(_Answer):
    """``sub_task`` is the name of the step that made it; ``url`` is where to fetch it."""

    id: UUID
    name: str
    type: ArtifactType
    size: int
    mime_type: str
    sha256: str | None
    url: str
    sub_task: str
    created_at: datetime


class Result(_Answer):
    """What the last step gave. ``json_`` is its output when that is JSON and not large."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True, validate_by_name=True)

    step: str
    exit_code: int
    json_: JsonValue = Field(default=None, alias="json")
    files: list[Artifact]


class AgentResult(_Answer):
    """What an agent gave to ``finish``, and every file that it made."""

    summary: str
    result: JsonValue = None
    files: list[Artifact]


class Approval(_Answer):
    """What a person is asked about a call, until when, and what they said.

    ``kind`` says whether the call may be made only if they approve, or is a question, to which
    ``note`` is the answer.
    """

    kind: Literal["approval", "answer"]
    question: str | None = None
    asked_at: datetime
    expires_at: datetime
    decision: Literal["approve", "deny"] | None = None
    note: str | None = None
    decided_at: datetime | None = None


class AskedCall(Approval):
    """A call of an agent that waits, or waited, for a person."""

    call_id: UUID
    name: str
    tool: str
    arguments: JsonValue
    status: Status


class SubTask(_Answer):
    """A step of a pipeline or a call of an agent.

    ``retry_count`` is how often it was tried again in this run.
    """

    id: UUID
    name: str
    type: str
    status: Status
    phase: Phase | None
    order: int
    dependencies: list[str]
    exit_code: int | None
    refused: list[str] = Field(description="files that were not taken, and why")
    error: dict[str, JsonValue] | None
    retry_count: int
    next_attempt_at: datetime | None
    worker_id: str | None
    started_at: datetime | None
    finished_at: datetime | None
    approval: Approval | None = None


class TaskSummary(_Answer):
    task_id: UUID
    type: TaskType
    name: str
    status: Status
    phase: Phase | None
    prompt: str | None
    priority: int
    run: int
    progress: Progress
    error: dict[str, JsonValue] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    temporal_url: str | None


class Task(TaskSummary):
    """Of an agent's calls the latest are in ``sub_tasks``; all are in its messages."""

    result: Result | AgentResult | None
    inputs: dict[str, str]
    definition: dict[str, JsonValue] | None
    sub_tasks: list[SubTask]
    artifacts: list[Artifact]
    usage: Usage


class Attempt(_Answer):
    """One attempt at a step: all that it printed, and how it ended."""

    id: UUID
    step: str
    sub_task_id: UUID
    run: int
    attempt: int
    status: Status
    worker_id: str | None
    exit_code: int | None
    duration_ms: int | None
    tokens_used: int
    stdout: str
    stderr: str
    error: dict[str, JsonValue] | None
    started_at: datetime
    finished_at: datetime | None


class Span(_Answer):
    """A stretch of time: the task, in it its steps, in them their attempts.

    In an agent's are its turns, in them the model's answer and the calls, in those their attempts.
    ``duration_ms`` of what still runs is None.
    """

    name: str
    kind: str
    status: Status
    start: datetime | None
    end: datetime | None
    duration_ms: int | None
    children: list["Span"]


class ToolRequest(_Answer):
    """A call that the model asks for; ``arguments`` are as it wrote them."""

    id: str
    name: str
    arguments: str


class ModelUsage(_Answer):
    """``first_token_ms`` and ``duration_ms`` are counted from when the model was asked."""

    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    first_token_ms: int | None
    duration_ms: int | None


class Message(_Answer):
    """Of an agent's conversation. ``model``, ``usage`` and ``requests`` are an assistant's;
    ``request_id`` and ``sub_task_id`` say which call a tool's message is the result of."""

    seq: int
    turn: int
    role: str
    content: str
    requests: list[ToolRequest]
    request_id: str | None
    sub_task_id: UUID | None
    model: str | None
    usage: ModelUsage | None
    created_at: datetime


class File(_Answer):
    id: UUID
    name: str
    size: int
    mime_type: str
    sha256: str
    url: str


class Tool(_Answer):
    """``schema`` is the JSON schema of its arguments."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True, validate_by_name=True)

    name: str
    type: ToolType
    description: str
    schema_: dict[str, JsonValue] = Field(alias="schema")
    is_active: bool
    permission_level: Permission


class RegisteredServer(_Answer):
    """``server`` is ``mcp.<name>``. ``refused`` tells of each tool that was left out, and why."""

    server: Tool
    tools: list[Tool]
    refused: list[str]


class DayUsage(_Answer):
    day: date
    tokens: int
    cost_usd: float


class TeamUsage(_Answer):
    """``daily_tokens`` is the team's quota, if it has one; ``days`` are UTC's, the latest first."""

    daily_tokens: int | None
    tokens_left: int | None
    days: list[DayUsage]


class SkillSummary(_Answer):
    name: str
    description: str
    scripts: list[str]
    warnings: list[str]


class Skill(SkillSummary):
    digest: str
    files: list[str]
    license: str | None
    compatibility: str | None
    metadata: dict[str, str]
    allowed_tools: list[str]


class RefusedSkill(_Answer):
    folder: str
    reason: str


class SkillList(Page[SkillSummary]):
    """``refused`` are folders that look like skills but cannot be used, and why."""

    refused: list[RefusedSkill]


class Dependency(_Answer):
    name: str
    state: str
    latency_ms: float


class Readiness(_Answer):
    """``state`` is ``ready`` when every dependency is ``up``, else ``not ready``."""

    state: str
    dependencies: list[Dependency]
