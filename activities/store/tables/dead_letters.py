"""Dead letters: what ended badly, and waits for somebody to do something about it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field

from activities.store.columns import (
    created_at_column,
    enum_column,
    json_column,
    moment_column,
    team_column,
    text_column,
)
from activities.store.row import Row
from workflows.states import LetterState, TaskType


class DeadLetter(Row, table=True):
    """A part of a task that ended ``failed`` or ``blocked``, in its ``run``: ``part`` is the name
    of a step, call or node, and empty where it is the task itself. Nodes have theirs with the plan
    at the top. ``name`` is that of the task.

    ``attempts``, ``tokens``, ``cost_usd`` and ``seconds`` are what the part has cost in that run.
    ``searched`` is what a text is looked for in, in lower case. ``ended_by`` is who requeued or
    discarded it, and ``note`` why; ``request_digest`` tells the same request again from another.
    """

    __tablename__ = "dead_letters"
    __table_args__ = (
        UniqueConstraint("task_id", "run", "part", name="dead_letters_once"),
        # The type is looked at in the index: a filter by a rare one reads no rows in vain.
        Index(
            "dead_letters_by_team",
            "team_id",
            "state",
            text("created_at DESC"),
            text("id DESC"),
            "type",
        ),
        # A group is counted, with its first and its last, without reading a row.
        Index(
            "dead_letters_by_fingerprint",
            "team_id",
            "state",
            "fingerprint",
            text("created_at DESC"),
            text("id DESC"),
            "type",
        ),
        Index("dead_letters_open", "id", postgresql_where=text("state = 'open'")),
        Index(
            "dead_letters_by_end",
            "team_id",
            "ended_at",
            postgresql_where=text("ended_at IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    task_id: UUID = Field(foreign_key="tasks.id", ondelete="CASCADE")
    sub_task_id: UUID | None = None
    run: int
    type: TaskType = enum_column(TaskType)
    part: str = text_column("")
    name: str = text_column("")
    error: dict[str, Any] = json_column(nullable=False)
    fingerprint: str = text_column()
    parts: dict[str, Any] = json_column(nullable=False)
    attempts: int = 1
    tokens: int = Field(default=0, sa_type=BigInteger)
    cost_usd: float = 0.0
    seconds: float = 0.0
    searched: str = text_column("")
    state: LetterState = enum_column(LetterState, LetterState.OPEN)
    note: str = text_column("")
    ended_by: str | None = text_column()
    request_digest: str | None = text_column()
    created_at: datetime = created_at_column()
    ended_at: datetime | None = moment_column()
