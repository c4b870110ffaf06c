"""The pages of webhooks: who is told of the team's tasks, and what they were sent."""

import json
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response
from markupsafe import Markup
from pydantic import JsonValue
from starlette.datastructures import FormData

from activities.off_loop import off_loop
from api.errors import InvalidRequest
from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.routes import webhooks as calls
from api.web.filters import clip
from api.web.forms import text_of
from api.web.page import fields_of, pages, render, see_other
from api.web.paging import first_page, next_page
from api.web.text.code import highlight
from api.web.text.pretty import written_json
from api.wire.requests import WebhookChange, WebhookRequest
from api.wire.responses.pages import Page
from api.wire.responses.webhooks import Delivery, DeliveryDetails, Webhook
from workflows.definitions.webhook import DEFAULT_NOTICES, DeliveryState, Notice

router = pages()

_ONE = "/webhooks/{webhook_id:uuid}"
_DELIVERIES = "/webhooks/deliveries"
# The whole is a link away, in JSON.
_SHOWN_CHARACTERS = 20_000

HooksDep = Annotated[Page[Webhook], Depends(calls.list_webhooks)]
HookDep = Annotated[Webhook, Depends(calls.get_webhook)]
DeliveriesDep = Annotated[Page[Delivery], Depends(calls.deliveries)]
DeliveryDep = Annotated[DeliveryDetails, Depends(calls.get_delivery)]


@router.get("/webhooks")
async def webhooks_page(request: Request, hooks: HooksDep) -> Response:
    """List webhooks, and ask for another."""
    return _page(request, hooks)


@router.post("/webhooks")
async def create_webhook(
    request: Request, services: ServicesDep, actor: ActorDep, hooks: HooksDep
) -> Response:
    """Make a webhook; the answer alone shows its secret, and is kept by nobody."""
    fields = await fields_of(request)
    try:
        wanted = checked(WebhookRequest, _request_in(fields))
        made = await calls.create(services, actor, wanted)
    except InvalidRequest as error:
        problems = {
            each.pointer.removeprefix("/").partition("/")[0]: each.message
            for each in error.problems
        }
        return _page(request, hooks, status=422, fields=fields, problems=problems)
    return _once(request, secret=made.secret, url=made.url)


@router.post("/webhooks/secret")
async def create_secret(request: Request, services: ServicesDep, actor: ActorDep) -> Response:
    """Make the secret of callbacks, in place of the one before."""
    made = await calls.create_callback_secret(services, actor)
    return _once(request, secret=made.secret, url=None)


@router.get("/webhooks/secret")
async def confirm_secret(request: Request) -> Response:
    """Say what a new secret of callbacks does."""
    return render(request, "webhooks/secret.html")


@router.post(f"{_ONE}/change")
async def change_webhook(
    request: Request, webhook_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Switch a webhook on or off."""
    fields = await fields_of(request)
    change = WebhookChange(is_active=fields.get("is_active") == "true")
    await calls.change_webhook(webhook_id, change, services, actor)
    return see_other("/webhooks")


@router.get(f"{_ONE}/delete")
async def confirm_deletion(request: Request, hook: HookDep) -> Response:
    """Say what deleting a webhook does."""
    return render(request, "webhooks/delete.html", hook=hook)


@router.post(f"{_ONE}/delete")
async def delete_webhook(webhook_id: UUID, services: ServicesDep, actor: ActorDep) -> Response:
    """Delete a webhook."""
    await calls.delete_webhook(webhook_id, services, actor)
    return see_other("/webhooks")


@router.get(_DELIVERIES)
async def deliveries_page(
    request: Request, deliveries: DeliveriesDep, services: ServicesDep, team_id: TeamDep
) -> Response:
    """List what was sent, or is to be."""
    hooks = await calls.list_webhooks(services, team_id)
    query = request.query_params
    return render(
        request,
        "webhooks/deliveries.html",
        deliveries=deliveries,
        hooks=hooks.items,
        states=tuple(DeliveryState),
        notices=tuple(Notice),
        query=query,
        is_filtered=any(name != "cursor" for name in query),
        first=first_page(request),
        next=next_page(request, deliveries),
    )


@router.get(f"{_DELIVERIES}/{{delivery_id:uuid}}")
async def delivery_page(request: Request, delivery: DeliveryDep) -> Response:
    """Show a delivery: what was sent, and what was answered each time."""
    body = await off_loop(_shown, delivery.body or "")
    return render(request, "webhooks/delivery.html", delivery=delivery, body=body)


@router.post(f"{_DELIVERIES}/{{delivery_id:uuid}}/resend")
async def resend_delivery(delivery_id: UUID, services: ServicesDep, actor: ActorDep) -> Response:
    """Send the same again."""
    await calls.resend_delivery(delivery_id, services, actor)
    return see_other(f"{_DELIVERIES}/{delivery_id}")


def _shown(body: str) -> Markup:
    """The beginning of a body of JSON, as people read it."""
    try:
        text = written_json(json.loads(body))
    except (ValueError, RecursionError):
        text = body
    return highlight(clip(text, _SHOWN_CHARACTERS), "json")


def _page(
    request: Request,
    hooks: Page[Webhook],
    *,
    status: int = 200,
    fields: FormData | None = None,
    problems: dict[str, str] | None = None,
) -> Response:
    chosen = DEFAULT_NOTICES if fields is None else fields.getlist("events")
    return render(
        request,
        "webhooks/list.html",
        status=status,
        hooks=hooks.items,
        notices=tuple(Notice),
        chosen={str(each) for each in chosen},
        url="" if fields is None else text_of(fields, "url"),
        problems=problems or {},
    )


def _once(request: Request, *, secret: str, url: str | None) -> Response:
    page = render(request, "webhooks/made.html", secret=secret, url=url)
    page.headers["Cache-Control"] = "no-store"
    return page


def _request_in(fields: FormData) -> JsonValue:
    wanted: dict[str, JsonValue] = {
        "url": text_of(fields, "url").strip(),
        "events": [str(each) for each in fields.getlist("events")],
    }
    if secret := text_of(fields, "secret").strip():
        wanted["secret"] = secret
    return wanted
