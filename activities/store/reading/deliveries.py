"""What webhooks and callbacks were sent, and are to be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlmodel import col

from activities.store.database import Database
from activities.store.deliveries import Sent
from activities.store.reading.cursor import Cursor, cut
from activities.store.tables import Webhook, WebhookDelivery
from workflows.definitions.webhook import DeliveryState, Notice


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    webhook_id: UUID | None = None
    task_id: UUID | None = None
    states: Sequence[DeliveryState] = ()
    types: Sequence[Notice] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """``next_at`` is when it is due, where it waits; ``reason`` is why it was given up."""

    id: UUID
    webhook_id: UUID | None
    url: str
    task_id: UUID
    run: int
    type: Notice
    state: DeliveryState
    reason: str | None
    attempts: Sequence[Sent]
    next_at: datetime | None
    created_at: datetime
    body: str | None = None


async def list_deliveries(
    database: Database, team_id: UUID, wanted: DeliveryFilter, cursor: Cursor | None, limit: int
) -> tuple[Sequence[Delivery], Cursor | None]:
    """A page, the newest first and without bodies, and the place of its last one if there are
    more."""
    place = (col(WebhookDelivery.created_at), col(WebhookDelivery.id))
    query = _columns().where(col(WebhookDelivery.team_id) == team_id, *_conditions(wanted))
    if cursor is not None:
        query = query.where(cursor.before(*place))
    query = query.order_by(place[0].desc(), place[1].desc()).limit(limit + 1)
    async with database.reading(fresh=True) as connection:
        found = (await connection.execute(query)).all()
    rows, following = cut(found, limit, lambda row: Cursor(row.created_at, row.id))
    return [_delivery(row) for row in rows], following


async def find_delivery(database: Database, team_id: UUID, delivery_id: UUID) -> Delivery | None:
    """With its body, if that was made."""
    this = (
        _columns()
        .add_columns(col(WebhookDelivery.body))
        .where(col(WebhookDelivery.id) == delivery_id, col(WebhookDelivery.team_id) == team_id)
    )
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(this)).one_or_none()
    return None if row is None else _delivery(row, row.body)


def _columns() -> Select[*tuple[Any, ...]]:
    return select(
        col(WebhookDelivery.id),
        col(WebhookDelivery.webhook_id),
        func.coalesce(col(Webhook.url), col(WebhookDelivery.url)).label("url"),
        col(WebhookDelivery.task_id),
        col(WebhookDelivery.run),
        col(WebhookDelivery.type),
        col(WebhookDelivery.state),
        col(WebhookDelivery.reason),
        col(WebhookDelivery.attempts),
        col(WebhookDelivery.next_at),
        col(WebhookDelivery.created_at),
    ).join(Webhook, col(Webhook.id) == col(WebhookDelivery.webhook_id), isouter=True)


def _conditions(wanted: DeliveryFilter) -> list[ColumnElement[bool]]:
    made: list[ColumnElement[bool]] = []
    if wanted.webhook_id is not None:
        made.append(col(WebhookDelivery.webhook_id) == wanted.webhook_id)
    if wanted.task_id is not None:
        made.append(col(WebhookDelivery.task_id) == wanted.task_id)
    if wanted.states:
        made.append(col(WebhookDelivery.state).in_(wanted.states))
    if wanted.types:
        made.append(col(WebhookDelivery.type).in_([str(notice) for notice in wanted.types]))
    return made


def _delivery(row: Row[*tuple[Any, ...]], body: str | None = None) -> Delivery:
    return Delivery(
        id=row.id,
        webhook_id=row.webhook_id,
        url=row.url,
        task_id=row.task_id,
        run=row.run,
        type=Notice(row.type),
        state=row.state,
        reason=row.reason,
        attempts=[Sent(**sent) for sent in row.attempts],
        next_at=row.next_at if row.state is DeliveryState.PENDING else None,
        created_at=row.created_at,
        body=body,
    )
