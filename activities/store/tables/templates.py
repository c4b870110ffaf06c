"""Templates of agents that stay."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text
from sqlmodel import Field

from activities.store.columns import created_at_column, json_column, text_column
from activities.store.row import Row


class AgentTemplate(Row, table=True):
    """What a team wrote down to make agents of, beside those that are files. ``definition`` is a
    ``Resident``."""

    __tablename__ = "agent_templates"

    team_id: UUID = Field(primary_key=True, foreign_key="teams.id")
    name: str = Field(primary_key=True, sa_type=Text)
    description: str = text_column("")
    definition: dict[str, Any] = json_column(nullable=False)
    created_at: datetime = created_at_column()
    updated_at: datetime = created_at_column()
