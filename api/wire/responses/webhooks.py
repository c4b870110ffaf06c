"""Webhooks, and what they were sent."""

from datetime import datetime
from uuid import UUID

from api.wire.responses.base import Answer
from workflows.definitions.webhook import DeliveryState, Notice
from workflows.open_values import Open


class Webhook(Answer):
    """``failing_since``: nothing has got through since then. ``disabled_reason`` says why AgentOS
    has switched it off."""

    id: UUID
    url: str
    events: list[Open[Notice]]
    is_active: bool
    disabled_reason: str | None = None
    failing_since: datetime | None = None
    created_at: datetime


class NewWebhook(Webhook):
    """``secret`` is what its deliveries are signed with. It is shown only here."""

    secret: str


class CallbackSecret(Answer):
    """What the callbacks of single tasks are signed with. It is shown only here."""

    secret: str


class DeliveryAttempt(Answer):
    """``status`` is that of the receiver's answer, ``answer`` the beginning of what it said;
    ``error`` says why it was no success."""

    at: datetime
    duration_ms: int
    status: int | None = None
    error: str | None = None
    answer: str = ""


class Delivery(Answer):
    """``id`` is the ``webhook-id``. ``webhook_id`` is None for a callback of the task. ``attempts``
    are the last ones; ``next_at`` is when the next is due, ``reason`` why there is none."""

    id: UUID
    webhook_id: UUID | None = None
    url: str
    task_id: UUID
    run: int
    type: Open[Notice]
    state: Open[DeliveryState]
    reason: str | None = None
    attempts: list[DeliveryAttempt]
    next_at: datetime | None = None
    created_at: datetime


class DeliveryDetails(Delivery):
    """``body`` is what was sent, each time; None before the first."""

    body: str | None = None
