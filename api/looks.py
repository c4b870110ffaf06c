"""Looks for work of the API beside its answers, for all its passes together."""

import asyncio
from collections.abc import Awaitable, Callable

from activities.store.due import Due
from workflows.errors import TemporaryFailure

# Passes that fall together ask within this time.
GATHERING_SECONDS = 0.01
# The query has no other bound that a database which vanished without a word would keep to. Shorter
# than any pass may take: a look for which nobody waits any more would hold its connection for ever,
# and soon all of them. Longer than the pool, which says better what is wrong, lets one wait.
LOOK_SECONDS = 15.0


class Looks:
    """Those who ask within a moment share one look: while nothing happens, it is all that the
    database hears of them."""

    def __init__(
        self, find: Callable[[], Awaitable[Due]], look_seconds: float = LOOK_SECONDS
    ) -> None:
        self._find = find
        self._look_seconds = look_seconds
        self._next: asyncio.Task[Due] | None = None
        self._looking: set[asyncio.Task[Due]] = set()

    async def look(self) -> Due:
        """What is due, as it is after this was called.

        Raises ``TemporaryFailure`` when the database cannot be reached, or does not answer.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._gather(), name="look")
            self._looking.add(self._next)
            self._next.add_done_callback(self._forget)
        return await asyncio.shield(self._next)  # The others are not to lose it with one of them.

    async def close(self) -> None:
        """Whatever looks run into meanwhile: what is closed next must be, too."""
        for look in self._looking:
            look.cancel()
        if self._looking:
            await asyncio.wait(self._looking)

    def _forget(self, look: asyncio.Task[Due]) -> None:
        self._looking.discard(look)
        if not look.cancelled():
            look.exception()  # Taken, or it is logged as lost where nobody waits for it any more.

    async def _gather(self) -> Due:
        await asyncio.sleep(GATHERING_SECONDS)
        self._next = None  # Who asks from now on may know of something newer.
        try:
            async with asyncio.timeout(self._look_seconds):
                return await self._find()
        except TimeoutError as error:
            reason = f"no answer within {self._look_seconds:g} s"
            raise TemporaryFailure(service="PostgreSQL", reason=reason) from error
