"""Looks for work of the API beside its answers, for all its passes together."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from activities.store.due import Due

# Passes that fall together ask within this time.
GATHERING_SECONDS = 0.01


class Looks:
    """Those who ask within a moment share one look: while nothing happens, it is all that the
    database hears of them."""

    def __init__(self, find: Callable[[], Awaitable[Due]]) -> None:
        self._find = find
        self._next: asyncio.Task[Due] | None = None
        self._looking: set[asyncio.Task[Due]] = set()

    async def look(self) -> Due:
        """What is due, as it is after this was called.

        Raises ``TemporaryFailure`` when the database cannot be reached.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._gather(), name="look")
            self._looking.add(self._next)
            self._next.add_done_callback(self._looking.discard)
        return await asyncio.shield(self._next)  # The others are not to lose it with one of them.

    async def close(self) -> None:
        for look in tuple(self._looking):
            look.cancel()
            with suppress(asyncio.CancelledError):
                await look

    async def _gather(self) -> Due:
        await asyncio.sleep(GATHERING_SECONDS)
        self._next = None  # Who asks from now on may know of something newer.
        return await self._find()
