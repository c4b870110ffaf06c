"""The transport to a URL: the SDK's streamable HTTP behind a guard.

In the SDK the failure of one request tears the whole connection down, and whoever waits for another
request sees ``asyncio.CancelledError``. The guard answers in place of a server that cannot, so that
a failure stays with its request and tells what happened to it.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import httpx2
from mcp.client.streamable_http import MCP_SESSION_ID, streamable_http_client
from mcp.shared._stream_protocols import ReadStream, WriteStream
from mcp.shared.message import SessionMessage

from activities.pinned_http import PinnedTransport, host_of, read_whole
from activities.tools.mcp.bounds import TOO_LONG, TOO_MANY_VALUES, Flow, has_too_many_values
from activities.tools.mcp.event_stream import BoundedEvents
from activities.tools.mcp.failures import Failure, failure_document
from activities.tools.mcp.limits import MAX_MESSAGE_BYTES
from workflows.errors import AnswerTooLarge

Streams = tuple[ReadStream[SessionMessage | Exception], WriteStream[SessionMessage]]

_CONNECT_SECONDS = 10.0
_WRITE_SECONDS = 30.0
# How long an answer takes is for the call to bound, which knows of progress.
_TIMEOUT = httpx2.Timeout(_WRITE_SECONDS, connect=_CONNECT_SECONDS, read=None)
_FAREWELL_SECONDS = 2.0
# The SDK opens a stream that ended again as soon as the server likes: at once, for ever.
_STREAM_PAUSE_SECONDS = 1.0
_CONNECTIONS = httpx2.Limits(max_connections=64, max_keepalive_connections=8)

_FRAMING = ("content-length", "transfer-encoding", "content-encoding")


@asynccontextmanager
async def http_transport(
    url: str, headers: Mapping[str, str], addresses: Sequence[str]
) -> AsyncIterator[Streams]:
    """Streams to the server at ``url``, which is at one of ``addresses``. Redirects are followed
    within its origin only.

    No proxy of the environment is used: the policy allowed this host, not another that stands
    between.
    """
    inner = httpx2.AsyncHTTPTransport(trust_env=False, limits=_CONNECTIONS)
    transport = Guard(inner, host_of(httpx2.URL(url)), addresses)
    # What comes compressed may be a thousand times larger than what was counted.
    headers = {**headers, "Accept-Encoding": "identity"}
    async with (
        httpx2.AsyncClient(
            headers=headers, timeout=_TIMEOUT, transport=transport, trust_env=False
        ) as client,
        streamable_http_client(
            url, http_client=client, max_sse_event_size=MAX_MESSAGE_BYTES
        ) as streams,
    ):
        yield streams


class Guard(httpx2.AsyncBaseTransport):
    """Lets through what a well-behaved server answers to a POST, and answers itself for others."""

    def __init__(
        self, inner: httpx2.AsyncBaseTransport, host: str, addresses: Sequence[str]
    ) -> None:
        self._inner = PinnedTransport(inner, host, addresses)
        self._flow = Flow(time.monotonic)
        self._streamed_at = -_STREAM_PAUSE_SECONDS

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "DELETE":  # The farewell, for which nobody need wait long.
            request.extensions["timeout"] = {
                **request.extensions["timeout"],
                "read": _FAREWELL_SECONDS,
            }
        if request.method == "GET":
            await self._pause()
        if request.method != "POST":
            return self._bounded(await _plain(await self._inner.handle_async_request(request)))
        self._flow.asked()
        try:
            response = await _plain(await self._inner.handle_async_request(request))
            return self._bounded(await _checked(request, response))
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            return _failure(Failure.UNREACHABLE, _reason_of(error))
        except httpx2.TransportError as error:
            return _failure(Failure.LOST, _reason_of(error))

    async def _pause(self) -> None:
        """Until the next stream may be opened."""
        now = time.monotonic()
        due = max(now, self._streamed_at + _STREAM_PAUSE_SECONDS)
        self._streamed_at = due
        await asyncio.sleep(due - now)

    def _bounded(self, response: httpx2.Response) -> httpx2.Response:
        if not isinstance(response.stream, httpx2.ByteStream):
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = BoundedEvents(response.stream, self._flow)
        return response


async def _plain(response: httpx2.Response) -> httpx2.Response:
    if response.headers.get("content-encoding", "identity") != "identity":
        return await _instead_of(response, Failure.UNUSABLE, "its answer is compressed")
    return response


async def _checked(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    status = response.status_code
    if status == httpx2.codes.NOT_FOUND and MCP_SESSION_ID in request.headers:
        return await _instead_of(response, Failure.SESSION_GONE, "it does not know the session")
    if kind == "application/json":
        return await _whole(response)
    if status >= httpx2.codes.BAD_REQUEST:
        phrase = httpx2.codes.get_reason_phrase(status)
        return await _instead_of(response, Failure.REFUSED, f"it answered {status} {phrase}")
    return response


async def _whole(response: httpx2.Response) -> httpx2.Response:
    """The SDK would read all that comes, and die of a connection that breaks meanwhile."""
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    try:
        content = await read_whole(response.stream, MAX_MESSAGE_BYTES)
    except AnswerTooLarge:
        return _failure(Failure.UNUSABLE, f"it sent {TOO_LONG}")
    finally:
        await response.aclose()
    if has_too_many_values(content):
        return _failure(Failure.UNUSABLE, f"it sent {TOO_MANY_VALUES}")
    headers = {key: value for key, value in response.headers.items() if key not in _FRAMING}
    return httpx2.Response(response.status_code, headers=headers, content=content)


async def _instead_of(response: httpx2.Response, code: Failure, reason: str) -> httpx2.Response:
    await response.aclose()
    return _failure(code, reason)


def _failure(code: Failure, reason: str) -> httpx2.Response:
    return httpx2.Response(
        httpx2.codes.BAD_GATEWAY,
        headers={"content-type": "application/json"},
        content=failure_document(code, reason),
    )


def _reason_of(error: httpx2.TransportError) -> str:
    """The operating system's word, which lies beneath: ``Connection refused``."""
    cause: BaseException | None = error
    # After a colon the library quotes what the server sent, which may be anything.
    reason = str(error).partition(":")[0] or type(error).__name__
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno:
            reason = os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)
        cause = cause.__cause__ or cause.__context__
    return reason
