"""Server-sent events, as httpx2 reads them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from httpx2 import EventSource, Response

# One event. Ours are far smaller; a server that never ends a line must not fill the memory.
MAX_EVENT_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """``id`` is the last one seen, also by events that carry none."""

    type: str
    data: str
    id: str | None


async def events_in(response: Response, last_id: str | None = None) -> AsyncIterator[ServerEvent]:
    """The events of a response, each as soon as it is complete. A comment gives nothing.

    Raises:
        httpx2.SSEError, a ``TransportError``: an event of more than ``MAX_EVENT_BYTES``, or an
            answer that is no stream of events.
        httpx2.TransportError: the connection failed.
    """
    async for event in EventSource(response, MAX_EVENT_BYTES):
        last_id = event.id or last_id
        # Without name and data it did not happen: it sets the id, or how long to pause.
        if event.data or event.event != "message":
            yield ServerEvent(event.event, event.data, last_id)
