"""Results of steps that equal steps may take for their own."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, UniqueConstraint
from sqlmodel import Field

from activities.store.columns import (
    created_at_column,
    json_column,
    moment_column,
    team_column,
    text_column,
)
from activities.store.row import Row


class KeptResult(Row, table=True):
    """What a step gave that ended well: its output, and its files by their SHA-256, whose bytes
    may be gone. ``key`` is a SHA-256 over all that the result depends on; ``kind`` and ``name`` say
    what ran, ``step`` the id of the step.

    Nothing is there before ``made_at``: the row then says that ``owner``, an attempt, is making it
    until ``owned_until``, and others wait. A result that is too old for some is made anew so, too.
    """

    __tablename__ = "result_cache"
    __table_args__ = (
        UniqueConstraint("team_id", "key", name="result_cache_once"),
        Index("result_cache_by_team", "team_id", "made_at", "id"),
        Index(
            "result_cache_by_blob",
            "files",
            postgresql_using="gin",
            postgresql_ops={"files": "jsonb_path_ops"},
        ),
        Index("result_cache_by_end", "expires_at"),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    key: str = text_column()
    kind: str = text_column()
    name: str = text_column()
    step: str = text_column()
    owner: UUID | None = None
    owned_until: datetime | None = moment_column()
    made_at: datetime | None = moment_column()
    expires_at: datetime = Field(sa_type=DateTime(timezone=True))
    files: list[dict[str, Any]] = json_column(nullable=False)
    refused: list[str] = json_column(nullable=False)
    stdout: str = text_column("")
    stderr: str = text_column("")
    exit_code: int | None = None
    hits: int = 0
    last_hit_at: datetime | None = moment_column()
    created_at: datetime = created_at_column()
