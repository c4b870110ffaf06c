"""The earlier exchanges of an agent that stays, as far back as a model needs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from activities.llm.base import ChatMessage
from activities.store.database import Database
from activities.store.turns import message_of
from workflows.states import FINAL, Status

MAX_EXCHANGES = 50
MAX_CHARACTERS = 400_000

_FINAL = ", ".join(f"'{status}'" for status in sorted(FINAL))


@dataclass(frozen=True, slots=True)
class PastExchange:
    """``failed_as`` is the state in which it ended, unless that was good."""

    id: UUID
    prompt: str
    is_interrupted: bool
    failed_as: Status | None
    messages: tuple[ChatMessage, ...]


async def exchanges_before(database: Database, exchange_id: UUID) -> Sequence[PastExchange]:
    """Those of the same agent, the earliest first: the latest that have not too much text."""
    values = {
        "task_id": exchange_id,
        "most": MAX_EXCHANGES,
        "most_characters": MAX_CHARACTERS,
    }
    rows = await database.execute(_BEFORE, values)
    return [
        PastExchange(
            id=row.id,
            prompt=row.prompt or "",
            is_interrupted=bool((row.result or {}).get("interrupted")),
            failed_as=None if row.status == Status.COMPLETED else Status(row.status),
            messages=tuple(message_of(item) for item in row.heard or ()),
        )
        for row in reversed(rows)
    ]


_BEFORE = text(
    f"""
    WITH own AS (
        SELECT parent_id, created_at FROM tasks WHERE id = :task_id
    ), past AS (
        SELECT tasks.id, tasks.prompt, tasks.result, tasks.status, tasks.created_at
        FROM own JOIN tasks ON tasks.parent_id = own.parent_id
        WHERE tasks.created_at < own.created_at AND tasks.status IN ({_FINAL})
        ORDER BY tasks.created_at DESC LIMIT :most
    ), sized AS (
        SELECT past.*, sum(length(coalesce(prompt, '')) + size) OVER (ORDER BY created_at DESC)
                   AS characters,
               row_number() OVER (ORDER BY created_at DESC) AS place
        FROM past, LATERAL (
            SELECT coalesce(sum(length(content)), 0) AS size
            FROM messages WHERE messages.task_id = past.id AND role <> 'system'
        ) AS texts
    )
    SELECT sized.id, sized.prompt, sized.result, sized.status, heard.messages AS heard
    FROM sized, LATERAL (
        SELECT jsonb_agg(jsonb_build_object(
            'role', role, 'content', content, 'requests', requests, 'request_id', request_id,
            'turn', turn, 'is_protected', is_protected, 'opaque', NULL) ORDER BY seq) AS messages
        FROM messages WHERE messages.task_id = sized.id AND role <> 'system'
    ) AS heard
    WHERE place = 1 OR characters <= :most_characters
    ORDER BY sized.created_at DESC
    """
)
