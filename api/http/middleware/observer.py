"""Every request gets an id, a line in the log and a place in the metrics."""

import re
import time
from contextlib import nullcontext
from dataclasses import dataclass
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from activities.metrics.definitions import LONG_POLLS, RECEIVED, REQUESTS, SENT, WAITED
from activities.metrics.label_values import OTHER
from activities.metrics.numbers import Numbers
from api.http.paths import template_of

REQUEST_ID = "X-Request-ID"
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Asked for every few seconds, by machines: their lines would hide the others.
_QUIET_PATHS = ("/healthz", "/readyz", "/metrics")

# A request that waits for something to happen says for how long.
_WAITS = re.compile(rb"(?:^|&)wait=0*[1-9.]")
_STREAMS = "text/event-stream"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Seen:
    """Of one request. 500 is what is sent when nothing else was. ``waits``: how long it takes says
    what it waited for, and nothing of us."""

    status: int = 500
    received_bytes: int = 0
    sent_bytes: int = 0
    waits: bool = False


class Observer:
    """The outermost layer. Queries and bodies are not logged: they are the users' own."""

    def __init__(self, app: ASGIApp, *, numbers: Numbers) -> None:
        self._app = app
        self._numbers = numbers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _ACCEPTED_ID.fullmatch(given) else uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        waits = _WAITS.search(scope.get("query_string", b"")) is not None
        seen = _Seen(waits=waits)
        started = time.perf_counter()

        async def received() -> Message:
            message = await receive()
            seen.received_bytes += len(message.get("body", b""))
            return message

        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                seen.waits |= headers.get("content-type", "").startswith(_STREAMS)
            seen.sent_bytes += len(message.get("body", b""))
            await send(message)

        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            self._numbers.during(LONG_POLLS) if waits else nullcontext(),
        ):
            try:
                await self._app(scope, received, observed)
            finally:
                self._record(scope, seen, time.perf_counter() - started)

    def _record(self, scope: Scope, seen: _Seen, seconds: float) -> None:
        route = template_of(scope)
        method, numbers, status = scope["method"], self._numbers, seen.status
        known = method if method in _METHODS else OTHER
        if seen.waits:
            numbers.count(WAITED, route, str(status))
        else:
            numbers.observe(REQUESTS, seconds, known, route, str(status))
        numbers.count(RECEIVED, route, by=seen.received_bytes)
        numbers.count(SENT, route, by=seen.sent_bytes)
        if scope["path"] not in _QUIET_PATHS:
            log.info(
                "http.request",
                method=method,
                route=route,
                params={k: str(v) for k, v in scope.get("path_params", {}).items()},
                status=status,
                duration_ms=round(seconds * 1_000, 1),
            )
