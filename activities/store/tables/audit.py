"""Who did what, when, and why."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field

from activities.store.columns import created_at_column, json_column, team_column, text_column
from activities.store.row import Row


class AuditEntry(Row, table=True):
    """An action of a person or of a program. ``actor`` is the name of an API key, or who needs
    none; ``action`` a verb such as ``task.retried``; ``target`` what it was done to; ``note`` why.
    ``details`` are small: neither secrets nor contents. Entries are never changed."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("audit_log_by_team", "team_id", text("created_at DESC"), text("id DESC")),
        Index(
            "audit_log_by_target",
            "team_id",
            "target",
            postgresql_ops={"target": "text_pattern_ops"},
        ),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    actor: str = text_column()
    action: str = text_column()
    target: str = text_column()
    note: str = text_column("")
    details: dict[str, Any] = json_column(nullable=False)
    created_at: datetime = created_at_column()
