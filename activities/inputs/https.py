"""Downloads over HTTPS that cannot be turned against the house (server-side request forgery).

A name is resolved here, its addresses are judged, and the connection goes to a judged address: a
name server that gives another answer a moment later (DNS rebinding) changes nothing. Every redirect
is judged anew.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from http import HTTPStatus
from urllib.parse import urljoin

import httpx

from activities.inputs.addresses import is_private, is_public
from activities.inputs.policy import InputPolicy
from workflows.definitions import inputs
from workflows.definitions.inputs import HttpsRef
from workflows.errors import InputNotFound, InputRefMalformed, InputRefused, TemporaryFailure

MAX_REDIRECTS = 5
MAX_ADDRESSES = 4  # of one name that are tried
CHUNK_BYTES = 1024 * 1024
_TIMEOUTS = httpx.Timeout(connect=10.0, read=30.0, write=10.0, pool=10.0)  # seconds

# Encoded bodies are refused and never decoded: a small one may unfold into terabytes.
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "agentos"}

_PASSING_STATUSES = (408, 425, 429, 500, 502, 503, 504)
_PASSING_RESOLVER_ERRORS = (socket.EAI_AGAIN, socket.EAI_SYSTEM, socket.EAI_MEMORY)

Resolve = Callable[[str, int], Awaitable[list[str]]]


async def resolve_by_system(host: str, port: int) -> list[str]:
    """The addresses of a name, as this machine sees them. Raises ``socket.gaierror``."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class HttpsDownloads:
    """Opens URLs that the policy allows."""

    def __init__(self, policy: InputPolicy, resolve: Resolve = resolve_by_system) -> None:
        self._policy = policy
        self._resolve = resolve

    @asynccontextmanager
    async def open(self, ref: HttpsRef) -> AsyncIterator[AsyncIterator[bytes]]:
        """The body of a URL, in chunks. How much it is and how long it takes the caller bounds.

        Raises:
            InputRefused: the policy forbids it, a redirect's target, or an address behind a name.
            InputNotFound: the server does not give it.
            TemporaryFailure: the server cannot be reached, or says that it may give it later.
        """
        asked = ref
        with _failures_of(asked):
            for _ in range(MAX_REDIRECTS + 1):
                addresses = await self._addresses(asked, ref)
                async with self._get(ref, addresses) as response:
                    if not response.has_redirect_location:
                        _check(asked, response)
                        yield response.aiter_raw(CHUNK_BYTES)
                        return
                    ref = _target(asked, ref, response)
            raise InputRefused(ref=asked, reason=f"it redirects more than {MAX_REDIRECTS} times")

    async def _addresses(self, asked: HttpsRef, ref: HttpsRef) -> list[str]:
        """The addresses of a host, once all of them are known to be harmless."""
        if reason := self._policy.refusal(ref):
            raise InputRefused(ref=asked, reason=reason)
        addresses = await self._resolve(ref.host, ref.port)
        for address in addresses:
            if not is_public(address) and not (
                self._policy.is_private(ref) and is_private(address)
            ):
                reason = f"host {ref.host!r} has the address {address}, which is not a public one"
                raise InputRefused(ref=asked, reason=reason)
        return addresses[:MAX_ADDRESSES]

    @asynccontextmanager
    async def _get(self, ref: HttpsRef, addresses: list[str]) -> AsyncIterator[httpx.Response]:
        # A bare transport: no cookies, proxies or redirects. One for each request: a connection
        # that was made for one host serves no other.
        async with httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False) as transport:
            response = await _send(transport, ref, addresses)
            try:
                yield response
            finally:
                await response.aclose()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = httpx.create_ssl_context(trust_env=False)
        if self._policy.ca_file is not None:
            context.load_verify_locations(self._policy.ca_file)
        return context


async def _send(
    transport: httpx.AsyncHTTPTransport, ref: HttpsRef, addresses: list[str]
) -> httpx.Response:
    target = ref.target.encode()
    for address in addresses:
        request = httpx.Request(
            "GET",
            httpx.URL(scheme="https", host=address, port=ref.port, raw_path=target),
            headers={**_HEADERS, "Host": ref.authority},
            # The certificate must be that of the name, not of the address.
            extensions={"sni_hostname": ref.host, "timeout": _TIMEOUTS.as_dict()},
        )
        try:
            return await transport.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            if address == addresses[-1]:
                raise
    raise socket.gaierror(socket.EAI_NONAME, "it has no address")


def _target(asked: HttpsRef, ref: HttpsRef, response: httpx.Response) -> HttpsRef:
    try:
        target = inputs.parse(urljoin(ref.url, response.headers["Location"]))
    except (InputRefMalformed, ValueError) as error:
        raise InputRefused(
            ref=asked, reason=f"it redirects to what is no input: {error}"
        ) from error
    if not isinstance(target, HttpsRef):
        raise InputRefused(ref=asked, reason="it redirects to something that is not https://")
    return target


def _check(ref: HttpsRef, response: httpx.Response) -> None:
    status = response.status_code
    if status in _PASSING_STATUSES:
        raise TemporaryFailure(service=f"Host {ref.host}", reason=f"it answered {status}")
    if status != HTTPStatus.OK:
        raise InputNotFound(ref=ref, reason=f"the server answered {status}, not 200")
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        reason = f"the server sent it encoded ({encoding[:40]!r}) though asked not to"
        raise InputRefused(ref=ref, reason=reason)


@contextmanager
def _failures_of(ref: HttpsRef) -> Iterator[None]:
    """Tell what the network does in our own errors."""
    service = f"Host {ref.host}"
    try:
        yield
    except socket.gaierror as error:
        if error.errno in _PASSING_RESOLVER_ERRORS:
            raise TemporaryFailure(service=service, reason="its name cannot be resolved") from error
        raise InputNotFound(ref=ref, reason="there is no such host") from error
    except httpx.TransportError as error:
        if (invalid := _invalid_certificate(error)) is not None:
            reason = f"the server's certificate is not valid: {invalid.verify_message}"
            raise InputRefused(ref=ref, reason=reason) from error
        raise TemporaryFailure(
            service=service, reason=str(error) or type(error).__name__
        ) from error


def _invalid_certificate(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error
