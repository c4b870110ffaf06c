"""Events: what happened to a task, in order, kept in PostgreSQL and announced with NOTIFY.

A notification carries the task's id only (its payload is limited to 8,000 bytes); whoever listens
reads the events it has not seen. Numbers are dealt out under the lock of the task's row, so they
become visible in order and without gaps: a reader that has seen number n misses nothing below it.
"""

import json
import re
from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

CHANNEL = "agentos_events"

_APPEND = text(
    """
    WITH numbered AS (
        UPDATE tasks SET event_seq = event_seq + :count, updated_at = now()
        WHERE id = :task_id RETURNING id, team_id, event_seq - :count AS base
    ), event AS (
        INSERT INTO events (task_id, seq, team_id, type, data)
        SELECT id, base + place, team_id, draft ->> 'type', draft -> 'data'
        FROM numbered, jsonb_array_elements(CAST(:drafts AS jsonb))
            WITH ORDINALITY AS x(draft, place)
    )
    SELECT pg_notify(:channel, CAST(id AS text)) FROM numbered
    """
)
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


class EventDraft(BaseModel):
    """An event that has no number yet."""

    model_config = ConfigDict(frozen=True)

    type: str
    data: dict[str, JsonValue] = {}


async def append(connection: AsyncConnection, task_id: UUID, drafts: Sequence[EventDraft]) -> None:
    """Add events to a task, within the caller's transaction; listeners hear of them at commit."""
    if not drafts:
        return
    values = {"task_id": task_id, "count": len(drafts), "drafts": document(drafts)}
    await connection.execute(_APPEND, values | {"channel": CHANNEL})


def document(drafts: Sequence[EventDraft]) -> str:
    return as_json([draft.model_dump(mode="json") for draft in drafts])


def as_json(value: object) -> str:
    """A JSON document that PostgreSQL takes: it keeps neither NUL nor half a character in text."""
    document = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    return _NUL.sub(r"\1\\ufffd", document)
