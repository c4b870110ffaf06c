"""A task's events as server-sent events: each one, once, in order, until the task has ended."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

import structlog
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from sqlalchemy import select, text
from sqlmodel import col
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from activities.store.database import Database, Row
from activities.store.tables import Task
from api.errors import HeaderMalformed, NotFound
from api.http.notifications import Notifications
from workflows.errors import TemporaryFailure
from workflows.states import Status

BATCH = 200
RETRY_MS = 1_000

log = structlog.get_logger(__name__)


class NothingMore(Exception):
    """The task has ended, and the client has seen everything: it need not come back."""


@dataclass(frozen=True, slots=True)
class Position:
    """A client's place in the events of a task: it has seen number ``seq`` and all before."""

    team_id: UUID
    task_id: UUID
    seq: int


def parse_position(last_event_id: str | None, after: int | None) -> int:
    """The number a client has seen last. Raises ``HeaderMalformed``."""
    if last_event_id is None or last_event_id == "":
        return after or 0
    if not last_event_id.isascii() or not last_event_id.isdigit() or len(last_event_id) > 18:
        raise HeaderMalformed(header="Last-Event-ID", reason="it is not the id of an event")
    return int(last_event_id)


async def check_position(database: Database, position: Position) -> None:
    """Raises ``NotFound`` or ``NothingMore``."""
    async with database.reading(fresh=True) as connection:
        row = (
            await connection.execute(
                select(col(Task.status), col(Task.event_seq)).where(
                    col(Task.id) == position.task_id, col(Task.team_id) == position.team_id
                )
            )
        ).one_or_none()
    if row is None:
        raise NotFound(kind="task", id=position.task_id)
    if Status(row.status).is_final and 0 < row.event_seq <= position.seq:
        raise NothingMore


class EventStream(StreamingResponse):
    """Events from a position on. Ends after the event that says how the task ended.

    After ``heartbeat_seconds`` of silence the client hears that we are there. We then also look
    for events of which nobody told: a notification that got lost costs this long, and no event.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        database: Database,
        notifications: Notifications,
        position: Position,
        *,
        heartbeat_seconds: float,
    ) -> None:
        self._events = _follow(database, notifications, position, heartbeat_seconds)
        # Nothing between us and the client may keep the stream, or hold it back to fill a buffer.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(self._events, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A client may go away while an event is sent: the generator would never hear of it.
        async with aclosing(self._events):
            await super().__call__(scope, receive, send)


async def _follow(
    database: Database,
    notifications: Notifications,
    position: Position,
    heartbeat_seconds: float,
) -> AsyncGenerator[bytes, None]:
    seq = position.seq
    yield format_sse_event(retry=RETRY_MS)
    with notifications.listening(position.team_id, position.task_id) as bell:
        while not notifications.closing:
            try:
                rows, has_ended = await _read(database, position.task_id, seq)
            except TemporaryFailure as failure:
                log.warning("events.interrupted", reason=str(failure))
                await bell.wait(RETRY_MS / 1_000)
                continue
            for row in rows:
                yield format_sse_event(id=str(row.seq), event=row.type, data_str=_data(row))
                seq = row.seq
            if has_ended:
                return
            if len(rows) < BATCH and not await bell.wait(heartbeat_seconds):
                yield KEEPALIVE_COMMENT


async def _read(database: Database, task_id: UUID, seq: int) -> tuple[Sequence[Row], bool]:
    """The next events, and whether the last of them is the last of all."""
    # From the primary: a replica may not have yet what a notification has just announced.
    found = await database.execute(_NEXT, {"task_id": task_id, "seq": seq, "batch": BATCH})
    rows = [row for row in found if row.seq is not None]
    last = rows[-1].seq if rows else seq
    return rows, Status(found[0].status).is_final and last == found[0].event_seq


def _data(row: Row) -> str:
    return json.dumps({**row.data, "created_at": row.created_at.isoformat()})


# One statement, so that it cannot tell of an end whose event it does not see. Each viewer runs it
# some times a second: as two that are built anew each time, it took 3.6 times the processor.
_NEXT = text(
    """
    SELECT status, event_seq, event.seq, event.type, event.data, event.created_at
    FROM tasks LEFT JOIN LATERAL (
        SELECT seq, type, data, created_at FROM events
        WHERE task_id = tasks.id AND seq > :seq
        ORDER BY seq LIMIT :batch
    ) AS event ON true
    WHERE tasks.id = :task_id
    ORDER BY event.seq
    """
)
