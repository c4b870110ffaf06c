"""The tables. Every row belongs to a team; states and phases are those of ``workflows.states``.

Rows hold what cannot be derived: a sub-task's files are its rows in ``task_artifacts``, a step's
output is that of its last attempt in ``execution_logs``, an artifact's URL follows from its id.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from activities.mime_types import UNKNOWN_TYPE
from activities.store.columns import (
    created_at_column,
    enum_column,
    json_column,
    moment_column,
    team_column,
    text_column,
)
from workflows.states import ArtifactType, Permission, Phase, Status, TaskType, ToolType


class Team(SQLModel, table=True):
    """``daily_tokens`` is its quota for agents; None is the server's setting."""

    __tablename__ = "teams"

    id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=Text, unique=True)
    daily_tokens: int | None = Field(default=None, sa_type=BigInteger)
    created_at: datetime = created_at_column()


class ApiKey(SQLModel, table=True):
    """Only the SHA-256 of a key is kept; ``prefix`` helps people to tell keys apart."""

    __tablename__ = "api_keys"

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    name: str = Field(sa_type=Text)
    prefix: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text, unique=True)
    created_at: datetime = created_at_column()
    revoked_at: datetime | None = moment_column()


class Secret(SQLModel, table=True):
    """What ``secret:NAME`` stands for where a team's server fits the ``target``.

    ``sealed`` is encrypted with a key that the database does not have.
    """

    __tablename__ = "secrets"
    __table_args__ = (UniqueConstraint("team_id", "name", "target", name="secrets_once"),)

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    name: str = text_column()
    target: str = text_column()
    sealed: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = created_at_column()
    updated_at: datetime = created_at_column()


class Task(SQLModel, table=True):
    """``run`` counts from 1 and grows with every retry by a person, which begins at ``first_step``.

    ``parent_id`` is the plan that a node belongs to. ``route`` says what was asked for and what was
    chosen, and why, where a task of type ``auto`` has become another.

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
        Index(
            "tasks_by_parent",
            "parent_id",
            "created_at",
            postgresql_where=text("parent_id IS NOT NULL"),
        ),
        UniqueConstraint("team_id", "idempotency_key", name="tasks_idempotency"),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    parent_id: UUID | None = None
    type: TaskType = enum_column(TaskType)
    name: str = text_column("")
    prompt: str | None = text_column()
    priority: int = 5
    status: Status = enum_column(Status, Status.PENDING)
    definition: dict[str, Any] | None = json_column()
    inputs: dict[str, str] = json_column(nullable=False)
    route: dict[str, Any] | None = json_column()
    result: dict[str, Any] | None = json_column()
    error: dict[str, Any] | None = json_column()
    run: int = 1
    first_step: int = 0
    pause_requested_at: datetime | None = moment_column()
    event_seq: int = Field(default=0, sa_type=BigInteger)
    executions: list[str] = Field(
        default=None,
        sa_type=JSONB,
        nullable=False,
        sa_column_kwargs={"server_default": text("'[]'")},
    )
    idempotency_key: str | None = text_column()
    request_digest: str | None = text_column()
    created_at: datetime = created_at_column()
    updated_at: datetime = created_at_column()
    started_at: datetime | None = moment_column()
    finished_at: datetime | None = moment_column()


class SubTask(SQLModel, table=True):
    """A step of a pipeline, a tool call of an agent, a node of a plan.

    ``input_context`` is its definition; ``output_result`` what it gave beside files and output;
    ``approval`` what a person was asked about it, until when, and what they said. A node has a
    ``number`` in its plan, from 1 on, and ``child_id`` is the task that runs it. Its
    ``execution_order`` is that of the call that planned it.
    """

    __tablename__ = "sub_tasks"
    __table_args__ = (
        Index("sub_tasks_by_task", "task_id", "execution_order"),
        Index("sub_tasks_by_status", "status", "created_at", "parent_id"),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    task_id: UUID = Field(foreign_key="tasks.id", ondelete="CASCADE")
    parent_id: UUID | None = None
    name: str = text_column()
    task_type: str = text_column()
    status: Status = enum_column(Status, Status.PENDING)
    phase: Phase | None = enum_column(Phase)
    dependencies: list[str] = json_column(nullable=False)
    input_context: dict[str, Any] = json_column(nullable=False)
    output_result: dict[str, Any] | None = json_column()
    approval: dict[str, Any] | None = json_column()
    error: dict[str, Any] | None = json_column()
    retry_count: int = 0
    next_attempt_at: datetime | None = moment_column()
    execution_order: int = 0
    number: int | None = None
    child_id: UUID | None = None
    worker_id: str | None = text_column()
    created_at: datetime = created_at_column()
    started_at: datetime | None = moment_column()
    finished_at: datetime | None = moment_column()


class PlanRevision(SQLModel, table=True):
    """How a plan was revised, in its ``run``, by the call whose result is message ``seq``. ``drop``
    are names of nodes, ``replaced`` those that had failed; ``rewire`` are new definitions of
    pending ones, and ``former`` has what the rows of these were before."""

    __tablename__ = "plan_revisions"

    task_id: UUID = Field(primary_key=True, foreign_key="tasks.id", ondelete="CASCADE")
    seq: int = Field(primary_key=True)
    team_id: UUID = team_column()
    run: int = 1
    reason: str = text_column("")
    add: list[dict[str, Any]] = json_column(nullable=False)
    drop: list[str] = json_column(nullable=False)
    rewire: list[dict[str, Any]] = json_column(nullable=False)
    replaced: list[str] = json_column(nullable=False)
    former: list[dict[str, Any]] = json_column(nullable=False)
    created_at: datetime = created_at_column()


class ExecutionLog(SQLModel, table=True):
    """One attempt. Its id is derived from sub-task, run and attempt: a repeat finds its own row.
    ``execution`` is the Temporal run id that asked for it last: after a reset it is another."""

    __tablename__ = "execution_logs"
    __table_args__ = (
        UniqueConstraint("sub_task_id", "run", "attempt", name="execution_logs_once"),
        Index("execution_logs_by_task", "task_id", "started_at"),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    task_id: UUID = Field(foreign_key="tasks.id", ondelete="CASCADE")
    sub_task_id: UUID = Field(foreign_key="sub_tasks.id", ondelete="CASCADE")
    run: int
    attempt: int
    status: Status = enum_column(Status)
    worker_id: str | None = text_column()
    execution: str | None = text_column()
    exit_code: int | None = None
    duration_ms: int | None = None
    tokens_used: int = 0
    stdout: str = text_column("")
    stderr: str = text_column("")
    error: dict[str, Any] | None = json_column()
    started_at: datetime = created_at_column()
    finished_at: datetime | None = moment_column()
    created_at: datetime = created_at_column()


class TaskArtifact(SQLModel, table=True):
    """``url`` is set for links only; a file's bytes are in the S3 store under its SHA-256."""

    __tablename__ = "task_artifacts"
    __table_args__ = (
        Index("task_artifacts_by_task", "task_id", "created_at"),
        UniqueConstraint("sub_task_id", "name", name="task_artifacts_once"),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    task_id: UUID = Field(foreign_key="tasks.id", ondelete="CASCADE")
    sub_task_id: UUID = Field(foreign_key="sub_tasks.id", ondelete="CASCADE")
    type: ArtifactType = enum_column(ArtifactType, ArtifactType.FILE)
    name: str = text_column()
    url: str | None = text_column()
    size: int = Field(default=0, sa_type=BigInteger)
    mime_type: str = text_column(UNKNOWN_TYPE)
    sha256: str | None = text_column()
    created_at: datetime = created_at_column()


class File(SQLModel, table=True):
    """What somebody uploaded."""

    __tablename__ = "files"
    __table_args__ = (Index("files_by_team", "team_id", "created_at"),)

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    name: str = text_column()
    size: int = Field(sa_type=BigInteger)
    mime_type: str = text_column()
    sha256: str = text_column()
    created_at: datetime = created_at_column()


class Event(SQLModel, table=True):
    """What happened to a task, in order: ``seq`` counts from 1 without gaps within the task.

    They are for those who watch. Nothing is decided by them, so that they can be deleted.
    """

    __tablename__ = "events"

    task_id: UUID = Field(primary_key=True, foreign_key="tasks.id", ondelete="CASCADE")
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    team_id: UUID = team_column()
    type: str = text_column()
    data: dict[str, Any] = json_column(nullable=False)
    created_at: datetime = created_at_column()


class Message(SQLModel, table=True):
    """A message of an agent's conversation: ``seq`` counts from 1 within the task.

    ``requests`` are the tool calls of an assistant's message, ``request_id`` names the one that a
    tool's message answers, and ``sub_task_id`` is its row. ``is_protected``: never shortened for
    the model. ``opaque`` is what goes back to the model that wrote the message, and is for nobody
    else. ``execution`` wrote it (see ``Task``). Tokens, cost and times are those of the call
    of the model that gave an assistant's message, and ``thought`` is what the workflow received.
    """

    __tablename__ = "messages"

    task_id: UUID = Field(primary_key=True, foreign_key="tasks.id", ondelete="CASCADE")
    seq: int = Field(primary_key=True)
    team_id: UUID = team_column()
    turn: int
    role: str = text_column()
    content: str = text_column("")
    requests: list[dict[str, Any]] | None = json_column()
    opaque: dict[str, Any] | None = json_column()
    thought: dict[str, Any] | None = json_column()
    request_id: str | None = text_column()
    sub_task_id: UUID | None = None
    is_protected: bool = False
    execution: str = text_column()
    model: str | None = text_column()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    first_token_ms: int | None = None
    duration_ms: int | None = None
    created_at: datetime = created_at_column()


class LostAnswer(SQLModel, table=True):
    """What the answers took that broke off in a turn of an agent, as one ``execution`` made it.

    They are counted as the team's at once, and as the turn's when it has an answer.
    """

    __tablename__ = "lost_answers"

    task_id: UUID = Field(primary_key=True, foreign_key="tasks.id", ondelete="CASCADE")
    turn: int = Field(primary_key=True)
    execution: str = Field(primary_key=True, sa_type=Text)
    team_id: UUID = team_column()
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
    team_id: UUID = team_column()
    name: str = text_column()
    type: ToolType = enum_column(ToolType)
    description: str = text_column("")
    schema_: dict[str, Any] = Field(
        default=None, sa_type=JSONB, nullable=False, sa_column_kwargs={"name": "schema"}
    )
    endpoint: str | None = text_column()
    config: dict[str, Any] = json_column(nullable=False)
    is_active: bool = True
    permission_level: Permission = enum_column(Permission, Permission.AUTO)
    created_at: datetime = created_at_column()
