"""All that an API tells: of its process, and of the database."""

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog

from activities.metrics.definitions import DATABASE_UP, EVENT_STREAMS, OF_PROCESSES, WORKERS
from activities.metrics.numbers import Numbers
from activities.metrics.process import ProcessNumbers
from api.metrics import stored
from api.metrics.families import Families
from api.services import Services
from workflows.errors import TemporaryFailure

# The database is not asked for every scrape of every scraper, and for a hundredth of the time at
# most.
KEPT_SECONDS = 10.0
KEPT_TIMES = 100

log = structlog.get_logger(__name__)


class Metrics:
    """Of one application over ``services``, which has what is counted elsewhere."""

    def __init__(
        self,
        services: Services,
        readers: Iterable[stored.Read] = stored.ALL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._services = services
        self._clock = clock
        self._readers = tuple(readers)
        self._own = Numbers(OF_PROCESSES)
        disk = services.disk
        disks = {} if disk is None else {"services": disk.folder}
        self.process = ProcessNumbers(self._own, services.database, services.mcp, disks)
        self._families = Families()
        self._reading = asyncio.Lock()
        self._due_at = 0.0
        # Apart: while Temporal is away, that takes long, and says nothing of the database.
        self._workers_due_at = 0.0

    async def text(self, *, streams: int) -> bytes:
        """What the database does not tell now is left out."""
        numbers = self._services.numbers
        async with self._reading:
            if self._clock() >= self._workers_due_at:
                numbers.set(WORKERS, await self._workers())
                self._workers_due_at = self._clock() + KEPT_SECONDS
            if self._clock() >= self._due_at:
                await self._read()
        numbers.set(EVENT_STREAMS, streams)
        told = (numbers, self._own, self._families)
        return b"".join([await each.text() for each in told])

    async def _read(self) -> None:
        numbers, started = self._services.numbers, self._clock()
        try:
            for read in self._readers:
                await read(self._services, self._families)
        except TemporaryFailure as error:
            log.warning("metrics.not_read", reason=str(error))
            numbers.set(DATABASE_UP, 0)
            self._families.clear()
            return
        numbers.set(DATABASE_UP, 1)
        took_seconds = self._clock() - started
        self._due_at = self._clock() + max(KEPT_SECONDS, KEPT_TIMES * took_seconds)

    async def _workers(self) -> int:
        try:
            return await self._services.temporal.count_workers()
        except TemporaryFailure:
            return 0
