"""Who is to be told: judged, and with a secret, before anything is kept."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from activities.secret_box import SecretBox
from activities.store import webhooks as store
from activities.store.audit import Actor
from activities.store.tasks import NewCallback
from activities.store.webhooks import MAX_WEBHOOKS, NewWebhook, WebhookInfo
from activities.webhooks.errors import EndpointRefused, SecretMalformed
from activities.webhooks.policy import WebhookPolicy
from activities.webhooks.signing import check_secret, new_secret
from api.errors import InvalidRequest, SealingKeyMissing, WebhookConflict
from api.services import Services
from api.wire.requests import WebhookRequest
from workflows.definitions.webhook import Callback
from workflows.pointers import Problem, pointer

_UNSIGNED = (
    "callbacks are signed with a secret of the team, and it has none: `agentos webhooks secret`, "
    "or POST /webhooks/secret, makes one and shows it"
)


async def create_webhook(
    services: Services, actor: Actor, request: WebhookRequest
) -> tuple[WebhookInfo, str]:
    """A webhook, and its secret, which nobody can read again.

    Raises:
        InvalidRequest: it may not be called, or the secret is none.
        SealingKeyMissing
        WebhookConflict: the team has as many as it may have.
    """
    box, secret = _box(services), request.secret or new_secret()
    try:
        check_secret(secret)
    except SecretMalformed as error:
        raise InvalidRequest([Problem("/secret", str(error))]) from error
    try:
        endpoint = WebhookPolicy(services.webhooks).judge(actor.team_id, request.url)
    except EndpointRefused as error:
        raise InvalidRequest([Problem("/url", str(error))]) from error
    webhook_id = uuid4()
    sealed = box.seal(secret, store.place_of_webhook(actor.team_id, webhook_id))
    new = NewWebhook(webhook_id, request.url, endpoint.origin, request.events, sealed)
    made = await store.create_webhook(services.database, actor, new)
    if made is None:
        reason = f"The team has {MAX_WEBHOOKS} webhooks, and may have no more. Delete one first."
        raise WebhookConflict(reason=reason)
    return made, secret


async def create_callback_secret(services: Services, actor: Actor) -> str:
    """What the team's callbacks are signed with from now on. Raises ``SealingKeyMissing``."""
    secret = new_secret()
    sealed = _box(services).seal(secret, store.place_of_callbacks(actor.team_id))
    await store.set_callback_secret(services.database, actor, sealed)
    return secret


async def judged_callbacks(
    services: Services, team_id: UUID, callbacks: Sequence[Callback]
) -> tuple[Sequence[NewCallback], Sequence[Problem]]:
    """Those of a request, and all that is wrong with them."""
    if not callbacks:
        return (), ()
    problems, judged = list[Problem](), list[NewCallback]()
    policy = WebhookPolicy(services.webhooks)
    for index, callback in enumerate(callbacks):
        try:
            endpoint = policy.judge(team_id, callback.url)
        except EndpointRefused as error:
            problems.append(Problem(pointer(("callbacks", index, "url")), str(error)))
        else:
            judged.append(NewCallback(callback.url, endpoint.origin, callback.events))
    if not await store.has_callback_secret(services.database, team_id):
        problems.append(Problem("/callbacks", _UNSIGNED))
    return judged, problems


def _box(services: Services) -> SecretBox:
    if services.box is None:
        raise SealingKeyMissing
    return services.box
