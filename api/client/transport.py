"""Requests to the API: what is tried again, and how an answer becomes a value or an error."""

import asyncio
import os
import random
import re
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from typing import BinaryIO, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from api.client.asking import check_header
from api.client.errors import (
    ApiProblem,
    ApiUnreachable,
    ApiUrlMalformed,
    ClientUnusable,
    NothingThere,
    NotTheApi,
    problem_of,
)
from api.wire.responses.base import API
from workflows.addresses import is_loopback
from workflows.backoff import Backoff
from workflows.open_values import OPEN
from workflows.pointers import Problem, pointer

CONNECT_TIMEOUT_SECONDS = 5.0
ANSWER_TIMEOUT_SECONDS = 30.0
UPLOAD_TIMEOUT_SECONDS = 300.0  # The API passes the whole file on to the store before it answers.
# Between attempts, of which there are a few more however short the patience: a connection may
# always be cut.
BACKOFF = Backoff(first_seconds=0.1, factor=3.0, longest_seconds=2.0)
LEAST_RETRIES = 3
# A restart of the API, with all that `agentos up` runs, goes unnoticed.
PATIENCE_SECONDS = 30.0
MAX_RETRY_AFTER_SECONDS = 5.0
PROBLEM_TYPE = "application/problem+json"
_BARE = re.compile(r"[\w.-]+(:[0-9]+)?/?")

# The API is starting, stopping, or waits for its database: what was asked was not done.
PASSING_STATUSES = (502, 503, 504)
_CHANGING = ("PUT", "PATCH", "DELETE")
_MADE = (201, 202, 204)

CLOSED = "it is closed; make another one"
_OTHER_LOOP = "it was used in another event loop; make one in each `asyncio.run`, or use `Client`"

Params = Mapping[str, str | int | Sequence[str]]
Answer = TypeVar("Answer", bound=BaseModel)


class _Pointed(BaseModel):
    pointer: str = ""
    message: str = ""
    parameter: str | None = None


class _ProblemDocument(BaseModel):
    """RFC 9457, read leniently: an error about an error helps nobody."""

    title: str = ""
    detail: str | None = None
    code: str = "error"
    errors: list[_Pointed] = []


class Transport:
    """The connections to one API."""

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        timeout_seconds: float = ANSWER_TIMEOUT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.timeout_seconds = timeout_seconds
        self.patience_seconds = patience_seconds
        self.has_changed_something = False
        self.url = _checked(url)
        check_header("API key", api_key or "")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._http = httpx2.AsyncClient(
            base_url=f"{self.url}{API}",
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx2.Timeout(timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS),
            # The proxy that the environment names for the internet cannot reach this machine.
            trust_env=not is_loopback(httpx2.URL(self.url).host),
            # Certificates take 20 ms to load, a tenth of what a command takes.
            verify=httpx2.URL(self.url).scheme != "http",
        )

    async def close(self) -> None:
        # Connections of a loop that has ended have ended with it.
        if self._loop in (None, asyncio.get_running_loop()):
            await self._http.aclose()

    async def call(
        self,
        method: str,
        path: str,
        answer: type[Answer],
        *,
        params: Params | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        timeout_seconds: float | None = None,
    ) -> Answer:
        """Send a request with a JSON body, if any, and read the JSON answer, which may take so many
        seconds, or as many as all may.

        Only what is ``repeatable`` is sent again when it may have arrived.

        Raises:
            ApiProblem: the API said no.
            ApiUnreachable: no answer came.
            NotTheApi: an answer came that no API of ours gives.
            ClientUnusable: it is closed, or is of another loop.
        """
        kind = {"Content-Type": "application/json"} if body is not None else {}
        request = self._http.build_request(
            method,
            path,
            params=params,
            content=body,
            headers={**kind, **(headers or {})},
            timeout=httpx2.Timeout(
                timeout_seconds or self.timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS
            ),
        )
        return self._read(await self._send(lambda: request, repeatable=repeatable), answer)

    async def ask(self, path: str, answer: type[Answer]) -> Answer:
        """GET a path outside of the API, once: what is away shall be told, not waited for. Its
        answer is the same document, whatever its status.

        Raises:
            ApiUnreachable, NotTheApi
        """
        request = self._http.build_request("GET", f"{self.url}{path}")
        self._require_usable()
        try:
            response = await self._http.send(request)
        except httpx2.RequestError as error:
            raise self.unreachable(error) from error
        if response.status_code not in (httpx2.codes.OK, httpx2.codes.SERVICE_UNAVAILABLE):
            raise self._problem(response)
        return self._parsed(response, answer)

    async def delete(self, path: str) -> None:
        """Send a DELETE. Raises ``ApiProblem`` and ``ApiUnreachable`` as ``call``."""
        request = self._http.build_request("DELETE", path)
        response = await self._send(lambda: request, repeatable=False)
        if not response.is_success:
            raise self._problem(response)

    async def head(self, path: str) -> httpx2.Headers:
        """The headers of what a GET would give. Raises as ``call``."""
        request = self._http.build_request("HEAD", path)
        response = await self._send(lambda: request, repeatable=True)
        if response.status_code == httpx2.codes.NOT_FOUND:
            # The answer to HEAD has no body that could say so.
            message = f"There is nothing at {path}."
            raise NothingThere(status=response.status_code, code="not-found", message=message)
        if not response.is_success:
            raise self._problem(response)
        return response.headers

    async def post_file(
        self, path: str, answer: type[Answer], name: str, mime_type: str, file: BinaryIO
    ) -> Answer:
        """Send a file as the multipart field ``file``, a part at a time. Raises as ``call``.

        It may be sent twice: the API takes the same bytes again for the file that it has.
        """

        def build() -> httpx2.Request:
            file.seek(0)
            return self._http.build_request(
                "POST",
                path,
                files={"file": (name, file, mime_type)},
                timeout=httpx2.Timeout(UPLOAD_TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS),
            )

        return self._read(await self._send(build, repeatable=True), answer)

    @asynccontextmanager
    async def stream(
        self, path: str, *, headers: Mapping[str, str], read_timeout_seconds: float
    ) -> AsyncIterator[httpx2.Response]:
        """GET once, the body left to be read.

        Raises:
            ApiProblem: the API said no.
            NotTheApi: something else answers.
            httpx2.TransportError: the connection failed, here or behind a proxy, now or while the
                body is read.
            ClientUnusable: it is closed, or is of another loop.
        """
        self._require_usable()
        timeout = httpx2.Timeout(read_timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS)
        async with self._http.stream("GET", path, headers=headers, timeout=timeout) as response:
            if not response.is_success:
                await response.aread()
                problem = self._problem(response)
                if isinstance(problem, NotTheApi) and response.status_code in PASSING_STATUSES:
                    # A proxy says so in words of its own: it has lost the API behind it.
                    raise httpx2.RemoteProtocolError(str(problem.fields["reason"]))
                raise problem
            yield response

    def _require_usable(self) -> None:
        """Raises ``ClientUnusable``: connections belong to the loop that has opened them."""
        if self._http.is_closed:
            raise ClientUnusable(reason=CLOSED)
        loop = asyncio.get_running_loop()
        if self._loop not in (None, loop):
            raise ClientUnusable(reason=_OTHER_LOOP)
        self._loop = loop

    def pauses(self) -> Iterator[float]:
        """Those between attempts at something, until it has been tried for long enough."""
        latest = time.monotonic() + self.patience_seconds
        for retries, pause_seconds in enumerate(BACKOFF.pauses(random.uniform)):
            if retries >= LEAST_RETRIES and time.monotonic() + pause_seconds > latest:
                return
            yield pause_seconds

    def unreachable(self, error: Exception) -> ApiUnreachable:
        return ApiUnreachable(url=self.url, reason=reason_of(error))

    async def _send(
        self, build: Callable[[], httpx2.Request], *, repeatable: bool
    ) -> httpx2.Response:
        for pause_seconds in chain(self.pauses(), (None,)):
            self._require_usable()
            try:
                response = await self._http.send(build())
            except httpx2.RequestError as error:
                never_arrived = isinstance(error, httpx2.ConnectError)
                may_help = (repeatable or never_arrived) and not _is_distrusted(error)
                if pause_seconds is None or not may_help:
                    raise self.unreachable(error) from error
                await asyncio.sleep(pause_seconds)
            else:
                self.has_changed_something |= _has_changed_something(response)
                if pause_seconds is None or not (repeatable and _passes(response)):
                    return response
                await asyncio.sleep(max(pause_seconds, retry_after_seconds(response)))
        raise AssertionError("the last attempt returns or raises")

    def _read(self, response: httpx2.Response, answer: type[Answer]) -> Answer:
        if not response.is_success:
            raise self._problem(response)
        return self._parsed(response, answer)

    def _parsed(self, response: httpx2.Response, answer: type[Answer]) -> Answer:
        try:
            return answer.model_validate_json(response.content, context=OPEN)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            reason = f"its answer has an unexpected form: {pointer(first['loc'])}: {first['msg']}"
            raise NotTheApi(url=self.url, reason=reason) from error

    def _problem(self, response: httpx2.Response) -> ApiProblem | NotTheApi:
        kind = response.headers.get("content-type", "")
        try:
            if not kind.startswith(PROBLEM_TYPE):
                raise ValueError(kind)
            document = _ProblemDocument.model_validate_json(response.content)
        except ValueError:  # A ValidationError is one.
            status = f"{response.status_code} {response.reason_phrase}"
            return NotTheApi(url=self.url, reason=f"it answers {status} without a reason")
        problem = problem_of(response.status_code)(
            status=response.status_code,
            code=document.code,
            message=document.detail or document.title or response.reason_phrase,
            problems=tuple(Problem(p.pointer, p.message, p.parameter) for p in document.errors),
        )
        problem.retry_after_seconds = retry_after_seconds(response) or None
        return problem


def _has_changed_something(response: httpx2.Response) -> bool:
    """A POST that only looks is answered with 200, as a dry run is."""
    method = response.request.method
    is_change = method in _CHANGING or (method == "POST" and response.status_code in _MADE)
    return response.is_success and is_change


def _passes(response: httpx2.Response) -> bool:
    """Whether the same request may soon be answered."""
    is_limited = response.status_code == httpx2.codes.TOO_MANY_REQUESTS
    return response.status_code in PASSING_STATUSES or (
        is_limited and "Retry-After" in response.headers
    )


def retry_after_seconds(response: httpx2.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return (
        min(float(value), MAX_RETRY_AFTER_SECONDS) if value.isascii() and value.isdigit() else 0.0
    )


def _reason_of_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted here: {error.verify_message}"
    return "it speaks no TLS, or none that is known here: is it http://?"


def _checked(url: str) -> str:
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, TypeError) as error:  # The latter for what is no text.
        raise ApiUrlMalformed(url=url, hint="") from error
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query or parsed.userinfo:
        # `localhost:8000` is a URL as well, of the scheme `localhost`.
        is_bare = _BARE.fullmatch(url) is not None
        raise ApiUrlMalformed(url=url, hint=f" Did you mean http://{url}?" if is_bare else "")
    return url.rstrip("/").removesuffix(API)


def reason_of(error: BaseException) -> str:
    """The operating system's word, which httpx2 buries: ``Connection refused``."""
    reason = ""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return _reason_of_tls(cause)
        if isinstance(cause, OSError) and cause.errno:
            # asyncio puts words of its own into the errors of connections.
            reason = os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)
    return reason or str(error) or type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _is_distrusted(error: BaseException) -> bool:
    """Whether it answers with a certificate that will not do the next time either."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))
