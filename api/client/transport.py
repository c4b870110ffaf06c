"""Requests to the API: what is tried again, and how an answer becomes a value or an error."""

import asyncio
import os
import random
import re
import ssl
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import BinaryIO, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from api.client.errors import (
    ApiProblem,
    ApiUnreachable,
    ApiUrlMalformed,
    HeaderUnsendable,
    IdempotencyKeyBlank,
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
# Between attempts: a restart of the API goes unnoticed, a missing one is soon reported.
BACKOFF = Backoff(first_seconds=0.1, factor=3.0, times=3)
MAX_RETRY_AFTER_SECONDS = 5.0
PROBLEM_TYPE = "application/problem+json"
_BARE = re.compile(r"[\w.-]+(:[0-9]+)?/?")

# The API is starting, stopping, or waits for its database: what was asked was not done.
PASSING_STATUSES = (502, 503, 504)

Params = Mapping[str, str | int | Sequence[str]]
Answer = TypeVar("Answer", bound=BaseModel)


class _Pointed(BaseModel):
    pointer: str = ""
    message: str = ""


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
    ) -> None:
        self.timeout_seconds = timeout_seconds
        self.url = _checked(url)
        check_header("API key", api_key or "")
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
        """
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

    def unreachable(self, error: Exception) -> ApiUnreachable:
        return ApiUnreachable(url=self.url, reason=reason_of(error))

    async def _send(
        self, build: Callable[[], httpx2.Request], *, repeatable: bool
    ) -> httpx2.Response:
        for pause_seconds in (*BACKOFF.pauses(random.uniform), None):
            try:
                response = await self._http.send(build())
            except httpx2.RequestError as error:
                never_arrived = isinstance(error, httpx2.ConnectError)
                if pause_seconds is None or not (repeatable or never_arrived):
                    raise self.unreachable(error) from error
                await asyncio.sleep(pause_seconds)
            else:
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
            problems=tuple(Problem(error.pointer, error.message) for error in document.errors),
        )
        problem.retry_after_seconds = retry_after_seconds(response) or None
        return problem


def _passes(response: httpx2.Response) -> bool:
    """Whether the same request may soon be answered."""
    is_limited = response.status_code == httpx2.codes.TOO_MANY_REQUESTS
    return response.status_code in PASSING_STATUSES or (
        is_limited and "Retry-After" in response.headers
    )


def check_header(what: str, value: str) -> None:
    """Raises ``HeaderUnsendable``."""
    if not value.isascii() or not value.isprintable():
        raise HeaderUnsendable(what=what)


def key_header(key: str | None) -> Mapping[str, str]:
    """The header of a request that counts once, with a key of its own where ``key`` is None.

    Raises:
        IdempotencyKeyBlank, HeaderUnsendable
    """
    if key is None:
        return {"Idempotency-Key": uuid.uuid4().hex}
    check_header("idempotency key", key)
    if not key.strip():
        raise IdempotencyKeyBlank
    return {"Idempotency-Key": key}


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
    except httpx2.InvalidURL as error:
        raise ApiUrlMalformed(url=url, hint="") from error
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query or parsed.userinfo:
        # `localhost:8000` is a URL as well, of the scheme `localhost`.
        is_bare = _BARE.fullmatch(url) is not None
        raise ApiUrlMalformed(url=url, hint=f" Did you mean http://{url}?" if is_bare else "")
    return url.rstrip("/").removesuffix(API)


def reason_of(error: BaseException) -> str:
    """The operating system's word, which httpx2 buries: ``Connection refused``."""
    cause: BaseException | None = error
    reason = ""
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return _reason_of_tls(cause)
        if isinstance(cause, OSError) and cause.errno:
            # asyncio puts words of its own into the errors of connections.
            reason = os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)
        cause = cause.__cause__ or cause.__context__
    return reason or str(error) or type(error).__name__
