"""What is known of circuit breakers by all workers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlmodel import Field

from activities.store.columns import (
    created_at_column,
    enum_column,
    moment_column,
    text_column,
)
from activities.store.row import Row
from workflows.states import BreakerState


class BreakerRow(Row, table=True):
    """The breaker of a tool, an MCP server or a model, for one team. One that never opened has no
    row.

    ``until`` is the next try of an open one, and when the call that tries counts as lost, which is
    the ``prober`` of a half-open one; a closed one does not open before it. Without it, a state
    lasts until somebody says otherwise. ``times`` it opened without a sound while between, by which
    the time grows; ``opened`` in all. ``failures`` of ``calls`` are what it opened for. Who opened
    or closed it by hand is ``decided_by``, with a ``note``.
    """

    __tablename__ = "breakers"
    __table_args__ = (
        Index("breakers_not_closed", "name", postgresql_where=text("state <> 'closed'")),
    )

    team_id: UUID = Field(primary_key=True, foreign_key="teams.id")
    name: str = Field(primary_key=True, sa_type=Text)
    state: BreakerState = enum_column(BreakerState)
    opened_at: datetime | None = moment_column()
    until: datetime | None = moment_column()
    times: int = 0
    opened: int = 0
    failures: int = 0
    calls: int = 0
    reason: str = text_column("")
    prober: str | None = text_column()
    decided_by: str | None = text_column()
    note: str = text_column("")
    changed_at: datetime = created_at_column()
