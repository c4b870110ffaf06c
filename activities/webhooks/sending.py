"""One attempt to tell a receiver something: a POST, and what it answers."""

import asyncio
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Self

import httpx2

from activities.early_end import closing
from activities.pinned_http import PinnedHttp, Resolve, resolve_by_system
from activities.store.deliveries import Sent
from activities.webhooks.options import WebhookOptions
from activities.webhooks.policy import Endpoint
from workflows.errors.hosts import AddressNotPublic

MAX_ANSWER_BYTES = 1_024
# For what it says beside its status, which is all that counts.
_ANSWER_SECONDS = 1.0
_MAX_ERROR_CHARACTERS = 500

_HEADERS = {
    "Content-Type": "application/json",
    # What comes encoded may unfold into anything.
    "Accept-Encoding": "identity",
    "User-Agent": "agentos",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """``is_gone``: the receiver wants to hear no more, ever. ``retry_after_seconds`` is how long it
    wants to be left alone, where it says so."""

    sent: Sent
    is_gone: bool = False
    retry_after_seconds: float | None = None

    @classmethod
    def unsent(cls, reason: str) -> Self:
        """Nothing may be sent, or not yet."""
        return cls(Sent(datetime.now(UTC).isoformat(), duration_ms=0, error=reason))

    @property
    def is_success(self) -> bool:
        return self.sent.error is None


class Post:
    """Sends to endpoints that were judged. Their addresses are judged each time, when they are
    resolved; redirects are not followed."""

    def __init__(self, options: WebhookOptions, resolve: Resolve = resolve_by_system) -> None:
        self._timeout_seconds = options.timeout_seconds
        self._http = PinnedHttp(resolve, options.ca_file)

    async def send(self, endpoint: Endpoint, body: str, headers: Mapping[str, str]) -> Outcome:
        """Whatever the receiver does, there is an outcome, within the time for an attempt."""
        began, at = time.monotonic(), datetime.now(UTC).isoformat()
        request = httpx2.Request(
            "POST",
            endpoint.url,
            headers={**_HEADERS, **headers},
            content=body.encode(),
            extensions={"timeout": httpx2.Timeout(self._timeout_seconds).as_dict()},
        )
        answer = _Answer()
        try:
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._http.send(request, is_inside=endpoint.is_inside) as response,
            ):
                answer.read_head(response)
                answer.beginning = await _beginning(response)
        except (TimeoutError, httpx2.TimeoutException):
            answer.fail(f"no answer within {self._timeout_seconds:g} s")
        except (AddressNotPublic, OSError, ValueError, httpx2.TransportError) as error:
            answer.fail(_reason(error))
        duration_ms = round((time.monotonic() - began) * 1_000)
        sent = Sent(at, duration_ms, answer.status, answer.error, answer.beginning)
        is_gone = answer.status == HTTPStatus.GONE
        return Outcome(sent, is_gone, answer.retry_after_seconds)


class _Answer:
    """What is known of an answer. Once its head was there, nothing that goes wrong counts."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.error: str | None = None
        self.beginning = ""
        self.retry_after_seconds: float | None = None

    def read_head(self, response: httpx2.Response) -> None:
        self.status = response.status_code
        self.error = _refusal(response)
        self.retry_after_seconds = retry_after_seconds(response.headers)

    def fail(self, reason: str) -> None:
        if self.status is None:
            self.error = reason


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """What ``Retry-After`` says, in seconds or as a date; None where it says nothing sensible."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds)


async def _beginning(response: httpx2.Response) -> str:
    """The first of what it says, as far as it comes at once."""
    content = bytearray()
    with suppress(TimeoutError, httpx2.TransportError):
        async with (
            asyncio.timeout(_ANSWER_SECONDS),
            closing(response.aiter_raw()) as pieces,
        ):
            async for chunk in pieces:
                content += chunk
                if len(content) >= MAX_ANSWER_BYTES:
                    break
    text = bytes(content[:MAX_ANSWER_BYTES]).decode("utf-8", "replace")
    return "".join(character if character.isprintable() else " " for character in text).strip()


def _refusal(response: httpx2.Response) -> str | None:
    if response.is_success:
        return None
    status = response.status_code
    said = f"it answered {status} {httpx2.codes.get_reason_phrase(status)}".strip()
    return f"{said}; redirects are not followed" if response.has_redirect_location else said


def _reason(error: Exception) -> str:
    if isinstance(error, AddressNotPublic):
        return str(error)
    if isinstance(error, socket.gaierror):
        return "its name cannot be resolved"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not valid: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return (str(error) or type(error).__name__)[:_MAX_ERROR_CHARACTERS]
