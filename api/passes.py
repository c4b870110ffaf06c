"""Work that the API does beside its answers, pass after pass, for the life of the process."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import structlog

from workflows.backoff import Backoff
from workflows.errors import TemporaryFailure

# What is parked waits for it when a service is back.
LONGEST_PAUSE_SECONDS = 5.0
# While passes fail that are made without a pause.
LEAST_PAUSE_SECONDS = 0.1

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Passes:
    """``make`` is one pass. It is made every ``interval_seconds``, may take ``timeout_seconds``,
    and whatever it runs into, the next one is due, after a longer pause as long as they fail. Log
    lines begin with ``name``.

    Passes ``rest`` where something is to gather between them: for the whole interval, from the end
    of one to the next. All others keep to their times, however long one has taken.
    """

    name: str
    make: Callable[[], Awaitable[None]]
    interval_seconds: float
    timeout_seconds: float
    rest: bool = False

    async def run(self, begun: float | None = None) -> None:
        """Make passes until cancelled. Those of several that have ``begun`` together fall together
        wherever they can, so that they share a look (``Looks``)."""
        begun = time.monotonic() if begun is None else begun
        longest_seconds = max(self.interval_seconds, LONGEST_PAUSE_SECONDS)
        first_seconds = max(2 * self.interval_seconds, LEAST_PAUSE_SECONDS)
        backoff = Backoff(first_seconds, longest_seconds)
        pause_seconds = self._until_next(begun)
        pauses: Iterator[float] | None = None  # while passes fail
        while True:
            await asyncio.sleep(pause_seconds)
            try:
                async with asyncio.timeout(self.timeout_seconds):
                    await self.make()
            # Supervises for the life of the process: whatever a pass ran into, the next one is due.
            except Exception as error:
                if pauses is None:
                    pauses = backoff.pauses(random.uniform)
                    is_known = isinstance(error, (TemporaryFailure, TimeoutError))
                    log.warning(f"{self.name}.failing", reason=str(error), exc_info=not is_known)
                pause_seconds = next(pauses)
            else:
                if pauses is not None:
                    log.info(f"{self.name}.recovered")
                pauses, pause_seconds = None, self._until_next(begun)

    def _until_next(self, begun: float) -> float:
        if self.rest or not self.interval_seconds:
            return self.interval_seconds
        return until_next(begun, self.interval_seconds)


def until_next(begun: float, interval_seconds: float) -> float:
    """How long to wait for the next of the times that lie whole intervals from ``begun``."""
    return interval_seconds - (time.monotonic() - begun) % interval_seconds
