"""What a worker answers to monitors, over HTTP: whether it is alive and ready, and its metrics.

It speaks no more HTTP than probes and Prometheus need: one GET without a body for each connection.
"""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

import structlog
from pydantic import SecretStr

from activities.metrics.access import is_token
from activities.metrics.numbers import CONTENT_TYPE, Numbers
from activities.socket_owner import Endpoint, is_connected, owner_of
from worker.readiness import Dependency, Readiness, State
from workflows.addresses import is_loopback

_HEAD_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
_MAX_HEAD_BYTES = 8 * 1024
_MAX_CONNECTIONS = 32
_ROOT_UID = 0
# What proxies and pages add: behind them, everybody's connection is ours.
_OF_OTHERS = frozenset({"forwarded", "via", "x-forwarded-for", "x-real-ip", "origin"})
# A sandbox's way out comes from another address of 127.0.0.0/8 than programs of this machine do.
_OWN_ADDRESSES = ("127.0.0.1", "::1")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Answer:
    status: HTTPStatus
    body: bytes
    media_type: str = "application/json"
    fields: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: HTTPStatus, said: object, **fields: str) -> "_Answer":
        return cls(status, json.dumps(said).encode() + b"\n", fields=fields)


class Monitor:
    """``/healthz`` and ``/readyz`` are open; ``/metrics`` is for the user who runs the worker, on
    this machine, and for whoever has the ``token``."""

    def __init__(self, numbers: Numbers, readiness: Readiness, token: SecretStr | None) -> None:
        self._numbers = numbers
        self._readiness = readiness
        self._token = token
        self._places = asyncio.Semaphore(_MAX_CONNECTIONS)

    async def attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        if self._places.locked():  # Whoever holds them all is no monitor.
            writer.close()
            return
        async with self._places:
            try:
                with suppress(OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
                    async with asyncio.timeout(_HEAD_SECONDS):
                        request = _parsed(await reader.readuntil(b"\r\n\r\n"))
                    async with asyncio.timeout(_ANSWER_SECONDS):
                        answer = await self._answer(request, writer)
                        writer.write(_framed(answer, with_body=request.method != "HEAD"))
                        await writer.drain()
            finally:
                writer.close()

    async def _answer(self, request: _Request, writer: asyncio.StreamWriter) -> _Answer:
        if request.method not in ("GET", "HEAD"):
            reason = {"title": "Only GET is answered here."}
            return _Answer.of(HTTPStatus.METHOD_NOT_ALLOWED, reason, Allow="GET, HEAD")
        match request.path:
            case "/healthz":
                return _Answer.of(HTTPStatus.OK, {"state": "alive"})
            case "/readyz":
                return await self._ready()
            case "/metrics":
                return await self._metrics(request, writer)
        paths = "There are /healthz, /readyz and /metrics."
        return _Answer.of(HTTPStatus.NOT_FOUND, {"title": paths})

    async def _ready(self) -> _Answer:
        state, found = await self._readiness.look()
        is_ready = state is State.READY
        status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        dependencies = [_told(each) for each in found]
        return _Answer.of(status, {"state": state, "dependencies": dependencies})

    async def _metrics(self, request: _Request, writer: asyncio.StreamWriter) -> _Answer:
        is_known = is_token(request.fields.get("authorization"), self._token)
        if not is_known and not _is_owners(writer.get_extra_info("socket"), request):
            reason = {
                "title": "Metrics are for the user who runs this worker, on its machine, and for "
                "whoever sends AGENTOS_METRICS_TOKEN as a bearer token."
            }
            fields = {"WWW-Authenticate": "Bearer"}
            return _Answer.of(HTTPStatus.UNAUTHORIZED, reason, **fields)
        return _Answer(HTTPStatus.OK, await self._numbers.text(), CONTENT_TYPE)


@asynccontextmanager
async def serving(monitor: Monitor, listener: socket.socket) -> AsyncIterator[None]:
    """Answer at ``listener`` while the block runs."""
    server = await asyncio.start_server(monitor.attend, sock=listener, limit=_MAX_HEAD_BYTES)
    host, port = listener.getsockname()[:2]
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    log.info("worker.monitored", url=f"http://{place}")
    try:
        yield
    finally:
        server.close()


def _told(dependency: Dependency) -> Mapping[str, object]:
    state = "up" if dependency.is_up else "down"
    return {"name": dependency.name, "state": state, "latency_ms": dependency.latency_ms}


def _parsed(head: bytes) -> _Request:
    """Raises ``EOFError`` for what is no request."""
    line, *lines = head.decode("latin-1").split("\r\n")[:-2]
    words = line.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise EOFError
    pairs = (each.partition(":") for each in lines)
    fields = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return _Request(words[0], words[1].partition("?")[0], fields)


def _framed(answer: _Answer, *, with_body: bool) -> bytes:
    fields = {
        "Content-Type": answer.media_type,
        "Content-Length": str(len(answer.body)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Connection": "close",
        **answer.fields,
    }
    status = f"HTTP/1.1 {answer.status.value} {answer.status.phrase}"
    lines = [status, *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + (answer.body if with_body else b"")


def _is_owners(connection: socket.socket, request: _Request) -> bool:
    """Whether it is the user who runs this worker, or root, and no page that their browser shows:
    that would come under a name of its own (DNS rebinding)."""
    if not _OF_OTHERS.isdisjoint(request.fields) or not _is_local(request.fields.get("host")):
        return False
    try:
        own = Endpoint.of(connection.getsockname())
        other = Endpoint.of(connection.getpeername())
    except OSError:
        return False
    if other.address not in _OWN_ADDRESSES:
        return False
    uid = owner_of(other, own)
    return uid in (_ROOT_UID, os.geteuid()) and is_connected(connection)


def _is_local(host: str | None) -> bool:
    try:
        return is_loopback(urlsplit(f"//{host or ''}").hostname or "")
    except ValueError:
        return False
