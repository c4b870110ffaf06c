"""Every request gets an id, a line in the log and a place in the metrics."""

import re
import time
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.metrics import Metrics

REQUEST_ID = "X-Request-ID"
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Asked for every few seconds, by machines: their lines would hide the others.
_QUIET_PATHS = ("/healthz", "/readyz", "/metrics")

log = structlog.get_logger(__name__)


class Observer:
    """The outermost layer. Queries and bodies are not logged: they are the users' own."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _ACCEPTED_ID.fullmatch(given) else uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        status = 500  # What is sent when nothing else was.
        started = time.perf_counter()

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, observed)
            finally:
                self._record(scope, status, time.perf_counter() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        # Of what no route was found for, only that: a path is whatever a stranger makes up.
        route = getattr(scope.get("route"), "path", "(none)")
        self._metrics.observe(scope["method"], route, status, seconds)
        if scope["path"] not in _QUIET_PATHS:
            log.info(
                "http.request",
                method=scope["method"],
                route=route,
                params={k: str(v) for k, v in scope.get("path_params", {}).items()},
                status=status,
                duration_ms=round(seconds * 1_000, 1),
            )
