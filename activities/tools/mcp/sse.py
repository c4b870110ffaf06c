"""The transport to a URL of before 2025: HTTP+SSE (2024-11-05).

Requests are posted to an address that the server names first, and all answers come on one stream of
events. So what became of a POST has to be told on that stream: the SDK would leave whoever waits
alone with it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx2
from mcp.client.sse import sse_client
from mcp_types import RequestId

from activities.early_end import closing
from activities.tools.mcp.bounds import Flow
from activities.tools.mcp.event_stream import BoundedEvents, failure_event
from activities.tools.mcp.failures import Failure
from activities.tools.mcp.http import (
    EVENTS,
    Streams,
    asked_in,
    guarded_client,
    plain,
    reaching,
    reason_of,
    refusal,
)

_PROBE_SECONDS = 10.0
_PROBE_BYTES = 4 * 1024
_ENDPOINT = b"endpoint"
_MOST_AWAITED = 1_000
_NOT_REACHED = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


async def speaks_sse(url: str, headers: Mapping[str, str], addresses: Sequence[str]) -> bool:
    """Whether a server that does not know streamable HTTP answers a GET as this transport has it:
    with a stream whose first event names an address."""
    asked = {"Accept": EVENTS}
    try:
        async with (
            asyncio.timeout(_PROBE_SECONDS),
            guarded_client(headers, reaching(url, addresses)) as client,
            client.stream("GET", url, headers=asked) as response,
            closing(response.aiter_raw()) as pieces,
        ):
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if response.status_code != httpx2.codes.OK or kind != EVENTS:
                return False
            heard = b""
            async for chunk in pieces:
                heard += chunk
                if _ENDPOINT in heard or len(heard) > _PROBE_BYTES:
                    return _ENDPOINT in heard
    except (httpx2.HTTPError, TimeoutError):
        return False
    return False


@asynccontextmanager
async def sse_transport(
    url: str,
    headers: Mapping[str, str],
    addresses: Sequence[str],
    on_end: Callable[[str], None],
) -> AsyncIterator[Streams]:
    """Streams to the server at ``url``. ``on_end`` is told when its stream of events is over."""
    guard = _Guard(reaching(url, addresses), on_end)

    def client(*_: Any, **__: Any) -> httpx2.AsyncClient:
        return guarded_client(headers, guard)

    async with sse_client(url, httpx_client_factory=client) as streams:
        yield streams


class _Guard(httpx2.AsyncBaseTransport):
    """Every POST is accepted here. What went wrong with one is told among the events."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, on_end: Callable[[str], None]) -> None:
        self._inner = inner
        self._on_end = on_end
        self._flow = Flow(time.monotonic)
        self._awaited: dict[RequestId, str] = {}
        self._failures: asyncio.Queue[bytes] = asyncio.Queue()

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            await self._post(request)
            return httpx2.Response(httpx2.codes.ACCEPTED)
        response = await plain(await self._inner.handle_async_request(request))
        if response.status_code == httpx2.codes.OK:
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            events = BoundedEvents(response.stream, self._flow, self._awaited)
            response.stream = _Merged(events, self._failures, self._on_end)
        return response

    async def _post(self, request: httpx2.Request) -> None:
        asked = asked_in(request)
        if asked:
            self._awaited |= asked
            self._flow.asked()
        while len(self._awaited) > _MOST_AWAITED:  # Nobody tells here which were answered.
            del self._awaited[next(iter(self._awaited))]
        code, reason = Failure.LOST, ""
        try:
            response = await self._inner.handle_async_request(request)
            await response.aclose()
            if response.status_code >= httpx2.codes.BAD_REQUEST:
                code, reason = Failure.REFUSED, refusal(response.status_code)
        except _NOT_REACHED as error:
            code, reason = Failure.UNREACHABLE, reason_of(error)
        except httpx2.TransportError as error:
            reason = reason_of(error)
        if reason:
            for name in asked:
                self._failures.put_nowait(failure_event(reason, code, name))


class _Merged(httpx2.AsyncByteStream):
    """Events of the server, and ours between them."""

    def __init__(
        self,
        events: httpx2.AsyncByteStream,
        others: asyncio.Queue[bytes],
        on_end: Callable[[str], None],
    ) -> None:
        self._events = events
        self._others = others
        self._on_end = on_end

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = aiter(self._events)
        event = asyncio.ensure_future(anext(chunks))
        other = asyncio.ensure_future(self._others.get())
        try:
            while True:
                await asyncio.wait((event, other), return_when=asyncio.FIRST_COMPLETED)
                if other.done():
                    yield other.result()
                    other = asyncio.ensure_future(self._others.get())
                if event.done():
                    yield event.result()
                    event = asyncio.ensure_future(anext(chunks))
        except (StopAsyncIteration, httpx2.TransportError):
            pass
        finally:
            self._on_end("its stream of events ended")
            for task in (event, other):
                task.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration, httpx2.TransportError):
                    await task

    async def aclose(self) -> None:
        await self._events.aclose()
