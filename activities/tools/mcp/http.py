"""The transport to a URL: the SDK's streamable HTTP behind a guard.

In the SDK the failure of one request tears the whole connection down, and whoever waits for another
request sees ``asyncio.CancelledError``. The guard answers in place of a server that cannot, so that
a failure stays with its request and tells what happened to it.
"""

import asyncio
import json
import os
import re
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
from activities.tools.mcp.messages import Awaited, is_answer, is_error, names_request, repaired
from workflows.errors.hosts import AnswerTooLarge

Streams = tuple[ReadStream[SessionMessage | Exception], WriteStream[SessionMessage]]

_CONNECT_SECONDS = 10.0
_WRITE_SECONDS = 30.0
# How long an answer takes is for the call to bound, which knows of progress.
_TIMEOUT = httpx2.Timeout(_WRITE_SECONDS, connect=_CONNECT_SECONDS, read=None)
_FAREWELL_SECONDS = 2.0
# The SDK opens a stream that ended again as soon as the server likes: at once, for ever.
_STREAM_PAUSE_SECONDS = 1.0
_CONNECTIONS = httpx2.Limits(max_connections=64, max_keepalive_connections=8)

_NO_MESSAGE = "it sent no message of the protocol, so its URL may have another path, such as /mcp"
_ODD_SESSION = "the id of its session has characters that none may have"
# As servers of before the rule of 404 say it, which have not looked at the request.
_NO_SESSION = re.compile(
    rb"(invalid|no valid|missing|unknown|expired|not found)[^\n]{0,40}session"
    rb"|session[^\n]{0,40}(invalid|missing|unknown|expired|not found|not exist)",
    re.IGNORECASE,
)
_JSON = "application/json"
EVENTS = "text/event-stream"
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
    async with (
        guarded_client(headers, Guard(reaching(url, addresses))) as client,
        streamable_http_client(
            url, http_client=client, max_sse_event_size=MAX_MESSAGE_BYTES
        ) as streams,
    ):
        yield streams


def reaching(url: str, addresses: Sequence[str]) -> httpx2.AsyncBaseTransport:
    """Goes to the origin of ``url`` only, at one of ``addresses``."""
    inner = httpx2.AsyncHTTPTransport(trust_env=False, limits=_CONNECTIONS)
    origin = httpx2.URL(url)
    return _OneOrigin(PinnedTransport(inner, host_of(origin), addresses), origin)


class _OneOrigin(httpx2.AsyncBaseTransport):
    """The SDK follows a server to the same host over TLS, which may be another program's."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, url: httpx2.URL) -> None:
        self._inner = inner
        self._origin = url.origin

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.origin != self._origin:
            raise httpx2.ConnectError("it leads to another origin")
        return await self._inner.handle_async_request(request)


def guarded_client(
    headers: Mapping[str, str], transport: httpx2.AsyncBaseTransport
) -> httpx2.AsyncClient:
    # What comes compressed may be a thousand times larger than what was counted.
    headers = {**headers, "Accept-Encoding": "identity"}
    return httpx2.AsyncClient(
        headers=headers, timeout=_TIMEOUT, transport=transport, trust_env=False
    )


def asked_in(request: httpx2.Request) -> Awaited:
    """The request of the protocol that a POST carries; none if it carries a notification."""
    message = json.loads(request.content)
    return {message["id"]: message["method"]} if {"id", "method"} <= message.keys() else {}


class Guard(httpx2.AsyncBaseTransport):
    """Lets through what a well-behaved server answers to a POST, and answers itself for others."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner
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
            response = await plain(await self._inner.handle_async_request(request))
            return self._bounded(response, {})
        self._flow.asked()
        await request.aread()  # After a redirect it is another one, with the same body.
        awaited = asked_in(request)
        try:
            response = await plain(await self._inner.handle_async_request(request))
            return self._bounded(await _checked(request, response, awaited), awaited)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            return failure(Failure.UNREACHABLE, reason_of(error))
        except httpx2.TransportError as error:
            return failure(Failure.LOST, reason_of(error))

    async def _pause(self) -> None:
        """Until the next stream may be opened."""
        now = time.monotonic()
        due = max(now, self._streamed_at + _STREAM_PAUSE_SECONDS)
        self._streamed_at = due
        await asyncio.sleep(due - now)

    def _bounded(self, response: httpx2.Response, awaited: Awaited) -> httpx2.Response:
        is_whole = isinstance(response.stream, httpx2.ByteStream)
        if not is_whole or response.headers["content-type"] == EVENTS:
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = BoundedEvents(response.stream, self._flow, awaited)
        return response


async def plain(response: httpx2.Response) -> httpx2.Response:
    if response.headers.get("content-encoding", "identity") != "identity":
        return await _instead_of(response, Failure.UNUSABLE, "its answer is compressed")
    return response


async def _checked(
    request: httpx2.Request, response: httpx2.Response, awaited: Awaited
) -> httpx2.Response:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    status = response.status_code
    if status == httpx2.codes.NOT_FOUND and MCP_SESSION_ID in request.headers:
        return await _instead_of(response, Failure.SESSION_GONE, "it does not know the session")
    if not _is_visible(response.headers.get(MCP_SESSION_ID, "x")):
        return await _instead_of(response, Failure.UNUSABLE, _ODD_SESSION)
    # With 202 there is none; the SDK says so.
    is_message = response.is_success and status != httpx2.codes.ACCEPTED and bool(awaited)
    is_mislabelled = is_message and kind != EVENTS
    may_tell_of_session = status == httpx2.codes.BAD_REQUEST and MCP_SESSION_ID in request.headers
    if kind == _JSON or is_mislabelled or may_tell_of_session:
        response = await _whole(response)
        # An error that names the request is the answer to it, whatever its words.
        is_refusal = may_tell_of_session and not names_request(response.content)
        if is_refusal and _NO_SESSION.search(response.content):
            return failure(Failure.SESSION_GONE, "it does not know the session")
        response = _repaired(response, awaited)
        if status < httpx2.codes.BAD_REQUEST or is_error(response.content):
            return response
    if status >= httpx2.codes.BAD_REQUEST:
        return await _instead_of(response, Failure.REFUSED, refusal(status))
    return response


def _is_visible(name: str) -> bool:
    return name.isascii() and name.isprintable() and " " not in name


def refusal(status: int) -> str:
    """HTTP's own no, in words."""
    said = f"it answered {status} {httpx2.codes.get_reason_phrase(status)}"
    if status in (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN):
        return f"{said}, so it wants credentials: --header 'Authorization=Bearer secret:NAME'"
    is_elsewhere = status in (httpx2.codes.NOT_FOUND, httpx2.codes.METHOD_NOT_ALLOWED)
    return f"{said}, so its URL may have another path, such as /mcp" if is_elsewhere else said


async def _whole(response: httpx2.Response) -> httpx2.Response:
    """The SDK would read all that comes, and die of a connection that breaks meanwhile."""
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    try:
        content = await read_whole(response.stream, MAX_MESSAGE_BYTES)
    except AnswerTooLarge:
        return failure(Failure.UNUSABLE, f"it sent {TOO_LONG}")
    finally:
        await response.aclose()
    if has_too_many_values(content):
        return failure(Failure.UNUSABLE, f"it sent {TOO_MANY_VALUES}")
    headers = {key: value for key, value in response.headers.items() if key not in _FRAMING}
    return httpx2.Response(response.status_code, headers=headers, content=content)


def _repaired(response: httpx2.Response, awaited: Awaited) -> httpx2.Response:
    content = response.content
    for message in repaired(content, awaited):
        content = message
        if not awaited or is_answer(message):
            break
    headers = {key: value for key, value in response.headers.items() if key not in _FRAMING}
    # Believed by its first sign, whatever its label says.
    beginning = content.lstrip()
    if beginning.startswith((b"{", b"[")):
        headers["content-type"] = _JSON
    elif beginning.startswith((b"data:", b"event:", b"id:", b":")):
        # As a stream: what has its content already is not read again.
        headers["content-type"] = EVENTS
        stream = httpx2.ByteStream(content)
        return httpx2.Response(response.status_code, headers=headers, stream=stream)
    elif awaited and response.is_success:
        return failure(Failure.UNUSABLE, _NO_MESSAGE)
    return httpx2.Response(response.status_code, headers=headers, content=content)


async def _instead_of(response: httpx2.Response, code: Failure, reason: str) -> httpx2.Response:
    await response.aclose()
    return failure(code, reason)


def failure(code: Failure, reason: str) -> httpx2.Response:
    return httpx2.Response(
        httpx2.codes.BAD_GATEWAY,
        headers={"content-type": _JSON},
        content=failure_document(code, reason),
    )


def reason_of(error: httpx2.TransportError) -> str:
    """The operating system's word, which lies beneath: ``Connection refused``."""
    cause: BaseException | None = error
    # After a colon the library quotes what the server sent, which may be anything.
    reason = str(error).partition(":")[0] or type(error).__name__
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno:
            reason = os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)
        cause = cause.__cause__ or cause.__context__
    return reason
