"""Webhooks: who is told of a team's tasks, and what they were sent."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from activities.store import webhooks as store
from activities.store.deliveries import resend
from activities.store.reading.deliveries import DeliveryFilter, find_delivery, list_deliveries
from api.errors import NotFound, SealingKeyMissing, WebhookConflict
from api.http.bodies import Body
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.openapi import refusals
from api.http.paging import CursorText, Limit, cursor_text, parse_cursor
from api.http.routing import Routes
from api.webhooks import receivers
from api.wire.requests import WebhookChange, WebhookRequest
from api.wire.responses.pages import DEFAULT_PAGE, Page
from api.wire.responses.webhooks import (
    CallbackSecret,
    Delivery,
    DeliveryDetails,
    NewWebhook,
    Webhook,
)
from workflows.definitions.webhook import DeliveryState, Notice

router = Routes(prefix="/webhooks", tags=["webhooks"])

# `PATCH /deliveries` must not be taken for a call of a webhook of that name.
_ONE = "/{webhook_id:uuid}"


@router.post("", status_code=201, responses=refusals(WebhookConflict), operation_id="createWebhook")
async def create(
    services: ServicesDep,
    actor: ActorDep,
    wanted: Annotated[WebhookRequest, Depends(Body(WebhookRequest))],
) -> NewWebhook:
    """Have a URL told of the team's tasks. The answer alone has the secret."""
    made, secret = await receivers.create_webhook(services, actor, wanted)
    return NewWebhook(**asdict(made), secret=secret)


@router.get("")
async def list_webhooks(services: ServicesDep, team_id: TeamDep) -> Page[Webhook]:
    """List the team's webhooks, the oldest first, all on one page."""
    found = await store.list_webhooks(services.database, team_id)
    return Page(items=[Webhook(**asdict(each)) for each in found])


@router.post("/secret", responses=refusals(SealingKeyMissing))
async def create_callback_secret(services: ServicesDep, actor: ActorDep) -> CallbackSecret:
    """Make the secret that callbacks of the team's tasks are signed with, in place of the one
    before."""
    return CallbackSecret(secret=await receivers.create_callback_secret(services, actor))


@router.get("/deliveries", operation_id="listDeliveries")
async def deliveries(
    *,
    services: ServicesDep,
    team_id: TeamDep,
    webhook_id: UUID | None = None,
    task_id: UUID | None = None,
    state: Annotated[tuple[DeliveryState, ...], Query()] = (),
    type: Annotated[tuple[Notice, ...], Query()] = (),  # noqa: A002  (its name in the query)
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[Delivery]:
    """List what webhooks and callbacks were sent, or are to be, the newest first."""
    wanted = DeliveryFilter(webhook_id, task_id, state, type)
    items, following = await list_deliveries(
        services.database, team_id, wanted, parse_cursor(cursor), limit
    )
    shown = [Delivery.model_validate(_without_body(asdict(item))) for item in items]
    return Page(items=shown, next_cursor=cursor_text(following))


@router.get("/deliveries/{delivery_id}")
async def get_delivery(
    delivery_id: UUID, services: ServicesDep, team_id: TeamDep
) -> DeliveryDetails:
    """Show a delivery with its body."""
    found = await find_delivery(services.database, team_id, delivery_id)
    if found is None:
        raise NotFound(kind="delivery", id=delivery_id)
    return DeliveryDetails.model_validate(asdict(found))


@router.post(
    "/deliveries/{delivery_id}/resend", status_code=202, responses=refusals(WebhookConflict)
)
async def resend_delivery(
    delivery_id: UUID, services: ServicesDep, actor: ActorDep
) -> DeliveryDetails:
    """Send the same again now, with all its retries."""
    begun = await resend(services.database, actor, delivery_id)
    if begun is None:
        raise NotFound(kind="delivery", id=delivery_id)
    if not begun:
        raise WebhookConflict(reason="The webhook is switched off. Enable it first.")
    return await get_delivery(delivery_id, services, actor.team_id)


@router.get(_ONE)
async def get_webhook(webhook_id: UUID, services: ServicesDep, team_id: TeamDep) -> Webhook:
    """Show a webhook, without its secret."""
    return _webhook(await store.find_webhook(services.database, team_id, webhook_id), webhook_id)


@router.patch(_ONE)
async def change_webhook(
    webhook_id: UUID,
    change: Annotated[WebhookChange, Depends(Body(WebhookChange))],
    services: ServicesDep,
    actor: ActorDep,
) -> Webhook:
    """Switch a webhook on or off, or choose what it is told."""
    changed = await store.change_webhook(
        services.database, actor, webhook_id, is_active=change.is_active, events=change.events
    )
    return _webhook(changed, webhook_id)


@router.delete(_ONE, status_code=204)
async def delete_webhook(webhook_id: UUID, services: ServicesDep, actor: ActorDep) -> Response:
    """Delete a webhook, with the list of what it was sent."""
    if not await store.delete_webhook(services.database, actor, webhook_id):
        raise NotFound(kind="webhook", id=webhook_id)
    return Response(status_code=204)


def _webhook(found: store.WebhookInfo | None, webhook_id: UUID) -> Webhook:
    if found is None:
        raise NotFound(kind="webhook", id=webhook_id)
    return Webhook(**asdict(found))


def _without_body(delivery: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in delivery.items() if name != "body"}
