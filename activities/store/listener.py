"""Hears what PostgreSQL announces on some channels, over one connection of its own."""

import asyncio
from collections.abc import Callable

import asyncpg
import structlog

from activities.store.database_url import driver_url

_FIRST_DELAY_SECONDS = 0.2
_LONGEST_DELAY_SECONDS = 5.0
# A connection whose other end vanished without a word looks healthy until it is used.
_PROBE_SECONDS = 15.0
_PROBE_TIMEOUT_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Listener:
    """``run`` listens, for the life of the process. ``on_word`` gets what is announced;
    ``on_connected`` is called whenever it begins to listen, for what was announced before is gone:
    let all look for themselves."""

    def __init__(
        self,
        database_url: str,
        channel: str,
        *,
        on_word: Callable[[str], None],
        on_connected: Callable[[], None],
    ) -> None:
        self._url = driver_url(database_url)
        self._heard = {channel: on_word}
        self._on_connected = on_connected
        self._delay_seconds = _FIRST_DELAY_SECONDS

    def hear(self, channel: str, on_word: Callable[[str], None]) -> None:
        """Another channel over the same connection, before ``run``. PostgreSQL wakes everybody who
        listens for each word, whoever it is for."""
        self._heard[channel] = on_word

    async def run(self) -> None:
        """Listen until cancelled; reconnect when the connection is lost."""
        while True:
            try:
                await self._listen()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                reason = str(error) or type(error).__name__
                log.warning("notifications.lost", channels=list(self._heard), reason=reason)
            await asyncio.sleep(self._delay_seconds)
            self._delay_seconds = min(2 * self._delay_seconds, _LONGEST_DELAY_SECONDS)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(
            self._url,
            timeout=_PROBE_TIMEOUT_SECONDS,
            server_settings={"application_name": "agentos"},
        )
        try:
            for channel in self._heard:
                await connection.add_listener(channel, self._on_notification)
            self._delay_seconds = _FIRST_DELAY_SECONDS
            self._on_connected()
            await _until_lost(connection)
        finally:
            connection.terminate()

    def _on_notification(self, *arguments: object) -> None:
        channel, word = map(str, arguments[-2:])
        self._heard[channel](word)


async def _until_lost(connection: asyncpg.Connection) -> None:
    """Raise once the connection is gone."""
    gone = asyncio.Event()
    connection.add_termination_listener(lambda _: gone.set())
    while not connection.is_closed():
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await gone.wait()
        except TimeoutError:
            await connection.execute("SELECT 1", timeout=_PROBE_TIMEOUT_SECONDS)
    raise ConnectionResetError("PostgreSQL hung up")
