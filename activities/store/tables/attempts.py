"""What attempts at the parts of tasks left: logs, files, events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field

from activities.mime_types import UNKNOWN_TYPE
from activities.store.columns import (
    created_at_column,
    enum_column,
    json_column,
    moment_column,
    team_column,
    text_column,
)
from activities.store.row import Row
from workflows.events import EventType
from workflows.states import ArtifactType, Status


class ExecutionLog(Row, table=True):
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
    skill: dict[str, Any] | None = json_column()
    started_at: datetime = created_at_column()
    finished_at: datetime | None = moment_column()
    created_at: datetime = created_at_column()


class TaskArtifact(Row, table=True):
    """``url`` is set for links only; a file's bytes are in the S3 store under its SHA-256."""

    __tablename__ = "task_artifacts"
    __table_args__ = (
        Index("task_artifacts_by_task", "task_id", "created_at"),
        Index("task_artifacts_by_blob", "sha256", "team_id"),
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


class File(Row, table=True):
    """What somebody uploaded, or what task ``task_id`` fetched from outside. ``named_at``: when a
    task was last about to name it, to the hour."""

    __tablename__ = "files"
    __table_args__ = (
        Index("files_by_team", "team_id", "created_at"),
        Index("files_by_use", "team_id", "named_at", "id"),
        Index("files_by_blob", "sha256", "team_id"),
        Index("files_by_task", "task_id", postgresql_where=text("task_id IS NOT NULL")),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    name: str = text_column()
    size: int = Field(sa_type=BigInteger)
    mime_type: str = text_column()
    sha256: str = text_column()
    task_id: UUID | None = None
    named_at: datetime = created_at_column()
    created_at: datetime = created_at_column()


class Event(Row, table=True):
    """What happened to a task, in order: ``seq`` counts from 1 without gaps within the task.

    They are for those who watch. Nothing is decided by them, so that they can be deleted.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index(
            "events_deltas",
            "task_id",
            "created_at",
            postgresql_where=text(f"type = '{EventType.LLM_DELTA}'"),
        ),
    )

    task_id: UUID = Field(primary_key=True, foreign_key="tasks.id", ondelete="CASCADE")
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    team_id: UUID = team_column()
    type: str = text_column()
    data: dict[str, Any] = json_column(nullable=False)
    created_at: datetime = created_at_column()
