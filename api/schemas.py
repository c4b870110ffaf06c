"""What requests and answers look like. Everything that is answered is made here."""

from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from workflows.contracts import ArtifactType, Permission, Phase, Status, TaskType, ToolType
from workflows.definition import InputName, Pipeline

API = "/api/v1"

MAX_PROMPT_CHARACTERS = 100_000
MAX_PAGE = 200
DEFAULT_PAGE = 50

Item = TypeVar("Item")
# PostgreSQL keeps no NUL in text.
Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class TaskRequest(_Request):
    """``inputs`` are references by name. One of the last three goes with ``type``.

    A request with a pipeline and no type is of type ``pipeline``.
    """

    type: TaskType = TaskType.AUTO
    prompt: str | None = Field(default=None, max_length=MAX_PROMPT_CHARACTERS)
    priority: int = Field(default=5, ge=1, le=10, description="10 is the most urgent", strict=True)
    inputs: dict[InputName, str] = {}
    pipeline: Pipeline | None = None
    agent: JsonValue = None
    plan: JsonValue = None


class RetryRequest(_Request):
    """``from`` is a step's name or a sub-task's id; by default the first that is not completed.

    ``inputs`` replace those of the same name.
    """

    begin: Text | None = Field(default=None, alias="from", max_length=100)
    inputs: dict[InputName, Text] = {}


class ToolChange(_Request):
    is_active: bool | None = None
    permission_level: Permission | None = None


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
    """Of the steps. ``current`` is the name of the one that runs."""

    done: int
    total: int
    percent: int
    current: str | None = None


class Usage(_Answer):
    tokens_used: int
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


class SubTask(_Answer):
    """``retry_count`` is how often it was tried again in this run."""

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
    result: Result | None
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

    ``duration_ms`` of what still runs is None.
    """

    name: str
    kind: str
    status: Status
    start: datetime | None
    end: datetime | None
    duration_ms: int | None
    children: list["Span"]


class Message(_Answer):
    seq: int
    role: str
    content: str
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
