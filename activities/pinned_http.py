"""HTTP to hosts that somebody else named, which cannot be turned against the house (server-side
request forgery).

A name is resolved once, all its addresses are judged, and the connection goes to a judged one: a
name server that gives another answer a moment later (DNS rebinding) changes nothing. The
certificate must be that of the name. There are no proxies, cookies or redirects: whoever follows
one dials again, and so checks again. How long all of it takes is for the caller to bound.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path

import httpx2

from activities.addresses import is_private, is_public
from activities.early_end import closing
from workflows.errors.hosts import AddressNotPublic, AnswerTooLarge

MAX_ADDRESSES = 4  # of one name that are tried
_TIMEOUTS = httpx2.Timeout(connect=10.0, read=30.0, write=10.0, pool=10.0)  # seconds

_PORTS = {"http": 80, "https": 443}

Resolve = Callable[[str, int], Awaitable[list[str]]]


async def resolve_by_system(host: str, port: int) -> list[str]:
    """The addresses of a name, as this machine sees them. Raises ``socket.gaierror``."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


async def judged_addresses(
    host: str, port: int, resolve: Resolve, *, is_inside: bool
) -> Sequence[str]:
    """The addresses of a host, once all of them are known to be harmless.

    Those of one that is inside the house may be private; none may be link-local, where clouds give
    away the secrets of machines.

    Raises:
        AddressNotPublic: one of them is not such.
        socket.gaierror: the name has no address, or nobody can say.
    """
    addresses = await resolve(host, port)
    for address in addresses:
        if not is_public(address) and not (is_inside and is_private(address)):
            raise AddressNotPublic(host=host, address=address)
    return addresses[:MAX_ADDRESSES]


def host_of(url: httpx2.URL) -> str:
    """The host as it is asked for: ``xn--...``, where ``url.host`` would be what people read."""
    return url.raw_host.decode("ascii")


class PinnedTransport(httpx2.AsyncBaseTransport):
    """Sends requests for ``host``, and for no other, to one of ``addresses`` through ``inner``.

    ``host`` is as ``host_of`` has it.
    """

    def __init__(
        self, inner: httpx2.AsyncBaseTransport, host: str, addresses: Sequence[str]
    ) -> None:
        self._inner = inner
        self._host = host
        self._addresses = addresses

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """To the first address that takes it."""
        if host_of(request.url) != self._host:
            raise httpx2.ConnectError(f"{request.url.host} is another host")
        for address in self._addresses:
            try:
                return await self._inner.handle_async_request(self._addressed(request, address))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                if address == self._addresses[-1]:
                    raise
        raise httpx2.ConnectError(f"{self._host} has no address")

    def _addressed(self, request: httpx2.Request, address: str) -> httpx2.Request:
        """The ``Host`` header stays, and TLS asks for the certificate of the name."""
        return httpx2.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": self._host},
        )


class PinnedHttp:
    """Dials again for each request: a connection that was made for one host serves no other.

    ``ca_file`` has certificates (PEM) to trust beside those of the system.
    """

    def __init__(self, resolve: Resolve = resolve_by_system, ca_file: Path | None = None) -> None:
        self._resolve = resolve
        self._ca_file = ca_file

    @asynccontextmanager
    async def send(
        self, request: httpx2.Request, *, is_inside: bool
    ) -> AsyncIterator[httpx2.Response]:
        """The answer, be it a redirect or a refusal, with its body left to be read.

        Raises:
            AddressNotPublic, socket.gaierror: as ``judged_addresses``.
            httpx2.TransportError: the connection failed, now or while the body is read.
        """
        url = request.url
        host = host_of(url)
        port = url.port or _PORTS[url.scheme]
        addresses = await judged_addresses(host, port, self._resolve, is_inside=is_inside)
        request.extensions = {"timeout": _TIMEOUTS.as_dict(), **request.extensions}
        inner = httpx2.AsyncHTTPTransport(verify=self._tls, trust_env=False)
        # A bare transport: a client would bring along cookies, proxies and redirects.
        async with PinnedTransport(inner, host, addresses) as transport:
            response = await transport.handle_async_request(request)
            try:
                yield response
            finally:
                await response.aclose()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = httpx2.create_ssl_context(trust_env=False)
        if self._ca_file is not None:
            context.load_verify_locations(self._ca_file)
        return context


async def read_whole(chunks: AsyncIterable[bytes], max_bytes: int) -> bytes:
    """A body. Raises ``AnswerTooLarge`` as soon as it is larger, without reading on."""
    body = bytearray()
    async with closing(chunks) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) > max_bytes:
                raise AnswerTooLarge(limit_bytes=max_bytes)
    return bytes(body)
