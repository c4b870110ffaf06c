"""The calls of webhooks, and of what was sent."""

from api.client.asking import Fields, asked
from api.client.calls import Calls, Id, json_of, part
from api.client.queries import Filter, queried
from api.client.transport import Params
from api.wire.requests import WebhookChange, WebhookRequest
from api.wire.responses.pages import Page
from api.wire.responses.webhooks import (
    CallbackSecret,
    Delivery,
    DeliveryDetails,
    NewWebhook,
    Webhook,
)


class WebhookCalls(Calls):
    """Part of ``Client``."""

    async def webhooks(self) -> Page[Webhook]:
        """All of the team."""
        return await self._get("/webhooks", Page[Webhook])

    async def create_webhook(self, request: WebhookRequest | Fields) -> NewWebhook:
        """The answer alone has the secret."""
        body = json_of(asked(WebhookRequest, request))
        return await self._transport.call("POST", "/webhooks", NewWebhook, body=body)

    async def change_webhook(self, webhook_id: Id, change: WebhookChange | Fields) -> Webhook:
        path, body = f"/webhooks/{part(webhook_id)}", json_of(asked(WebhookChange, change))
        return await self._transport.call("PATCH", path, Webhook, body=body, repeatable=True)

    async def delete_webhook(self, webhook_id: Id) -> None:
        await self._transport.delete(f"/webhooks/{part(webhook_id)}")

    async def create_callback_secret(self) -> CallbackSecret:
        """What callbacks are signed with from now on."""
        return await self._transport.call("POST", "/webhooks/secret", CallbackSecret)

    async def deliveries(
        self, /, params: Params | None = None, **filters: Filter
    ) -> Page[Delivery]:
        """A page of what webhooks and callbacks were sent, the newest first."""
        return await self._get("/webhooks/deliveries", Page[Delivery], queried(params, filters))

    async def resend(self, delivery_id: Id) -> DeliveryDetails:
        """Send a delivery again now."""
        path = f"/webhooks/deliveries/{part(delivery_id)}/resend"
        return await self._transport.call("POST", path, DeliveryDetails)
