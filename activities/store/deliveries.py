"""What is to be sent to webhooks and callbacks: taken by one sender at a time, and written down."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select, text
from sqlmodel import col

from activities.store import audit
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.events import as_json
from activities.store.tables import WebhookDelivery
from workflows.definitions.webhook import DeliveryState, Notice

# Of one delivery so many are kept, the last ones.
MAX_ATTEMPTS_KEPT = 50


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt: ``at`` which time (ISO 8601), and what came of it. ``status`` is that of the
    answer, and ``answer`` its first bytes as text; ``error`` says why there is none, or why it
    will not do."""

    at: str
    duration_ms: int
    status: int | None = None
    error: str | None = None
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is this sender's until its lease ends. ``claim`` fences what it writes.

    ``sealed`` is None where the secret is gone; ``is_active`` says whether the webhook is, and is
    true of callbacks. ``age_seconds`` is how long it has been tried, and ``failing_seconds`` for
    how long nothing has got through to its webhook.
    """

    id: UUID
    claim: UUID
    team_id: UUID
    webhook_id: UUID | None
    url: str
    target: str
    task_id: UUID
    run: int
    type: Notice
    body: str | None
    tries: int
    age_seconds: float
    failing_seconds: float
    is_active: bool
    created_at: datetime
    sealed: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much a sender can take: ``free`` deliveries in all, and ``each`` to one target; of those
    in ``places`` as many as these say. ``after`` is the target behind which to begin."""

    free: int
    each: int
    lease_seconds: float
    places: Mapping[str, int] = field(default_factory=dict)
    after: str = ""


async def claim_due(database: Database, wanted: Wanted) -> Sequence[Claimed]:
    """Take what is due, in turns among receivers: none of them can keep others waiting."""
    claim = uuid4()
    rows = await database.execute(
        _CLAIM,
        {
            "claim": claim,
            "after": wanted.after,
            # Those that have no place are looked at in vain.
            "targets": wanted.free + len(wanted.places),
            "each": wanted.each,
            "places": json.dumps(dict(wanted.places)),
            "free": wanted.free,
            "lease_seconds": wanted.lease_seconds,
        },
    )
    return [Claimed(**{**dict(row.items()), "type": Notice(row.type)}, claim=claim) for row in rows]


async def fix_body(database: Database, delivery: Claimed, body: str) -> bool:
    """Keep what is sent, before it is. False when the delivery is somebody else's by now."""
    values = {"id": delivery.id, "claim": delivery.claim, "body": body}
    return bool(await database.execute(_FIX_BODY, values))


async def delivered(database: Database, delivery: Claimed, sent: Sent) -> None:
    await _end(database, delivery, sent, DeliveryState.DELIVERED)


async def postponed(
    database: Database, delivery: Claimed, sent: Sent, pause_seconds: float
) -> None:
    """Another attempt follows after the pause."""
    await _end(database, delivery, sent, DeliveryState.PENDING, pause_seconds=pause_seconds)


async def given_up(database: Database, delivery: Claimed, sent: Sent | None, reason: str) -> None:
    """No attempt follows, unless somebody asks for it; ``sent`` is None where none was made."""
    await _end(database, delivery, sent, DeliveryState.FAILED, reason=reason)


async def resend(database: Database, actor: Actor, delivery_id: UUID) -> bool | None:
    """Send a delivery again now, whatever became of it. None when the team has none of this id;
    False when its webhook is switched off."""
    values = {"id": delivery_id, "team_id": actor.team_id}
    async with database.writing() as connection:
        row = (await connection.execute(_RESEND, values)).one_or_none()
        if row is None or not row.is_active:
            return None if row is None else False
        await audit.note(connection, actor, Deed("webhook.resent", str(delivery_id)))
    return True


async def delete_old_deliveries(
    database: Database, team_id: UUID, before: datetime, limit: int
) -> int:
    """Delete at most ``limit`` of a team that were written ``before`` and are not to be sent any
    more, the oldest first; how many they were."""
    created_at = col(WebhookDelivery.created_at)
    old = (
        select(col(WebhookDelivery.id))
        .where(
            col(WebhookDelivery.team_id) == team_id,
            created_at < before,
            col(WebhookDelivery.state) != DeliveryState.PENDING,
        )
        .order_by(created_at, col(WebhookDelivery.id))
        .limit(limit)
    )
    gone = delete(WebhookDelivery).where(col(WebhookDelivery.id).in_(old))
    async with database.writing() as connection:
        return len((await connection.execute(gone.returning(col(WebhookDelivery.id)))).all())


async def _end(
    database: Database,
    delivery: Claimed,
    sent: Sent | None,
    state: DeliveryState,
    *,
    reason: str | None = None,
    pause_seconds: float = 0.0,
) -> None:
    await database.execute(
        _END,
        {
            "id": delivery.id,
            "claim": delivery.claim,
            "state": state,
            "reason": reason,
            "pause_seconds": pause_seconds,
            "sent": sent and as_json(asdict(sent)),
            "is_success": state is DeliveryState.DELIVERED,
        },
    )


# Receivers are found one after the other in the index, so that a hundred thousand notices for one
# cost no more than a single one, and then each has its own share taken.
_CLAIM = text(
    f"""
    WITH RECURSIVE receiver AS (
        (SELECT target FROM webhook_deliveries
         WHERE state = '{DeliveryState.PENDING}' AND target > :after AND next_at <= now()
         ORDER BY target LIMIT 1)
        UNION ALL
        SELECT (SELECT due.target FROM webhook_deliveries AS due
                WHERE due.state = '{DeliveryState.PENDING}' AND due.target > receiver.target
                  AND due.next_at <= now()
                ORDER BY due.target LIMIT 1)
        FROM receiver WHERE receiver.target IS NOT NULL
    ), chosen AS MATERIALIZED (
        SELECT due.id
        FROM (SELECT target FROM receiver WHERE target IS NOT NULL LIMIT :targets) AS asked
        CROSS JOIN LATERAL (
            SELECT id FROM webhook_deliveries AS row
            WHERE row.state = '{DeliveryState.PENDING}' AND row.target = asked.target
              AND row.next_at <= now()
            ORDER BY row.next_at
            LIMIT greatest(0, coalesce(
                CAST(CAST(:places AS jsonb) ->> asked.target AS int), CAST(:each AS int)))
            FOR UPDATE SKIP LOCKED
        ) AS due
        LIMIT :free
    ), taken AS (
        UPDATE webhook_deliveries
        SET claim = :claim, next_at = now() + make_interval(secs => :lease_seconds)
        FROM chosen
        WHERE webhook_deliveries.id = chosen.id
        RETURNING webhook_deliveries.*
    )
    SELECT taken.id, taken.team_id, taken.webhook_id, coalesce(webhooks.url, taken.url) AS url,
           taken.target, taken.task_id, taken.run, taken.type, taken.body, taken.tries,
           CAST(extract(epoch FROM now() - taken.since) AS float) AS age_seconds,
           CAST(coalesce(extract(epoch FROM now() - webhooks.failing_since), 0) AS float)
               AS failing_seconds,
           coalesce(webhooks.is_active, true) AS is_active, taken.created_at,
           coalesce(webhooks.sealed, callback_secrets.sealed) AS sealed
    FROM taken
    LEFT JOIN webhooks ON webhooks.id = taken.webhook_id
    LEFT JOIN callback_secrets
        ON taken.webhook_id IS NULL AND callback_secrets.team_id = taken.team_id
    """
)

_FIX_BODY = text(
    "UPDATE webhook_deliveries SET body = :body WHERE id = :id AND claim = :claim RETURNING id"
)

_END = text(
    f"""
    WITH delivery AS (
        UPDATE webhook_deliveries
        SET state = :state, reason = :reason, claim = NULL,
            next_at = now() + make_interval(secs => :pause_seconds),
            tries = tries + CASE WHEN CAST(:sent AS jsonb) IS NULL THEN 0 ELSE 1 END,
            attempts = CASE WHEN CAST(:sent AS jsonb) IS NULL THEN attempts
                            WHEN jsonb_array_length(attempts) < {MAX_ATTEMPTS_KEPT}
                            THEN attempts || CAST(:sent AS jsonb)
                            ELSE attempts - 0 || CAST(:sent AS jsonb) END
        WHERE id = :id AND claim = :claim
        RETURNING webhook_id
    )
    UPDATE webhooks
    SET failing_since = CASE WHEN :is_success THEN NULL ELSE now() END
    FROM delivery
    WHERE webhooks.id = delivery.webhook_id AND CAST(:sent AS jsonb) IS NOT NULL
      AND :is_success = (failing_since IS NOT NULL)
    """
)

_RESEND = text(
    f"""
    WITH asked AS (
        SELECT webhook_deliveries.id, coalesce(webhooks.is_active, true) AS is_active
        FROM webhook_deliveries LEFT JOIN webhooks ON webhooks.id = webhook_id
        WHERE webhook_deliveries.id = :id AND webhook_deliveries.team_id = :team_id
    ), begun AS (
        UPDATE webhook_deliveries
        SET state = '{DeliveryState.PENDING}', reason = NULL, next_at = now(), since = now(),
            tries = 0, claim = NULL
        FROM asked WHERE webhook_deliveries.id = asked.id AND asked.is_active
    )
    SELECT is_active FROM asked
    """
)
