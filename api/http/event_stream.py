"""What all streams of server-sent events share: the answer, and how a viewer follows a feed."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated

import structlog
from anyio import move_on_after
from fastapi import Header
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.errors import HeaderMalformed
from api.http.feed import Feed
from api.http.feeds import RETRY_SECONDS
from api.http.frames import Frame
from api.http.key_watch import KeyWatch
from workflows.errors import TemporaryFailure

LastEventId = Annotated[str | None, Header(alias="Last-Event-ID")]

_LAST_SECONDS = 1.0

RETRY = format_sse_event(retry=round(RETRY_SECONDS * 1_000))
"""How long a client is to pause before it comes back."""

log = structlog.get_logger(__name__)


def parse_position(last_event_id: str | None, after: int | None) -> int:
    """The number a client has seen last. Raises ``HeaderMalformed``."""
    if last_event_id is None or last_event_id == "":
        return after or 0
    if not last_event_id.isascii() or not last_event_id.isdigit() or len(last_event_id) > 18:
        raise HeaderMalformed(header="Last-Event-ID", reason="it is not the id of an event")
    return int(last_event_id)


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


def _nothing(_: int) -> bytes:
    return b""


async def follow(
    feed: Feed,
    seq: int,
    missed: Callable[[int], Awaitable[Frame]],
    beside: Callable[[int], bytes] = _nothing,
) -> AsyncGenerator[bytes, None]:
    """Whole events, one or several at a time, from number ``seq`` on, until the feed has ended or
    is closed.

    ``missed`` reads what follows a number that the feed does not keep any more. ``beside`` is what
    a viewer is to be sent that has seen all events up to a number, if there is anything.
    """
    while not feed.is_closed:
        try:
            frame = feed.after(seq) or await missed(seq)
        except TemporaryFailure as failure:
            log.warning("events.interrupted", reason=str(failure))
            await asyncio.sleep(RETRY_SECONDS)
            continue
        if frame.seq > seq:
            seq = frame.seq
            yield frame.content
        elif feed.has_ended:
            return
        elif content := beside(seq):
            yield content
        else:
            await feed.news()
            if feed.seq <= seq:
                yield beside(seq) or KEEPALIVE_COMMENT
