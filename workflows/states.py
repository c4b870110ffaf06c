"""States and types of tasks, steps, artifacts and tools, as rows and messages name them."""

from enum import StrEnum


class TaskType(StrEnum):
    """``auto``: nobody has chosen yet what the task is; it becomes one of the others."""

    PIPELINE = "pipeline"
    AGENT = "agent"
    PLAN = "plan"
    AUTO = "auto"


class Status(StrEnum):
    """States of a task and of a sub-task. ``blocked``: its retries are used up (a dead letter)."""

    PENDING = "pending"
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
LIVING = frozenset(Status) - FINAL


class Phase(StrEnum):
    """What a running step is at."""

    PREPARE_ENV = "prepare_env"
    EXECUTING = "executing"
    POST_PROCESS = "post_process"


class LetterState(StrEnum):
    """Of a dead letter: whether anything was done about it yet, and what."""

    OPEN = "open"
    REQUEUED = "requeued"
    DISCARDED = "discarded"


class ArtifactType(StrEnum):
    FILE = "file"


class ToolType(StrEnum):
    NATIVE = "NATIVE"
    SKILL = "SKILL"
    MCP = "MCP"


class Permission(StrEnum):
    AUTO = "auto"
    ASK = "ask"
    DENY = "deny"


class BreakerState(StrEnum):
    """Of the circuit breaker of a tool, an MCP server or a model. While one is half-open, a single
    call tries whether it can be closed."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
