"""The tables. Every row belongs to a team; states and phases are those of ``workflows.contracts``.

Rows hold what cannot be derived: a sub-task's files are its rows in ``task_artifacts``, a step's
output is that of its last attempt in ``execution_logs``, an artifact's URL follows from its id.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Index,
    Text,
    TypeDecorator,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from workflows.errors import DatabaseNewer
from workflows.states import ArtifactType, Permission, Phase, Status, TaskType, ToolType

Member = TypeVar("Member", bound=StrEnum)


class EnumText(TypeDecorator[Member]):
    """A ``StrEnum`` kept as text: a new state then needs no migration of a database type.

    Reading raises ``DatabaseNewer`` for a text that is none of its members.
    """

    impl = Text
    cache_ok = True

    def __init__(self, enum: type[Member]) -> None:
        super().__init__()
        self.enum = enum

    def process_result_value(self, value: str | None, dialect: Dialect) -> Member | None:
        if value is None:
            return None
        try:
            return self.enum(value)
        except ValueError as error:
            raise DatabaseNewer(kind=self.enum.__name__, value=value) from error


def _json(*, nullable: bool = True) -> Any:
    return Field(default=None, sa_type=JSONB, nullable=nullable)


def _text(default: str | None = None) -> Any:
    return Field(default=default, sa_type=Text)


def _enum(enum: type[StrEnum], default: StrEnum | None = None) -> Any:
    return Field(default=default, sa_type=EnumText(enum))


def _moment() -> Any:
    return Field(default=None, sa_type=DateTime(timezone=True))


def _created_at() -> Any:
    return Field(
        default=None,
        sa_type=DateTime(timezone=True),
        sa_column_kwargs={"server_default": func.now()},
        nullable=False,
    )


def _team() -> Any:
    return Field(foreign_key="teams.id", index=False)


class Team(SQLModel, table=True):
    """``daily_tokens`` is its quota for agents; None is the server's setting."""

    __tablename__ = "teams"

    id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=Text, unique=True)
    daily_tokens: int | None = Field(default=None, sa_type=BigInteger)
    created_at: datetime = _created_at()


class ApiKey(SQLModel, table=True):
    """Only the SHA-256 of a key is kept; ``prefix`` helps people to tell keys apart."""

    __tablename__ = "api_keys"

    id: UUID = Field(primary_key=True)
    team_id: UUID = _team()
    name: str = Field(sa_type=Text)
    prefix: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text, unique=True)
    created_at: datetime = _created_at()
    revoked_at: datetime | None = _moment()


class Task(SQLModel, table=True):
    """``run`` counts from 1 and grows with every retry by a person, which begins at ``first_step``.

    ``pause_requested_at``: somebody asked for a pause that was not withdrawn since; whether it has
    come is in the state.

    ``event_seq`` is the number of the task's last event. ``executions`` are the Temporal run ids
    that have worked on it, the present one last: Temporal gives a run a new one when it continues
    as new and when it is reset, and what an earlier one still does must not count any more.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        Index("tasks_by_status", "status", "created_at", "parent_id"),
        Index("tasks_by_team", "team_id", text("created_at DESC"), text("id DESC")),
        UniqueConstraint("team_id", "idempotency_key", name="tasks_idempotency"),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = _team()
    parent_id: UUID | None = None
    type: TaskType = _enum(TaskType)
    name: str = _text("")
    prompt: str | None = _text()
    priority: int = 5
    status: Status = _enum(Status, Status.PENDING)
    definition: dict[str, Any] | None = _json()
    inputs: dict[str, str] = _json(nullable=False)
    result: dict[str, Any] | None = _json()
    error: dict[str, Any] | None = _json()
    run: int = 1
    first_step: int = 0
    pause_requested_at: datetime | None = _moment()
    event_seq: int = Field(default=0, sa_type=BigInteger)
    executions: list[str] = Field(
        default=None,
        sa_type=JSONB,
        nullable=False,
        sa_column_kwargs={"server_default": text("'[]'")},
    )
    idempotency_key: str | None = _text()
    request_digest: str | None = _text()
    created_at: datetime = _created_at()
    updated_at: datetime = _created_at()
    started_at: datetime | None = _moment()
    finished_at: datetime | None = _moment()


class SubTask(SQLModel, table=True):
    """A step of a pipeline, a tool call of an agent (later: a node of a plan).

    ``input_context`` is its definition; ``output_result`` what it gave beside files and output;
    ``approval`` what a person was asked about it, until when, and what they said.
    """

    __tablename__ = "sub_tasks"
    __table_args__ = (
        Index("sub_tasks_by_task", "task_id", "execution_order"),
        Index("sub_tasks_by_status", "status", "created_at", "parent_id"),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = _team()
    task_id: UUID = Field(foreign_key="tasks.id", ondelete="CASCADE")
    parent_id: UUID | None = None
    name: str = _text()
    task_type: str = _text()
    status: Status = _enum(Status, Status.PENDING)
    phase: Phase | None = _enum(Phase)
    dependencies: list[str] = _json(nullable=False)
    input_context: dict[str, Any] = _json(nullable=False)
    output_result: dict[str, Any] | None = _json()
    approval: dict[str, Any] | None = _json()
    error: dict[str, Any] | None = _json()
    retry_count: int = 0
    next_attempt_at: datetime | None = _moment()
    execution_order: int = 0
    worker_id: str | None = _text()
    created_at: datetime = _created_at()
    started_at: datetime | None = _moment()
    finished_at: datetime | None = _moment()


class ExecutionLog(SQLModel, table=True):
    """One attempt. Its id is derived from sub-task, run and attempt: a repeat finds its own row."""

    __tablename__ = "execution_logs"
    __table_args__ = (
        UniqueConstraint("sub_task_id", "run", "attempt", name="execution_logs_once"),
        Index("execution_logs_by_task", "task_id", "started_at"),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = _team()
    task_id: UUID = Field(foreign_key="tasks.id", ondelete="CASCADE")
    sub_task_id: UUID = Field(foreign_key="sub_tasks.id", ondelete="CASCADE")
    run: int
    attempt: int
    status: Status = _enum(Status)
    worker_id: str | None = _text()
    exit_code: int | None = None
    duration_ms: int | None = None
    tokens_used: int = 0
    stdout: str = _text("")
    stderr: str = _text("")
    error: dict[str, Any] | None = _json()
    started_at: datetime = _created_at()
    finished_at: datetime | None = _moment()
    created_at: datetime = _created_at()


class TaskArtifact(SQLModel, table=True):
    """``url`` is set for links only; a file's bytes are in the S3 store under its SHA-256."""

    __tablename__ = "task_artifacts"
    __table_args__ = (
        Index("task_artifacts_by_task", "task_id", "created_at"),
        UniqueConstraint("sub_task_id", "name", name="task_artifacts_once"),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = _team()
    task_id: UUID = Field(foreign_key="tasks.id", ondelete="CASCADE")
    sub_task_id: UUID = Field(foreign_key="sub_tasks.id", ondelete="CASCADE")
    type: ArtifactType = _enum(ArtifactType, ArtifactType.FILE)
    name: str = _text()
    url: str | None = _text()
    size: int = Field(default=0, sa_type=BigInteger)
    mime_type: str = _text("application/octet-stream")
    sha256: str | None = _text()
    created_at: datetime = _created_at()


class File(SQLModel, table=True):
    """What somebody uploaded."""

    __tablename__ = "files"
    __table_args__ = (Index("files_by_team", "team_id", "created_at"),)

    id: UUID = Field(primary_key=True)
    team_id: UUID = _team()
    name: str = _text()
    size: int = Field(sa_type=BigInteger)
    mime_type: str = _text()
    sha256: str = _text()
    created_at: datetime = _created_at()


class Event(SQLModel, table=True):
    """What happened to a task, in order: ``seq`` counts from 1 without gaps within the task.

    They are for those who watch. Nothing is decided by them, so that they can be deleted.
    """

    __tablename__ = "events"

    task_id: UUID = Field(primary_key=True, foreign_key="tasks.id", ondelete="CASCADE")
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    team_id: UUID = _team()
    type: str = _text()
    data: dict[str, Any] = _json(nullable=False)
    created_at: datetime = _created_at()


class Message(SQLModel, table=True):
    """A message of an agent's conversation: ``seq`` counts from 1 within the task.

    ``requests`` are the tool calls of an assistant's message, ``request_id`` names the one that a
    tool's message answers, and ``sub_task_id`` is its row. ``is_protected``: never shortened for
    the model. ``execution`` wrote it (see ``Task``). Tokens, cost and times are those of the call
    of the model that gave an assistant's message, and ``thought`` is what the workflow received.
    """

    __tablename__ = "messages"

    task_id: UUID = Field(primary_key=True, foreign_key="tasks.id", ondelete="CASCADE")
    seq: int = Field(primary_key=True)
    team_id: UUID = _team()
    turn: int
    role: str = _text()
    content: str = _text("")
    requests: list[dict[str, Any]] | None = _json()
    thought: dict[str, Any] | None = _json()
    request_id: str | None = _text()
    sub_task_id: UUID | None = None
    is_protected: bool = False
    execution: str = _text()
    model: str | None = _text()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    first_token_ms: int | None = None
    duration_ms: int | None = None
    created_at: datetime = _created_at()


class LostAnswer(SQLModel, table=True):
    """What the answers took that broke off in a turn of an agent, as one ``execution`` made it.

    They are counted as the team's at once, and as the turn's when it has an answer.
    """

    __tablename__ = "lost_answers"

    task_id: UUID = Field(primary_key=True, foreign_key="tasks.id", ondelete="CASCADE")
    turn: int = Field(primary_key=True)
    execution: str = Field(primary_key=True, sa_type=Text)
    team_id: UUID = _team()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0


class TeamUsage(SQLModel, table=True):
    """What a team's agents used on a day (UTC)."""

    __tablename__ = "team_usage"

    team_id: UUID = Field(primary_key=True, foreign_key="teams.id")
    day: date = Field(primary_key=True)
    tokens: int = Field(default=0, sa_type=BigInteger)
    cost_usd: float = 0.0


class Tool(SQLModel, table=True):
    """A team's settings for a tool, and the tools that it registered itself."""

    __tablename__ = "tools"
    __table_args__ = (UniqueConstraint("team_id", "name", name="tools_once"),)

    id: UUID = Field(primary_key=True)
    team_id: UUID = _team()
    name: str = _text()
    type: ToolType = _enum(ToolType)
    description: str = _text("")
    schema_: dict[str, Any] = Field(
        default=None, sa_type=JSONB, nullable=False, sa_column_kwargs={"name": "schema"}
    )
    endpoint: str | None = _text()
    config: dict[str, Any] = _json(nullable=False)
    is_active: bool = True
    permission_level: Permission = _enum(Permission, Permission.AUTO)
    created_at: datetime = _created_at()
