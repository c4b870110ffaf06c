"""Bulk runs: the same done about many dead letters or tasks, one after the other."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
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
from workflows.states import BulkAction, BulkState, ItemState


class BulkRun(Row, table=True):
    """``filter`` is what was asked for, None for all; ``request`` the body of each
    requeue or retry.

    ``rate`` is in items a minute; ``next_at`` is when the next one is due, and until
    ``lease_until`` one of the APIs works on the run. ``reason`` says why it has stopped.
    """

    __tablename__ = "bulk_runs"
    __table_args__ = (
        Index("bulk_runs_by_team", "team_id", text("created_at DESC"), text("id DESC")),
        Index("bulk_runs_due", "next_at", postgresql_where=text("state = 'running'")),
        Index(
            "bulk_runs_by_end",
            "team_id",
            "ended_at",
            postgresql_where=text("ended_at IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    actor: str = text_column()
    action: BulkAction = enum_column(BulkAction)
    state: BulkState = enum_column(BulkState, BulkState.RUNNING)
    reason: str = text_column("")
    note: str = text_column("")
    filter: dict[str, Any] | None = json_column()
    request: dict[str, Any] = json_column(nullable=False)
    canary: int = 0
    rate: int = 60
    next_at: datetime = created_at_column()
    lease_until: datetime | None = moment_column()
    created_at: datetime = created_at_column()
    ended_at: datetime | None = moment_column()


class BulkItem(Row, table=True):
    """A letter or a task of a bulk run, which are fixed when it is made. ``run`` is the run of the
    task that a requeue or a retry begins; else that which the task has. A task has no letter.
    ``is_alike``: it failed with the fingerprint that it had. ``code`` and ``reason`` say why it was
    skipped, or completed without a task.

    They name letters and tasks that may be gone by now.
    """

    __tablename__ = "bulk_items"
    __table_args__ = (
        Index("bulk_items_by_state", "bulk_id", "state", "number"),
        Index("bulk_items_running", "task_id", postgresql_where=text("state = 'requeued'")),
    )

    bulk_id: UUID = Field(primary_key=True, foreign_key="bulk_runs.id", ondelete="CASCADE")
    number: int = Field(primary_key=True)
    letter_id: UUID | None = None
    task_id: UUID
    run: int
    fingerprint: str | None = text_column()
    state: ItemState = enum_column(ItemState, ItemState.OPEN)
    is_alike: bool | None = None
    code: str | None = text_column()
    reason: str | None = text_column()
