"""Sending events beside the work that they tell of."""

import asyncio
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

    def within(self, seconds: float) -> None:
        """Send in so many seconds, unless that is done before."""
        if not self._is_open:
            return
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if self._timer is not None and self._timer.when() <= at:
            return
        self._stop()
        self._timer = loop.call_at(at, self._begin, seconds)

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

    def _begin(self, seconds: float) -> None:
        self._timer = None
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_once())
        elif not self._sending.done():
            self.within(seconds)

    async def _send_once(self) -> None:
        await self._send()
        self._sending = None

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
