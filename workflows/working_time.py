"""A limit on the time that a task works. It stops while the task waits for people."""

import asyncio
from types import TracebackType
from typing import Self


class WorkingTime:
    """Ends the block, as ``asyncio.timeout`` does, when its time is used up.

    It reads the clock of the event loop, which is the workflow's. Each halt costs workflow history
    two events: the timer that ends, and the next one. Without a limit it costs none.

    With ``begins_anew`` the full time is granted again when it is already used up. That is for a
    run that was reset: nothing worked between its end and the reset, but the clock ran on.
    """

    def __init__(
        self,
        limit_seconds: float | None = None,
        used_seconds: float = 0.0,
        *,
        begins_anew: bool = False,
    ) -> None:
        self.limit_seconds = limit_seconds
        self._used = used_seconds
        self._begins_anew = begins_anew
        self._since: float | None = None
        self._alarm: asyncio.Handle | None = None
        self._deadline = asyncio.timeout(None)

    @property
    def used_seconds(self) -> float:
        running = 0.0 if self._since is None else asyncio.get_running_loop().time() - self._since
        return self._used + running

    @property
    def left_seconds(self) -> float | None:
        """None: there is no limit."""
        return None if self.limit_seconds is None else self.limit_seconds - self.used_seconds

    @property
    def is_used_up(self) -> bool:
        return self._deadline.expired()

    def halt(self) -> None:
        """Stop the clock until ``go_on``."""
        # Once the time is used up the deadline cannot be moved: it ends what is within just now.
        if self._since is None or self.is_used_up:
            return
        self._used, self._since = self.used_seconds, None
        self._stop_alarm()

    def go_on(self) -> None:
        if self._since is not None or self.is_used_up:
            return
        loop = asyncio.get_running_loop()
        self._since = loop.time()
        if self.limit_seconds is None:
            return
        left = self.limit_seconds - self._used
        ring = self._ring
        self._alarm = loop.call_later(left, ring) if left > 0 else loop.call_soon(ring)

    def _ring(self) -> None:
        if self._begins_anew:
            self._begins_anew = False
            self._used, self._since = 0.0, None
            self.go_on()
        else:
            self._deadline.reschedule(asyncio.get_running_loop().time())

    def _stop_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    async def __aenter__(self) -> Self:
        await self._deadline.__aenter__()
        self.go_on()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop_alarm()
        await self._deadline.__aexit__(kind, error, traceback)
