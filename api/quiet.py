"""Spares looking for work while nothing happens."""

import time
from collections.abc import Awaitable, Callable
from math import inf


class Quiet:
    """``count`` is how much was announced so far. A word may be lost, so it is never believed for
    longer than ``longest_seconds``."""

    def __init__(
        self,
        count: Callable[[], int],
        longest_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._count = count
        self._longest_seconds = longest_seconds
        self._clock = clock
        self._quiet_at = -1
        self._until = -inf

    async def unless(self, look: Callable[[], Awaitable[bool]]) -> None:
        """Look, unless nothing was announced since a look that found nothing. ``look`` says whether
        it found something, or might find more at once."""
        count, now = self._count(), self._clock()
        if count == self._quiet_at and now < self._until:
            return
        if not await look():
            self._quiet_at, self._until = count, now + self._longest_seconds
