"""Groups of agents that stay, and what is said in them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field

from activities.store.columns import (
    created_at_column,
    enum_column,
    json_column,
    team_column,
    text_column,
)
from activities.store.row import Row
from workflows.states import GroupMode, GroupTurnState


class Group(Row, table=True):
    """``limits`` bound a discussion. ``thread_id`` is the message that began the present one, which
    is in ``round``; None where the group is silent. What was said up to ``delivered_seq`` is in the
    inboxes of the members."""

    __tablename__ = "groups"
    __table_args__ = (
        Index("groups_by_name", "team_id", "name", unique=True),
        Index("groups_by_team", "team_id", text("created_at DESC"), text("id DESC")),
        Index("groups_talking", "round_at", postgresql_where=text("thread_id IS NOT NULL")),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    name: str = text_column()
    mode: GroupMode = enum_column(GroupMode, GroupMode.OPEN)
    limits: dict[str, Any] = json_column(nullable=False)
    made_by: UUID | None = None
    message_seq: int = Field(default=0, sa_type=BigInteger)
    delivered_seq: int = Field(default=0, sa_type=BigInteger)
    thread_id: UUID | None = None
    round: int = 0
    round_at: datetime = created_at_column()
    created_at: datetime = created_at_column()
    updated_at: datetime = created_at_column()


class GroupMember(Row, table=True):
    """``answers``: it is named as one who answers in a moderated group."""

    __tablename__ = "group_members"
    __table_args__ = (Index("group_members_by_agent", "agent_id"),)

    group_id: UUID = Field(primary_key=True, foreign_key="groups.id", ondelete="CASCADE")
    agent_id: UUID = Field(primary_key=True, foreign_key="agents.id", ondelete="CASCADE")
    team_id: UUID = team_column()
    answers: bool = False
    created_at: datetime = created_at_column()


class GroupMessage(Row, table=True):
    """What was said in a group, numbered within it. ``thread_id`` is the message that began the
    discussion. One that says why the group fell silent has a ``reason``, and nobody has said it.
    ``digest`` is the same for the same words; ``hops`` counts the messages of agents up to it."""

    __tablename__ = "group_messages"
    __table_args__ = (
        UniqueConstraint("group_id", "seq", name="group_messages_once"),
        UniqueConstraint("group_id", "client_key", name="group_messages_idempotency"),
        Index("group_messages_by_thread", "thread_id", "round"),
        Index("group_messages_by_age", "team_id", "created_at"),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    group_id: UUID = Field(foreign_key="groups.id", ondelete="CASCADE")
    seq: int = Field(sa_type=BigInteger)
    thread_id: UUID
    round: int = 0
    from_agent_id: UUID | None = None
    from_name: str = text_column("")
    content: str = text_column()
    attachments: dict[str, str] | None = json_column()
    digest: str = text_column()
    hops: int = 0
    reason: str | None = text_column()
    exchange_id: UUID | None = None
    client_key: str | None = text_column()
    request_digest: str | None = text_column()
    created_at: datetime = created_at_column()


class GroupTurn(Row, table=True):
    """That a member is to speak in a round of a discussion, and what has become of it: in exchange
    ``exchange_id``, if it had one."""

    __tablename__ = "group_turns"
    __table_args__ = (
        Index("group_turns_due", "agent_id", postgresql_where=text("state = 'due'")),
        Index("group_turns_by_age", "team_id", "created_at"),
    )

    thread_id: UUID = Field(primary_key=True)
    round: int = Field(primary_key=True)
    agent_id: UUID = Field(primary_key=True, foreign_key="agents.id", ondelete="CASCADE")
    group_id: UUID = Field(foreign_key="groups.id", ondelete="CASCADE")
    team_id: UUID = team_column()
    state: GroupTurnState = enum_column(GroupTurnState, GroupTurnState.DUE)
    exchange_id: UUID | None = None
    created_at: datetime = created_at_column()
