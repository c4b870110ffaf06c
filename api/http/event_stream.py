"""A task's events as server-sent events: each one, once, in order, until the task has ended."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

import structlog
from anyio import move_on_after
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from activities.store.database import Database
from activities.store.reading.events import find_end, read_events
from api.errors import HeaderMalformed, NotFound
from api.http.feeds import RETRY_SECONDS, Feeds
from api.http.frames import Frame, encode, join
from api.http.key_watch import KeyWatch
from workflows.errors import TemporaryFailure

_LAST_SECONDS = 1.0

RETRY = format_sse_event(retry=round(RETRY_SECONDS * 1_000))
"""How long a client is to pause before it comes back."""

log = structlog.get_logger(__name__)


class NothingMore(Exception):
    """The task has ended, and the client has seen everything: it need not come back."""


@dataclass(frozen=True, slots=True)
class Position:
    """A client's place in the events of a task: it has seen number ``seq`` and all before.

    There are events up to ``last_seq``, or more by now.
    """

    task_id: UUID
    seq: int
    last_seq: int


def parse_position(last_event_id: str | None, after: int | None) -> int:
    """The number a client has seen last. Raises ``HeaderMalformed``."""
    if last_event_id is None or last_event_id == "":
        return after or 0
    if not last_event_id.isascii() or not last_event_id.isdigit() or len(last_event_id) > 18:
        raise HeaderMalformed(header="Last-Event-ID", reason="it is not the id of an event")
    return int(last_event_id)


async def find_position(database: Database, team_id: UUID, task_id: UUID, seq: int) -> Position:
    """Raises ``NotFound`` or ``NothingMore``."""
    end = await find_end(database, team_id, task_id)
    if end is None:
        raise NotFound(kind="task", id=task_id)
    if end.is_final and 0 < end.seq <= seq:
        raise NothingMore
    return Position(task_id, seq, end.seq)


class EventStream(StreamingResponse):
    """Whole events, as ``follow`` gives them. Ends with these, and when the key is revoked that it
    was asked for with: to come back, its client needs another one."""

    media_type = "text/event-stream"

    def __init__(
        self, events: AsyncGenerator[bytes, None], keys: KeyWatch, key_digest: str | None
    ) -> None:
        self._events = events
        self._keys = keys
        self._key_digest = key_digest
        # Nothing between us and the client may keep the stream, or hold it back to fill a buffer.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(self._events, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A client may go away while an event is sent: the generator would never hear of it.
        async with aclosing(self._events):
            with self._keys.using(self._key_digest) as use:
                await super().__call__(scope, receive, send)
            if use.cancelled_caught:
                # A client that takes no more is hung up on.
                with move_on_after(_LAST_SECONDS):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def follow(
    database: Database, feeds: Feeds, position: Position
) -> AsyncGenerator[bytes, None]:
    """Whole events, one or several at a time, from a position on. Ends after the event that says
    how the task ended."""
    seq = position.seq
    yield RETRY
    with feeds.joined(position.task_id, seq, position.last_seq) as feed:
        while not feed.is_closed:
            try:
                frame = feed.after(seq) or await missed(database, position.task_id, seq)
            except TemporaryFailure as failure:
                log.warning("events.interrupted", reason=str(failure))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if frame.seq > seq:
                seq = frame.seq
                yield frame.content
            elif feed.has_ended:
                return
            else:
                await feed.news()
                if feed.seq <= seq:
                    yield KEEPALIVE_COMMENT


async def missed(database: Database, task_id: UUID, seq: int) -> Frame:
    """A page of what the feed does not keep any more."""
    page = await read_events(database, task_id, seq)
    frames = [encode(event) for event in page.events]
    return join(frames) if frames else Frame(seq, b"")  # They were deleted.
