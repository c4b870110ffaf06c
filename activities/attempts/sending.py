"""Sending events beside the work that they tell of."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress


class Sender:
    """Calls ``send`` as soon as it is asked to, as often as that is, while a block runs.

    By a timer, and not a task: most blocks are over before there is anything to send. What is under
    way when a block ends is let through: cut in two, it might be sent twice. Only a block that is
    cancelled does not wait for it: the database may be away, and nobody sends it again.
    """

    def __init__(self, send: Callable[[], Awaitable[None]]) -> None:
        self._send = send
        self._is_open = False
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None
        """What is under way, or has failed: then nothing more is sent."""
        self._next_seconds = math.inf
        """What was asked for meanwhile."""

    def within(self, seconds: float) -> None:
        """Send in so many seconds, unless that is done before. While something is under way they
        count from its end: a slow database is not asked the more often."""
        if not self._is_open:
            return
        if self._sending is not None:
            self._next_seconds = min(seconds, self._next_seconds)
            return
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if self._timer is not None and self._timer.when() <= at:
            return
        self._stop()
        self._timer = loop.call_at(at, self._begin)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Raises what ``send`` has raised."""
        self._is_open = True
        is_cancelled = False
        try:
            yield
        except asyncio.CancelledError:
            is_cancelled = True
            raise
        finally:
            self._is_open = False
            self._stop()
            if self._sending is not None:
                await _end(self._sending, at_once=is_cancelled)

    def _begin(self) -> None:
        self._timer = None
        self._sending = asyncio.create_task(self._send_once())

    async def _send_once(self) -> None:
        await self._send()
        self._sending = None
        seconds, self._next_seconds = self._next_seconds, math.inf
        if seconds < math.inf:
            self.within(seconds)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


async def _end(sending: asyncio.Task[None], *, at_once: bool) -> None:
    if at_once:
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
    else:
        await sending
