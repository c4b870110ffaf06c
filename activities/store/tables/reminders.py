"""What agents that stay are to be reminded of, and when."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field

from activities.store.columns import created_at_column, moment_column, team_column, text_column
from activities.store.row import Row


class Reminder(Row, table=True):
    """Comes as a message of the agent to itself, next at ``next_at``, and then every
    ``every_seconds``, if any, and not after ``until_at``. ``number`` counts those that have
    come; ``hops`` are those of the exchange that set it, 0 of a person."""

    __tablename__ = "reminders"
    __table_args__ = (
        Index("reminders_due", "next_at", postgresql_where=text("ended_at IS NULL")),
        Index("reminders_by_agent", "agent_id", "created_at"),
        Index(
            "reminders_ended",
            "team_id",
            "ended_at",
            postgresql_where=text("ended_at IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    agent_id: UUID = Field(foreign_key="agents.id", ondelete="CASCADE")
    content: str = text_column()
    next_at: datetime = created_at_column()
    every_seconds: float | None = None
    until_at: datetime | None = moment_column()
    number: int = 0
    hops: int = 0
    created_at: datetime = created_at_column()
    ended_at: datetime | None = moment_column()
