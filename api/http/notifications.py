"""Hears what PostgreSQL announces, over one connection, and wakes those who wait for a task."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

import asyncpg
import structlog

from activities.store.database import driver_url
from activities.store.events import CHANNEL

_FIRST_DELAY_SECONDS = 0.2
_LONGEST_DELAY_SECONDS = 5.0
# A connection whose other end vanished without a word looks healthy until it is used.
_PROBE_SECONDS = 15.0
_PROBE_TIMEOUT_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Bell:
    """Rings when something may have happened to a task. It holds one bit, however much happened."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, timeout_seconds: float) -> bool:
        """True once it was rung since the last ``wait``; False when it was not for that long."""
        try:
            await asyncio.wait_for(self._rung.wait(), timeout_seconds)
        except TimeoutError:
            return False
        self._rung.clear()
        return True


class Notifications:
    """``run`` listens, for the life of the process. Anybody may wait meanwhile."""

    def __init__(self, database_url: str) -> None:
        self._url = driver_url(database_url)
        self._bells: defaultdict[UUID, set[Bell]] = defaultdict(set)
        self._delay_seconds = _FIRST_DELAY_SECONDS
        self.closing = False
        """Set when the server stops: who waits must come to an end."""

    @contextmanager
    def listening(self, task_id: UUID) -> Iterator[Bell]:
        """A bell for the events of a task, while the block runs."""
        bell = Bell()
        self._bells[task_id].add(bell)
        try:
            yield bell
        finally:
            self._bells[task_id].discard(bell)
            if not self._bells[task_id]:
                del self._bells[task_id]

    def ring(self, task_id: UUID) -> None:
        """Let those who wait for this task look for themselves."""
        for bell in self._bells.get(task_id, ()):
            bell.ring()

    def close(self) -> None:
        """Let everybody who waits come to an end."""
        self.closing = True
        self._ring_all()

    async def run(self) -> None:
        """Listen until cancelled; reconnect when the connection is lost."""
        while True:
            try:
                await self._listen()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("notifications.lost", reason=str(error) or type(error).__name__)
            await asyncio.sleep(self._delay_seconds)
            self._delay_seconds = min(2 * self._delay_seconds, _LONGEST_DELAY_SECONDS)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(
            self._url,
            timeout=_PROBE_TIMEOUT_SECONDS,
            server_settings={"application_name": "agentos"},
        )
        try:
            await connection.add_listener(CHANNEL, self._on_notification)
            self._delay_seconds = _FIRST_DELAY_SECONDS
            # What was announced while nobody listened is gone: let all look for themselves.
            self._ring_all()
            await _until_lost(connection)
        finally:
            connection.terminate()

    def _on_notification(self, *arguments: object) -> None:
        with suppress(ValueError):  # Not one of ours.
            self.ring(UUID(str(arguments[-1])))

    def _ring_all(self) -> None:
        for task_id in self._bells:
            self.ring(task_id)


async def _until_lost(connection: asyncpg.Connection) -> None:
    """Raise once the connection is gone."""
    gone = asyncio.Event()
    connection.add_termination_listener(lambda _: gone.set())
    while not connection.is_closed():
        try:
            await asyncio.wait_for(gone.wait(), _PROBE_SECONDS)
        except TimeoutError:
            await connection.execute("SELECT 1", timeout=_PROBE_TIMEOUT_SECONDS)
    raise ConnectionResetError("PostgreSQL hung up")
