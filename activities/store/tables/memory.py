"""What agents that stay remember beside their conversation."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Computed, Index, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field

from activities.store.columns import created_at_column, team_column, text_column
from activities.store.row import Row


class AgentNote(Row, table=True):
    """What an agent wanted to remember. ``words`` is its text as it is searched."""

    __tablename__ = "agent_notes"
    __table_args__ = (
        Index("agent_notes_by_agent", "agent_id", text("created_at DESC"), text("id DESC")),
        Index("agent_notes_by_words", "words", postgresql_using="gin"),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    agent_id: UUID = Field(foreign_key="agents.id", ondelete="CASCADE")
    text: str = text_column()
    words: str | None = Field(
        default=None,
        sa_type=TSVECTOR,
        sa_column_args=(Computed("to_tsvector('simple', text)", persisted=True),),
    )
    created_at: datetime = created_at_column()


class AgentSummary(Row, table=True):
    """What the exchanges of an agent up to its ``through``-th were about, as a model has summed it
    up: the latest stands for all before. The exchanges themselves stay."""

    __tablename__ = "agent_summaries"

    agent_id: UUID = Field(primary_key=True, foreign_key="agents.id", ondelete="CASCADE")
    through: int = Field(primary_key=True)
    team_id: UUID = team_column()
    text: str = text_column()
    model: str = text_column("")
    tokens: int = 0
    cost_usd: float = 0.0
    created_at: datetime = created_at_column()
