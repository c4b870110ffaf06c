"""The messages between the API, the workflows and the activities: frozen, small, ids and numbers.

They end up in workflow history, so none may hold a file's content, a script's output, a secret or
a definition: those lie in PostgreSQL and S3 and are read there by id.
"""

from enum import StrEnum
from typing import Literal
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field

TASK_QUEUE = "agentos"


class TaskType(StrEnum):
    PIPELINE = "pipeline"
    AGENT = "agent"
    PLAN = "plan"
    AUTO = "auto"


class Status(StrEnum):
    """States of a task and of a sub-task. ``blocked``: its retries are used up (a dead letter)."""

    PENDING = "pending"
    SPLITTING = "splitting"
    READY = "ready"
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in FINAL


FINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.BLOCKED, Status.CANCELLED})


class Phase(StrEnum):
    """What a running step is at."""

    PREPARE_ENV = "prepare_env"
    EXECUTING = "executing"
    POST_PROCESS = "post_process"


class ArtifactType(StrEnum):
    FILE = "file"
    CODE = "code"
    LINK = "link"


class ToolType(StrEnum):
    NATIVE = "NATIVE"
    SKILL = "SKILL"
    MCP = "MCP"


class Permission(StrEnum):
    AUTO = "auto"
    ASK = "ask"
    DENY = "deny"


class Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class Failure(Message):
    """Why something ended badly. ``code`` is stable; ``message`` is for people.

    ``detail`` may quote what a script printed: it is kept in rows, never in workflow history.
    """

    code: str
    message: str = Field(max_length=4_096)
    detail: str | None = Field(default=None, max_length=4_096)
    step: str | None = None
    attempts: int | None = None


class StepPlan(Message):
    """What the workflow must know of a step. Its definition lies in the step's row."""

    id: str
    kind: Literal["skill", "tool", "code"]
    title: str
    timeout_seconds: float
    retries: int


class PipelineRun(Message):
    """The input of PipelineWorkflow. ``run`` counts from 1; a retry by a person is the next run.

    ``first`` is the index of the step to begin with: those before it keep their results.
    """

    task_id: UUID
    team_id: UUID
    run: int
    steps: tuple[StepPlan, ...]
    first: int = 0


class StepCall(Message):
    """Run one step. The step's row has its definition and the results of those before it."""

    task_id: UUID
    team_id: UUID
    sub_task_id: UUID
    run: int
    step: str
    retries: int
    timeout_seconds: float


class StepOutcome(Message):
    exit_code: int
    files: int


class TaskMark(Message):
    """A change of a living task's state that the workflow decided on."""

    task_id: UUID
    team_id: UUID
    run: int
    status: Status


class TaskClose(Message):
    """The end of a run. ``sub_task_id`` is the step that ended it, if one did."""

    task_id: UUID
    team_id: UUID
    run: int
    status: Status
    failure: Failure | None = None
    sub_task_id: UUID | None = None


class PipelineResult(Message):
    task_id: UUID
    steps: int


def workflow_id(task_id: UUID) -> str:
    """``task-<task id>``, so that ``temporal workflow cancel -w task-<id>`` works."""
    return f"task-{task_id}"


def step_sub_task_id(task_id: UUID, step: str) -> UUID:
    """The id of a step's row: derived, so that no one needs to look it up."""
    return uuid5(task_id, f"step:{step}")
