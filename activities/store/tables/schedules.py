"""Schedules: what is asked for again and again, and when."""

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
from workflows.schedule_contracts import Overlap


class Schedule(Row, table=True):
    """``task`` is what is asked for, as for a submission. There is one of ``cron`` and
    ``every_seconds``.

    ``version`` grows with every change, and ``synced_version`` is what Temporal has: it was last
    known to at ``seen_at``, and somebody last tried to tell it at ``tried_at``. ``asked`` are the
    times of the latest runs that people have asked for. A row that is ``deleted_at`` some time is
    there until Temporal knows.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        Index(
            "schedules_by_name",
            "team_id",
            "name",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("schedules_by_trial", "tried_at"),
        Index(
            "schedules_by_input",
            text("jsonb_path_query_array(task, '$.inputs.*')"),
            postgresql_using="gin",
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    name: str = text_column()
    cron: str | None = text_column()
    every_seconds: float | None = None
    time_zone: str = text_column("UTC")
    task: dict[str, Any] = json_column(nullable=False)
    overlap: Overlap = enum_column(Overlap)
    catch_up_seconds: float
    note: str = text_column("")
    paused_at: datetime | None = moment_column()
    asked: list[str] = json_column(nullable=False)
    version: int = 1
    synced_version: int = 0
    seen_at: datetime = created_at_column()
    tried_at: datetime = created_at_column()
    created_at: datetime = created_at_column()
    updated_at: datetime = created_at_column()
    deleted_at: datetime | None = moment_column()
