"""The webhooks of teams, and what their callbacks are signed with. Secrets are sealed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from activities.store import audit
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.tables import CallbackSecret, Webhook
from activities.store.team_lock import lock_team
from activities.store.webhook_letters import end_webhook_letters, write_webhook_letter
from workflows.definitions.webhook import DeliveryState, Notice
from workflows.states import LetterState

MAX_WEBHOOKS = 50
# With an endpoint that comes back, so many of its notices begin anew; others are resent one by one.
MAX_REVIVED = 10_000
SWITCHED_OFF = "The webhook was switched off."
# Who switches off what keeps failing.
_NOBODY = "agentos"

_COLUMNS = (
    col(Webhook.id),
    col(Webhook.url),
    col(Webhook.events),
    col(Webhook.is_active),
    col(Webhook.disabled_reason),
    col(Webhook.failing_since),
    col(Webhook.created_at),
)


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """``sealed`` is its secret, for the place ``place_of_webhook``."""

    id: UUID
    url: str
    origin: str
    events: Sequence[Notice]
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebhookInfo:
    """What may be shown of a webhook. ``failing_since``: nothing has got through since then."""

    id: UUID
    url: str
    events: Sequence[Notice]
    is_active: bool
    disabled_reason: str | None
    failing_since: datetime | None
    created_at: datetime


def place_of_webhook(team_id: UUID, webhook_id: UUID) -> str:
    """What the secret of a webhook is sealed for."""
    return f"{team_id} webhook {webhook_id}"


def place_of_callbacks(team_id: UUID) -> str:
    """What the secret of a team's callbacks is sealed for."""
    return f"{team_id} callbacks"


async def create_webhook(database: Database, actor: Actor, new: NewWebhook) -> WebhookInfo | None:
    """None when the team has ``MAX_WEBHOOKS`` already."""
    counted = select(func.count()).where(col(Webhook.team_id) == actor.team_id)
    async with database.writing() as connection:
        await lock_team(connection, actor.team_id)
        if (await connection.scalar(counted) or 0) >= MAX_WEBHOOKS:
            return None
        row = {
            "id": new.id,
            "team_id": actor.team_id,
            "url": new.url,
            "origin": new.origin,
            "events": list(new.events),
            "sealed": new.sealed,
            "is_active": True,
        }
        made = await connection.execute(insert(Webhook).values(row).returning(*_COLUMNS))
        deed = Deed("webhook.created", str(new.id), details={"origin": new.origin})
        await audit.note(connection, actor, deed)
        return _info(made.one())


async def list_webhooks(database: Database, team_id: UUID) -> Sequence[WebhookInfo]:
    """All of a team, the oldest first: there are no more than ``MAX_WEBHOOKS``."""
    ours = select(*_COLUMNS).where(col(Webhook.team_id) == team_id)
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(ours.order_by(col(Webhook.created_at), col(Webhook.id)))
        return list(map(_info, rows))


async def find_webhook(database: Database, team_id: UUID, webhook_id: UUID) -> WebhookInfo | None:
    this = select(*_COLUMNS).where(col(Webhook.id) == webhook_id, col(Webhook.team_id) == team_id)
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(this)).one_or_none()
    return None if row is None else _info(row)


async def change_webhook(
    database: Database,
    actor: Actor,
    webhook_id: UUID,
    *,
    is_active: bool | None = None,
    events: Sequence[Notice] | None = None,
    note: str = "",
    digest: str | None = None,
) -> WebhookInfo | None:
    """Change what is not None. None when the team has no such webhook.

    One that is switched on again gets what was given up while it was off, and its dead letters are
    requeued, with ``note`` and the ``digest`` of the request.
    """
    changes: dict[str, object] = {} if events is None else {"events": list(events)}
    if is_active is not None:
        changes |= {"is_active": is_active, "disabled_reason": None, "failing_since": None}
    # Setting a column to itself, for a change of nothing must return the row as well.
    changed = (
        update(Webhook)
        .where(col(Webhook.id) == webhook_id, col(Webhook.team_id) == actor.team_id)
        .values({"id": webhook_id, **changes})
        .returning(*_COLUMNS)
    )
    async with database.writing() as connection:
        row = (await connection.execute(changed)).one_or_none()
        if row is None:
            return None
        if is_active:
            await connection.execute(_REVIVE, {"webhook_id": webhook_id, "limit": MAX_REVIVED})
            await end_webhook_letters(
                connection, actor, webhook_id, LetterState.REQUEUED, note=note, digest=digest
            )
        await audit.note(
            connection,
            actor,
            Deed(
                "webhook.changed",
                str(webhook_id),
                details={
                    **({} if is_active is None else {"is_active": is_active}),
                    **({} if events is None else {"events": [str(event) for event in events]}),
                },
            ),
        )
    return _info(row)


async def delete_webhook(database: Database, actor: Actor, webhook_id: UUID) -> bool:
    """With all that it was sent. False when the team has no such webhook."""
    gone = delete(Webhook).where(
        col(Webhook.id) == webhook_id, col(Webhook.team_id) == actor.team_id
    )
    async with database.writing() as connection:
        row = (await connection.execute(gone.returning(col(Webhook.origin)))).one_or_none()
        if row is None:
            return False
        deed = Deed("webhook.deleted", str(webhook_id), details={"origin": row.origin})
        await audit.note(connection, actor, deed)
        await end_webhook_letters(
            connection, actor, webhook_id, LetterState.DISCARDED, note="The webhook was deleted."
        )
    return True


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """Why a webhook is switched off, and the task, with its run, whose notice failed last."""

    team_id: UUID
    webhook_id: UUID
    task_id: UUID
    run: int
    reason: str


async def webhook_switched_off(database: Database, off: SwitchedOff) -> bool:
    """Switch off a webhook that keeps failing, and leave a dead letter. False when it was off.

    What waits for it is given up when its turn comes, and begins anew once a person has switched
    it on again.
    """
    switched = (
        update(Webhook)
        .where(col(Webhook.id) == off.webhook_id, col(Webhook.is_active))
        .values(is_active=False, disabled_reason=off.reason)
        .returning(col(Webhook.id))
    )
    async with database.writing() as connection:
        if await connection.scalar(switched) is None:
            return False
        deed = Deed("webhook.switched_off", str(off.webhook_id), note=off.reason)
        await audit.note(connection, Actor(off.team_id, _NOBODY), deed)
        await write_webhook_letter(connection, off.webhook_id, off.task_id, off.run, off.reason)
    return True


async def set_callback_secret(database: Database, actor: Actor, sealed: bytes) -> None:
    """In place of the one that the team had."""
    new = insert(CallbackSecret).values(team_id=actor.team_id, sealed=sealed)
    async with database.writing() as connection:
        await connection.execute(
            new.on_conflict_do_update(
                index_elements=["team_id"],
                set_={"sealed": new.excluded.sealed, "created_at": func.now()},
            )
        )
        await audit.note(connection, actor, Deed("webhook.secret_set", "callbacks"))


async def has_callback_secret(database: Database, team_id: UUID) -> bool:
    made = select(col(CallbackSecret.team_id)).where(col(CallbackSecret.team_id) == team_id)
    async with database.reading(fresh=True) as connection:
        return await connection.scalar(made) is not None


# Or two requests would both find room for the last one.
_REVIVE = text(
    f"""
    UPDATE webhook_deliveries
    SET state = '{DeliveryState.PENDING}', reason = NULL, next_at = now(), since = now(),
        tries = 0, claim = NULL, ended_at = NULL
    WHERE id IN (
        SELECT id FROM webhook_deliveries
        WHERE webhook_id = :webhook_id AND state = '{DeliveryState.FAILED}'
          AND reason = '{SWITCHED_OFF}'
        ORDER BY created_at LIMIT :limit
    )
    """
)


def _info(row: Row[*tuple[Any, ...]]) -> WebhookInfo:
    return WebhookInfo(
        id=row.id,
        url=row.url,
        events=[Notice(event) for event in row.events],
        is_active=row.is_active,
        disabled_reason=row.disabled_reason,
        failing_since=row.failing_since,
        created_at=row.created_at,
    )
