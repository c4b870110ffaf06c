"""Downloads over HTTPS, from where the policy allows. Every redirect is checked again."""

import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from urllib.parse import urljoin

import httpx2

from activities.inputs.policy import InputPolicy
from activities.pinned_http import PinnedHttp, Resolve, resolve_by_system
from workflows.definitions import inputs
from workflows.definitions.inputs import HttpsRef
from workflows.errors import TemporaryFailure
from workflows.errors.hosts import AddressNotPublic
from workflows.errors.inputs import InputNotFound, InputRefMalformed, InputRefused

MAX_REDIRECTS = 5
CHUNK_BYTES = 1024 * 1024

# Encoded bodies are refused and never decoded: a small one may unfold into terabytes.
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "agentos"}

_PASSING_STATUSES = (408, 425, 429, 500, 502, 503, 504)
_PASSING_RESOLVER_ERRORS = (socket.EAI_AGAIN, socket.EAI_SYSTEM, socket.EAI_MEMORY)


class HttpsDownloads:
    """Opens URLs that the policy allows."""

    def __init__(self, policy: InputPolicy, resolve: Resolve = resolve_by_system) -> None:
        self._policy = policy
        self._http = PinnedHttp(resolve, policy.ca_file)

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
                if reason := self._policy.refusal(ref):
                    raise InputRefused(ref=asked, reason=reason)
                is_inside = self._policy.is_private(ref)
                async with self._http.send(_request(ref), is_inside=is_inside) as response:
                    if not response.has_redirect_location:
                        _check(asked, response)
                        yield response.aiter_raw(CHUNK_BYTES)
                        return
                    ref = _target(asked, ref, response)
            raise InputRefused(ref=asked, reason=f"it redirects more than {MAX_REDIRECTS} times")


def _request(ref: HttpsRef) -> httpx2.Request:
    url = httpx2.URL(scheme="https", host=ref.host, port=ref.port, raw_path=ref.target.encode())
    return httpx2.Request("GET", url, headers={**_HEADERS, "Host": ref.authority})


def _target(asked: HttpsRef, ref: HttpsRef, response: httpx2.Response) -> HttpsRef:
    try:
        target = inputs.parse(urljoin(ref.url, response.headers["Location"]))
    except (InputRefMalformed, ValueError) as error:
        raise InputRefused(
            ref=asked, reason=f"it redirects to something that is not a valid input: {error}"
        ) from error
    if not isinstance(target, HttpsRef):
        raise InputRefused(ref=asked, reason="it redirects to something that is not https://")
    return target


def _check(ref: HttpsRef, response: httpx2.Response) -> None:
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
    except AddressNotPublic as error:
        raise InputRefused(ref=ref, reason=str(error).rstrip(".")) from error
    except socket.gaierror as error:
        if error.errno in _PASSING_RESOLVER_ERRORS:
            raise TemporaryFailure(service=service, reason="its name cannot be resolved") from error
        raise InputNotFound(ref=ref, reason="there is no such host") from error
    except httpx2.TransportError as error:
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
