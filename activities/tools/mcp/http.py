"""The transport to a URL: the SDK's streamable HTTP behind a guard.

In the SDK the failure of one request tears the whole connection down, and whoever waits for another
request sees ``asyncio.CancelledError``. The guard answers in place of a server that cannot, so that
a failure stays with its request and tells what happened to it.
"""

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import IntEnum

import httpx2
from mcp.client.streamable_http import MCP_SESSION_ID, streamable_http_client
from mcp.shared._stream_protocols import ReadStream, WriteStream
from mcp.shared.message import SessionMessage

from activities.tools.mcp.limits import MAX_MESSAGE_BYTES

Streams = tuple[ReadStream[SessionMessage | Exception], WriteStream[SessionMessage]]

_CONNECT_SECONDS = 10.0
_WRITE_SECONDS = 30.0
# How long an answer takes is for the call to bound, which knows of progress.
_TIMEOUT = httpx2.Timeout(_WRITE_SECONDS, connect=_CONNECT_SECONDS, read=None)
_FAREWELL_SECONDS = 2.0
_CONNECTIONS = httpx2.Limits(max_connections=64, max_keepalive_connections=8)

_FRAMING = ("content-length", "transfer-encoding", "content-encoding")


class Failure(IntEnum):
    """Codes of the guard's own errors, from the range that JSON-RPC leaves to implementations."""

    UNREACHABLE = -32_090  # The request was not sent.
    LOST = -32_091  # It was, and there is no answer.
    SESSION_GONE = -32_092  # The server, started anew, has not looked at it.
    REFUSED = -32_093  # HTTP's own no.
    UNUSABLE = -32_094  # An answer came that we do not take.


@asynccontextmanager
async def http_transport(url: str, headers: Mapping[str, str]) -> AsyncIterator[Streams]:
    """Streams to the server at ``url``. Redirects are followed within its origin only.

    No proxy of the environment is used: the policy allowed this host, not another that stands
    between.
    """
    transport = Guard(httpx2.AsyncHTTPTransport(trust_env=False, limits=_CONNECTIONS))
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

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "DELETE":  # The farewell, for which nobody need wait long.
            request.extensions["timeout"] = {
                **request.extensions["timeout"],
                "read": _FAREWELL_SECONDS,
            }
        if request.method != "POST":
            return await self._inner.handle_async_request(request)
        try:
            response = await self._inner.handle_async_request(request)
            return await _checked(request, response)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            return _failure(Failure.UNREACHABLE, _reason_of(error))
        except httpx2.TransportError as error:
            return _failure(Failure.LOST, _reason_of(error))


async def _checked(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    status = response.status_code
    if response.headers.get("content-encoding", "identity") != "identity":
        return await _instead_of(response, Failure.UNUSABLE, "its answer is compressed")
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
    content = bytearray()
    try:
        async for chunk in response.stream:
            content += chunk
            if len(content) > MAX_MESSAGE_BYTES:
                reason = f"its answer has more than {MAX_MESSAGE_BYTES} bytes"
                return _failure(Failure.UNUSABLE, reason)
    finally:
        await response.aclose()
    headers = {key: value for key, value in response.headers.items() if key not in _FRAMING}
    return httpx2.Response(response.status_code, headers=headers, content=bytes(content))


async def _instead_of(response: httpx2.Response, code: Failure, reason: str) -> httpx2.Response:
    await response.aclose()
    return _failure(code, reason)


def _failure(code: Failure, reason: str) -> httpx2.Response:
    """A JSON-RPC error, which the SDK hands to whoever made the request."""
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": reason}}
    return httpx2.Response(
        httpx2.codes.BAD_GATEWAY,
        headers={"content-type": "application/json"},
        content=json.dumps(error).encode(),
    )


def _reason_of(error: httpx2.TransportError) -> str:
    """The operating system's word, which lies beneath: ``Connection refused``."""
    cause: BaseException | None = error
    reason = str(error) or type(error).__name__
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno:
            reason = os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)
        cause = cause.__cause__ or cause.__context__
    return reason
