"""What runs under a limit, and what waits for its turn.

A limit goes by its ``key``: that of a team, of a tool or server of a team, or of a model.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Index, Text
from sqlmodel import Field

from activities.store.columns import (
    created_at_column,
    json_column,
    moment_column,
    team_column,
    text_column,
)
from activities.store.row import Row


class Slot(Row, table=True):
    """A place under a limit that a piece of work, its ``holder``, has taken. ``token`` is that of
    the attempt at it: a late one must not give back what the next one has. It ``expires_at`` this
    time unless its worker lives and renews it."""

    __tablename__ = "slots"
    __table_args__ = (Index("slots_by_token", "token"),)

    holder: UUID = Field(primary_key=True)
    key: str = Field(sa_type=Text, primary_key=True)
    team_id: UUID = team_column()
    task_id: UUID = Field(foreign_key="tasks.id", ondelete="CASCADE")
    token: UUID
    worker_id: str = text_column()
    taken_at: datetime = created_at_column()
    expires_at: datetime = Field(sa_type=DateTime(timezone=True))


class SlotWait(Row, table=True):
    """A piece of work that waits for places under the limits of all its ``keys``: in the order of
    the priority of its task, then of arrival. ``told_at`` it was told that it may come; it came
    ``tries`` times in vain, and ``waits_for`` is what it lacked the last time."""

    __tablename__ = "slot_waits"
    __table_args__ = (Index("slot_waits_by_task", "task_id"),)

    holder: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    task_id: UUID = Field(foreign_key="tasks.id", ondelete="CASCADE")
    keys: list[str] = json_column(nullable=False)
    priority: int
    tries: int = 0
    waits_for: str | None = text_column()
    arrived_at: datetime = created_at_column()
    told_at: datetime | None = moment_column()


class RateBucket(Row, table=True):
    """How many calls may be made under a rate: ``tokens``, as of ``filled_at``."""

    __tablename__ = "rate_buckets"

    key: str = Field(sa_type=Text, primary_key=True)
    tokens: float
    filled_at: datetime = created_at_column()
