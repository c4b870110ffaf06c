"""Who is told of what happens to tasks, and what they were sent."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
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
from workflows.definitions.webhook import DeliveryState


class Webhook(Row, table=True):
    """A URL that is told of all tasks of a team. ``origin`` is that of the URL, and ``events`` are
    what it is told.

    ``sealed`` is what its deliveries are signed with. ``failing_since``: nothing has got through
    since then. ``disabled_reason``: why it is not active, unless a person has switched it off.
    """

    __tablename__ = "webhooks"
    __table_args__ = (Index("webhooks_by_team", "team_id", "created_at", "id"),)

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    url: str = text_column()
    origin: str = text_column()
    events: list[str] = json_column(nullable=False)
    sealed: bytes = Field(sa_type=LargeBinary)
    is_active: bool = True
    disabled_reason: str | None = text_column()
    failing_since: datetime | None = moment_column()
    created_at: datetime = created_at_column()


class CallbackSecret(Row, table=True):
    """What a team's ``callbacks`` of single tasks are signed with."""

    __tablename__ = "callback_secrets"

    team_id: UUID = Field(primary_key=True, foreign_key="teams.id")
    sealed: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = created_at_column()


class WebhookDelivery(Row, table=True):
    """A notice that a ``webhook_id``, or the ``url`` of a task's callback, is to be sent.

    Rows are written by the trigger ``tell_webhooks`` on ``tasks``, in the transaction that changes
    the state. ``id`` is made of what the notice is, and is the ``webhook-id``. ``target`` is team
    and origin of the URL: what is one receiver, as far as anybody can tell.

    ``body`` is written before it is first sent, and never changed. ``attempts`` are the last ones,
    ``tries`` how many there were since ``since``, from which on the time for retries is counted.
    ``claim`` is whoever sends it now, until ``next_at``; without one it is due then. ``ended_at``
    is None while it is to be sent, and housekeeping leaves it alone.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index(
            "webhook_deliveries_due",
            "target",
            "next_at",
            postgresql_where=text("state = 'pending'"),
        ),
        Index("webhook_deliveries_by_team", "team_id", text("created_at DESC"), text("id DESC")),
        # Those that people look for are a few among many.
        Index(
            "webhook_deliveries_undelivered",
            "team_id",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=text("state <> 'delivered'"),
        ),
        Index(
            "webhook_deliveries_by_age",
            "team_id",
            "ended_at",
            postgresql_where=text("ended_at IS NOT NULL"),
        ),
        Index("webhook_deliveries_by_task", "task_id"),
        Index(
            "webhook_deliveries_by_webhook",
            "webhook_id",
            "state",
            postgresql_where=text("webhook_id IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    webhook_id: UUID | None = Field(default=None, foreign_key="webhooks.id", ondelete="CASCADE")
    url: str | None = text_column()
    target: str = text_column()
    task_id: UUID = Field(foreign_key="tasks.id", ondelete="CASCADE")
    run: int
    type: str = text_column()
    body: str | None = text_column()
    state: DeliveryState = enum_column(DeliveryState, DeliveryState.PENDING)
    reason: str | None = text_column()
    attempts: list[dict[str, Any]] = Field(
        default=None,
        sa_type=JSONB,
        nullable=False,
        sa_column_kwargs={"server_default": text("'[]'")},
    )
    tries: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    since: datetime = created_at_column()
    next_at: datetime = created_at_column()
    claim: UUID | None = None
    ended_at: datetime | None = moment_column()
    created_at: datetime = created_at_column()
