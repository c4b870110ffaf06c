"""Agents that stay, and what they are told."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
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
from workflows.states import InboxKind, MessageMode


class ResidentRow(Row, table=True):
    """An agent that stays. ``definition`` is a ``Resident``. It was made by agent ``parent_id``, or
    by a person; ``depth`` counts from 0.

    ``message_seq`` is the number of the last row in its inbox, and ``told_seq`` that of which its
    workflow was told last, at ``told_at``. ``exchange_id`` is its last exchange, the ``exchanges``-
    th, unless somebody has dealt with how that ended. ``updated_at`` changes with whatever people
    see of it. Its state is derived of all that: see ``store.residents``.
    """

    __tablename__ = "agents"
    __table_args__ = (
        Index(
            "agents_by_name",
            "team_id",
            "name",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("agents_by_team", "team_id", text("created_at DESC"), text("id DESC")),
        Index("agents_by_change", "team_id", "updated_at"),
        Index("agents_by_parent", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
        Index(
            "agents_deleted",
            "team_id",
            "deleted_at",
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
        Index("agents_untold", "told_at", postgresql_where=text("message_seq > told_seq")),
        UniqueConstraint("team_id", "idempotency_key", name="agents_idempotency"),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    name: str = text_column()
    parent_id: UUID | None = None
    depth: int = 0
    definition: dict[str, Any] = json_column(nullable=False)
    template: str | None = text_column()
    message_seq: int = Field(default=0, sa_type=BigInteger)
    told_seq: int = Field(default=0, sa_type=BigInteger)
    told_at: datetime = created_at_column()
    exchange_id: UUID | None = None
    exchanges: int = 0
    idempotency_key: str | None = text_column()
    request_digest: str | None = text_column()
    paused_at: datetime | None = moment_column()
    terminated_at: datetime | None = moment_column()
    deleted_at: datetime | None = moment_column()
    created_at: datetime = created_at_column()
    updated_at: datetime = created_at_column()


class InboxRow(Row, table=True):
    """A row of the inbox of an agent: what it was told, and what it has replied, in the order of
    ``seq``, which counts from 1 without gaps within the agent.

    ``from_agent_id`` is None where a person wrote, whose name is ``from_name``; ``to_agent_id`` of
    a reply likewise. ``attachments`` maps names to references. ``hops`` counts the messages of
    agents that led to this one. ``exchange_id`` is the exchange that took it, or that gave the
    reply. ``thread_id`` is the message of group ``group_id`` that began a discussion, and ``round``
    where in that it belongs. A reply that ``is_interrupted`` was cut short. One that was withdrawn
    is read, and empty, and shown to nobody: it keeps its number, and its key from being used again.
    """

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("agent_id", "seq", name="inbox_once"),
        UniqueConstraint("agent_id", "client_key", name="inbox_idempotency"),
        Index(
            "inbox_unread",
            "agent_id",
            "seq",
            postgresql_where=text("read_at IS NULL"),
        ),
        Index(
            "inbox_by_attachment",
            text("jsonb_path_query_array(attachments, '$.*')"),
            postgresql_using="gin",
            postgresql_where=text("read_at IS NULL AND attachments IS NOT NULL"),
        ),
        Index(
            "inbox_by_exchange",
            "exchange_id",
            postgresql_where=text("exchange_id IS NOT NULL"),
        ),
        Index(
            "inbox_read_of_no_exchange",
            "team_id",
            "read_at",
            postgresql_where=text("exchange_id IS NULL AND read_at IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    agent_id: UUID = Field(foreign_key="agents.id", ondelete="CASCADE")
    seq: int = Field(sa_type=BigInteger)
    kind: InboxKind = enum_column(InboxKind)
    from_agent_id: UUID | None = None
    from_name: str = text_column("")
    to_agent_id: UUID | None = None
    to_name: str = text_column("")
    content: str = text_column()
    attachments: dict[str, str] | None = json_column()
    mode: MessageMode = enum_column(MessageMode, MessageMode.QUEUE)
    hops: int = 0
    reply_to: UUID | None = None
    exchange_id: UUID | None = None
    group_id: UUID | None = None
    thread_id: UUID | None = None
    round: int = 0
    is_interrupted: bool = False
    client_key: str | None = text_column()
    request_digest: str | None = text_column()
    read_at: datetime | None = moment_column()
    withdrawn_at: datetime | None = moment_column()
    created_at: datetime = created_at_column()


class ResidentUsage(Row, table=True):
    """What an agent that stays has used on a day, in UTC."""

    __tablename__ = "agent_usage"

    agent_id: UUID = Field(primary_key=True, foreign_key="agents.id", ondelete="CASCADE")
    day: date = Field(primary_key=True)
    team_id: UUID = team_column()
    tokens: int = Field(default=0, sa_type=BigInteger)
    cost_usd: float = 0.0
