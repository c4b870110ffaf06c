"""The connections of clients: how many, and how long each may take to send its requests.

Uvicorn's own limits do not do. ``timeout_keep_alive`` counts between two requests only, not while
one is being sent, and ``limit_concurrency`` looks at requests whose head has arrived.
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

import h11
import structlog
from fastapi import Response

from api.errors import HttpMalformed, RequestTimedOut, TooManyConnections
from api.http.peers import PeerProtocol
from api.http.problems import answer
from api.services import ConnectionLimits

_CHECKS_PER_LIMIT = 10
# In a flood of connections, one line in the log is enough for so long.
_QUIET_SECONDS = 10.0
# A client may read the end of its answer slowly, as long as it reads. It takes what lies in the
# kernel's buffers, megabytes, before we see that it does.
_DRAINING_SECONDS = 120.0
# What a client still sends is read for so long. To hang up on it at once would take from it what it
# was told.
_PARTING_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Connections:
    """Those of this process. ``watch`` cuts the ones that are too slow, until cancelled."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._open: dict[LimitedProtocol, None] = {}  # The oldest first.
        self._told_at = -_QUIET_SECONDS

    def protocol(self, **arguments: Any) -> "LimitedProtocol":
        """For a new connection."""
        return LimitedProtocol(self, **arguments)

    def enter(self, connection: "LimitedProtocol") -> None:
        """Another one. If there are too many, one has to go: one that was told to already, or the
        oldest that has sent no request yet, or else this one."""
        self._open[connection] = None
        if len(self._open) > self.limits.most:
            self._tell_full()
            if leaving := next((each for each in self._open if each.is_leaving), None):
                leaving.transport.abort()
                self.leave(leaving)
            else:
                oldest = next((each for each in self._open if each.awaits_head), connection)
                oldest.refuse(answer(TooManyConnections()))

    def _tell_full(self) -> None:
        now = time.monotonic()
        if now - self._told_at > _QUIET_SECONDS:
            log.warning("connections.full", most=self.limits.most)
            self._told_at = now

    def leave(self, connection: "LimitedProtocol") -> None:
        self._open.pop(connection, None)

    async def watch(self) -> None:
        shortest = min(self.limits.head_seconds, self.limits.body_seconds)
        while True:
            await asyncio.sleep(shortest / _CHECKS_PER_LIMIT)
            now = time.monotonic()
            for connection in list(self._open):
                try:
                    connection.check(now)
                except Exception:  # The limits of all must not end with one connection.
                    log.exception("connections.check_failed")
                    connection.transport.abort()


class LimitedProtocol(PeerProtocol):
    """A connection whose client may not take its time with a request for ever."""

    def __init__(self, connections: Connections, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._all = connections
        self._limits = connections.limits
        self._phase: tuple[str, object, int] = ("", None, 0)
        self._since = time.monotonic()
        self._received_bytes = 0
        self._is_parting = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._all.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._is_parting:
            self._received_bytes += len(data)
            super().data_received(data)

    @property
    def is_leaving(self) -> bool:
        return self._is_parting or self.transport.is_closing()

    @property
    def awaits_head(self) -> bool:
        return self.conn.their_state is h11.IDLE and not self.is_leaving

    def check(self, now: float) -> None:
        """Cut the connection if its client is too slow."""
        # Of each request anew, that is what `cycle` stands for, and whenever more has been read.
        phase = (self._phase_now(), self.cycle, self._unread_bytes())
        if phase != self._phase:
            self._phase = phase
            self._count_from(now)
        seconds = now - self._since
        match phase[0]:
            case "parting" if seconds > _PARTING_SECONDS:
                self.transport.abort()
            case "draining" if seconds > _DRAINING_SECONDS:
                self.transport.abort()
            case "head" if seconds > self._limits.head_seconds:
                if self.conn.trailing_data[0]:
                    self._cut(f"its head took more than {self._limits.head_seconds:g} s")
                else:  # It waits for nothing, such as a browser that connects early.
                    self.transport.close()
            case "body" if seconds > self._limits.body_seconds:
                if self._received_bytes < seconds * self._limits.bytes_per_second:
                    pace = self._limits.bytes_per_second
                    self._cut(f"its body came with less than {pace:g} bytes per second")
                else:
                    self._count_from(now)

    def _phase_now(self) -> str:
        if self.is_leaving:
            return "parting" if self._is_parting else "draining"
        if self.awaits_head:
            return "head"
        # While we do not read, it is not the client who is slow.
        is_sending = self.conn.their_state is h11.SEND_BODY and not self.flow.read_paused
        return "body" if is_sending else ""

    def _unread_bytes(self) -> int:
        return self.transport.get_write_buffer_size() if self.transport.is_closing() else 0

    def _count_from(self, now: float) -> None:
        self._since = now
        self._received_bytes = 0

    def _cut(self, reason: str) -> None:
        log.info("connections.cut", reason=reason)
        self.refuse(answer(RequestTimedOut(reason=reason)))

    def refuse(self, response: Response) -> None:
        """Say why, if it can still be said, and part."""
        self._unset_keepalive_if_required()
        can_speak = self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE)
        words = self._last_words(response) if can_speak else b""
        self._is_parting = True
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if words:
            self.flow.resume_reading()
            self.transport.write(words)
            with suppress(OSError):  # Its client has gone already.
                self.transport.write_eof()
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        self.refuse(answer(HttpMalformed()))

    def _last_words(self, response: Response) -> bytes:
        headers = [*response.raw_headers, (b"connection", b"close")]
        start = h11.Response(status_code=response.status_code, headers=headers, reason=b"Refused")
        body = () if self._is_asked_for_head() else (h11.Data(data=bytes(response.body)),)
        parts = (start, *body, h11.EndOfMessage())
        return b"".join(self.conn.send(part) or b"" for part in parts)

    def _is_asked_for_head(self) -> bool:
        """Whether the answer under way may have no body."""
        cycle = self.cycle
        is_open = cycle is not None and not cycle.response_complete
        return is_open and cycle.scope["method"] == "HEAD"
