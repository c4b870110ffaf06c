"""What teams say of tools."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from activities.store.columns import (
    created_at_column,
    enum_column,
    json_column,
    team_column,
    text_column,
)
from activities.store.row import Row
from workflows.states import Permission, ToolType


class Tool(Row, table=True):
    """A team's settings for a tool, and the tools that it registered itself. Of its calls
    ``max_running`` may run at once, and ``calls_per_minute`` be made; None is no limit. The
    ``fallback`` is called in its place while its breaker is open."""

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
    fallback: dict[str, Any] | None = json_column()
    is_active: bool = True
    permission_level: Permission = enum_column(Permission, Permission.AUTO)
    max_running: int | None = None
    calls_per_minute: int | None = None
    created_at: datetime = created_at_column()
