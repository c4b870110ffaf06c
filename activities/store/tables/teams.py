"""Teams, their keys, secrets and use."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from activities.store.columns import (
    created_at_column,
    json_column,
    moment_column,
    team_column,
    text_column,
)
from activities.store.row import Row


class Team(Row, table=True):
    """``daily_tokens`` is its quota for agents; None is the server's setting. So it is for each
    thing that ``retention`` does not name (see ``activities.store.retention``).

    ``max_running`` of its steps, calls and turns may run at once, and ``max_thinking`` of its
    agents that stay may think; None is no limit. ``weight`` is its share where teams compete for
    workers; None is 1.
    """

    __tablename__ = "teams"

    id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=Text, unique=True)
    daily_tokens: int | None = Field(default=None, sa_type=BigInteger)
    retention: dict[str, Any] | None = json_column()
    max_running: int | None = None
    max_thinking: int | None = None
    weight: float | None = None
    created_at: datetime = created_at_column()


class ApiKey(Row, table=True):
    """Only the SHA-256 of a key is kept; ``prefix`` helps people to tell keys apart."""

    __tablename__ = "api_keys"

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    name: str = Field(sa_type=Text)
    prefix: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text, unique=True)
    created_at: datetime = created_at_column()
    revoked_at: datetime | None = moment_column()


class Session(Row, table=True):
    """Somebody has logged in to the web page with a key; it ends with the key at the latest. Only
    the SHA-256 of what the browser keeps is here."""

    __tablename__ = "sessions"

    digest: str = Field(sa_type=Text, primary_key=True)
    team_id: UUID = team_column()
    key_id: UUID = Field(foreign_key="api_keys.id", ondelete="CASCADE", index=True)
    created_at: datetime = created_at_column()
    expires_at: datetime = Field(sa_type=DateTime(timezone=True), index=True)


class Secret(Row, table=True):
    """What ``secret:NAME`` stands for where a team's server fits the ``target``.

    ``sealed`` is encrypted with a key that the database does not have.
    """

    __tablename__ = "secrets"
    __table_args__ = (UniqueConstraint("team_id", "name", "target", name="secrets_once"),)

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    name: str = text_column()
    target: str = text_column()
    sealed: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = created_at_column()
    updated_at: datetime = created_at_column()


class TeamUsage(Row, table=True):
    """What a team's agents used on a day (UTC)."""

    __tablename__ = "team_usage"

    team_id: UUID = Field(primary_key=True, foreign_key="teams.id")
    day: date = Field(primary_key=True)
    tokens: int = Field(default=0, sa_type=BigInteger)
    cost_usd: float = 0.0


class ModelUsage(Row, table=True):
    """What a team's agents used of one model on a day (UTC)."""

    __tablename__ = "model_usage"

    team_id: UUID = Field(primary_key=True, foreign_key="teams.id")
    day: date = Field(primary_key=True)
    model: str = Field(primary_key=True, sa_type=Text)
    prompt_tokens: int = Field(default=0, sa_type=BigInteger)
    completion_tokens: int = Field(default=0, sa_type=BigInteger)
    cost_usd: float = 0.0
