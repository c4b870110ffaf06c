"""Connections to a server of models, and what it means when one fails."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
import openai

from activities.early_end import closing
from activities.llm.base import Timeouts
from activities.llm.error_events import read_error_event
from activities.llm.frames import NotAnAnswer
from activities.llm.refusals import Refusal, Refused, read_refusal, shown
from activities.llm.sse import EventTooLarge
from workflows.addresses import is_loopback
from workflows.errors import AgentOSError
from workflows.errors.models import ModelRefused, ModelUnavailable

# Between two turns of an agent its tools run; the connection should still be there after them.
KEEP_ALIVE_SECONDS = 120.0
MAX_CONNECTIONS = 1_000
MAX_IDLE_CONNECTIONS = 100

# Of an answer that is an error, no more is read. Its reason stands at the beginning.
MAX_ERROR_BYTES = 64 * 1024

_MAX_SHOWN_CHARACTERS = 200  # of the address that a server redirects to

# What reading from a connection can raise; the last two are failures of TLS.
BROKEN = (httpx2.RequestError, ssl.SSLError, anyio.EndOfStream)

# What asking over a connection raises that its server has closed a moment ago.
_STALE = (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError)

# They describe a body as it was sent, not what has been read of it.
_HEADERS_OF_BODY = ("content-encoding", "content-length", "transfer-encoding")


class _Client(openai.DefaultAsyncHttpxClient):
    """Asks again at once over a new connection when an old one turns out to be closed, and reads
    errors up to a bound: the client would read them to the end, if they have one."""

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        connected = False

        async def note(event: str, _: object) -> None:
            nonlocal connected
            connected = connected or event.startswith("connection.connect")

        request.extensions = {**request.extensions, "trace": note}
        try:
            response = await super().send(request, **options)
        except _STALE:
            if connected:
                raise
            response = await super().send(request, **options)
        return await _bounded(response) if response.is_error else response


class _RedirectedElsewhere(httpx2.RequestError):
    """A server sent us to another one, which would have got the whole conversation."""


async def _stay_at_origin(response: httpx2.Response) -> None:
    if not response.has_redirect_location:
        return
    url = response.request.url
    target = url.join(response.headers["location"])
    if (target.scheme, target.host, target.port) != (url.scheme, url.host, url.port):
        await response.aclose()
        raise _RedirectedElsewhere(f"{target.scheme}://{target.netloc.decode('ascii', 'replace')}")


async def _bounded(response: httpx2.Response) -> httpx2.Response:
    if response.is_closed:  # It was read already, for it was not asked for as a stream.
        return response
    body = bytearray()
    try:
        async with closing(response.aiter_bytes()) as pieces:
            async for piece in pieces:
                body += piece
                if len(body) >= MAX_ERROR_BYTES:
                    break
    finally:
        await response.aclose()
    headers = [
        (name, value)
        for name, value in response.headers.multi_items()
        if name not in _HEADERS_OF_BODY
    ]
    return httpx2.Response(
        response.status_code,
        headers=headers,
        content=bytes(body[:MAX_ERROR_BYTES]),
        request=response.request,
    )


def http_client(base_url: str, timeouts: Timeouts) -> httpx2.AsyncClient:
    address = urlsplit(base_url)
    return _Client(
        base_url=base_url,
        timeout=httpx2.Timeout(timeouts.idle_seconds, connect=timeouts.connect_seconds),
        limits=httpx2.Limits(
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=MAX_IDLE_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
        ),
        event_hooks={"response": [_stay_at_origin]},
        # A proxy of the environment leads out of this machine, not back into it.
        trust_env=not is_loopback(address.hostname or ""),
        # Certificates take 20 ms to load, and nothing leads from here to an address with https.
        verify=address.scheme != "http",
    )


@contextmanager
def translated(model: str, timeouts: Timeouts) -> Iterator[None]:
    """Turn the errors of the client into ours. Theirs are not chained: they hold the request."""
    try:
        yield
    except Refused as error:
        raise error.refusal.error(model) from None
    except openai.APIStatusError as error:
        raise refusal_of(error).error(model) from None
    except openai.APIConnectionError as error:
        raise _connection_error(model, error.__cause__ or error, timeouts) from None
    except BROKEN as error:
        raise _connection_error(model, error, timeouts) from None
    except NotAnAnswer as error:
        raise _foreign_error(model, error.head) from None
    except EventTooLarge:
        reason = "it sent more at once than can be read"
        raise ModelUnavailable(model=model, reason=reason) from None
    except TimeoutError:
        reason = f"it took longer than {timeouts.total_seconds:g} s"
        raise ModelUnavailable(model=model, reason=reason) from None


def refusal_of(error: openai.APIStatusError) -> Refusal:
    """Of all that the server said: the client gives of some bodies only a part."""
    response = error.response
    body: object = response.text
    with suppress(ValueError, RecursionError):
        body = json.loads(response.text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))
    return read_refusal(error.status_code, response.headers, body)


def _foreign_error(model: str, head: str) -> AgentOSError:
    """For what is neither events nor JSON: a page, or an error that is only words."""
    is_page = head.startswith("<") or not _is_text(head)
    refusal = None if is_page else read_error_event(head, is_marked=True)
    if refusal is not None:
        return refusal.error(model)
    if not _is_text(head):
        reason = "it sent bytes that are no text, and did not say how they are to be read"
        return ModelUnavailable(model=model, reason=reason)
    reason = f"it sent a page and no answer (see OPENAI_BASE_URL): {shown(head)}"
    return ModelUnavailable(model=model, reason=reason)


def _is_text(head: str) -> bool:
    """Whether it can be shown: it may have one broken character where it was cut, or at its end."""
    broken = sum(not (sign.isprintable() or sign.isspace()) for sign in head)
    return head.count("\N{REPLACEMENT CHARACTER}") + broken <= len(head) // 20 + 1


def _connection_error(model: str, error: BaseException, timeouts: Timeouts) -> AgentOSError:
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.InvalidURL):
        remedy = "Check OPENAI_BASE_URL."
        return ModelRefused(model=model, reason="its address is not one of HTTP", remedy=remedy)
    if isinstance(error, _RedirectedElsewhere):
        remedy = "If that is right, set OPENAI_BASE_URL to it."
        reason = f"its server redirects to another one, {str(error)[:_MAX_SHOWN_CHARACTERS]}"
        return ModelRefused(model=model, reason=reason, remedy=remedy)
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        reason = f"its server cannot be reached: {error or type(error).__name__}"
    elif isinstance(error, httpx2.TimeoutException):
        reason = f"it sent nothing for {timeouts.idle_seconds:g} s"
    else:
        reason = f"the connection broke: {error or type(error).__name__}"
    return ModelUnavailable(model=model, reason=reason)
