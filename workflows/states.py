"""States and types of tasks, steps, artifacts and tools, as rows and messages name them."""

from enum import StrEnum


class TaskType(StrEnum):
    """``auto``: nobody has chosen yet what the task is; it becomes one of the others. ``exchange``:
    an agent that stays answers messages; nobody submits such a task."""

    PIPELINE = "pipeline"
    AGENT = "agent"
    PLAN = "plan"
    AUTO = "auto"
    EXCHANGE = "exchange"


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


class BulkAction(StrEnum):
    """What is done about many dead letters, or about many tasks."""

    REQUEUE = "requeue"
    DISCARD = "discard"
    CANCEL = "cancel"
    RETRY = "retry"
    DELETE = "delete"

    @property
    def is_of_tasks(self) -> bool:
        return self in (BulkAction.CANCEL, BulkAction.RETRY, BulkAction.DELETE)


class BulkState(StrEnum):
    """Of a bulk run. One that has ``STOPPED`` did so by itself, since its first letters failed
    again in the same way."""

    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"
    ABORTED = "aborted"


class ItemState(StrEnum):
    """Of a dead letter or a task in a bulk run. ``requeued``: the task runs again, and has not
    ended; ``done``: it was asked to stop, or deleted."""

    OPEN = "open"
    REQUEUED = "requeued"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DISCARDED = "discarded"
    DONE = "done"
    SKIPPED = "skipped"


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


class AgentState(StrEnum):
    """Of an agent that stays. It is derived: see ``store.residents``. ``running``: it answers, or
    has messages that it is about to read. ``error``: its last turn ended badly."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    ERROR = "error"
    TERMINATED = "terminated"


class InboxKind(StrEnum):
    """What a row of an agent's inbox is: a ``message`` or ``notice`` to it, or a ``reply`` of its
    own. A notice tells of the end of something that the agent began, or is a reminder."""

    MESSAGE = "message"
    NOTICE = "notice"
    REPLY = "reply"


class MessageMode(StrEnum):
    """Of a message to an agent that is answering others: it waits its turn, or cuts the answer
    short."""

    QUEUE = "queue"
    INTERRUPT = "interrupt"


class GroupMode(StrEnum):
    """Who answers in a group: all members, or those only that were named."""

    OPEN = "open"
    MODERATED = "moderated"


class GroupTurnState(StrEnum):
    """Of a member's turn in a round of a group. ``passed``: it had nothing to say; ``missed``: it
    could not answer."""

    DUE = "due"
    SPOKE = "spoke"
    PASSED = "passed"
    MISSED = "missed"


class NodeKind(StrEnum):
    """What runs a node: ``reasoning`` is one answer of a model, without tools."""

    AGENT = "agent"
    PIPELINE = "pipeline"
    REASONING = "reasoning"
    PLAN = "plan"


class Size(StrEnum):
    """How much of the plan's work, and of its budget, a node is."""

    SMALL = "small"
    LARGE = "large"

    @property
    def weight(self) -> int:
        return 1 if self is Size.SMALL else 3
