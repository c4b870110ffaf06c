"""The cache of results: of two equal steps at once, one runs, and the other takes what it gave.

Who makes a result has claimed it in PostgreSQL and renews the claim while it works; it lapses with
its worker. Who waits holds no connection, but looks again and again.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog

from activities.patience import patiently
from activities.store import result_cache as store
from activities.store.attempts import StoredFile
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.result_cache import Result, Wanted
from workflows.backoff import Backoff
from workflows.errors import TemporaryFailure

# As long as Temporal takes to notice that a worker is gone.
CLAIM_SECONDS = 10.0
# Half of what a step may take beside its own time: after that it runs without a claim.
MAX_WAIT_SECONDS = 30 * 60.0
RELEASE_SECONDS = 0.4  # of the second in which a cancelled step must be gone
PARALLEL_LOOKS = 16

# What is larger is not kept: rows must stay small, and each hit looks for every file.
MAX_PRINTED_CHARACTERS = 1024 * 1024
MAX_FILES = 1_000

_WAITING = Backoff(first_seconds=0.05, longest_seconds=0.5)

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Place:
    """Where a result belongs: ``result`` is there, or is to be given to ``keep``."""

    result: Result | None = None
    made: Result | None = None

    def keep(self, result: Result) -> None:
        """Have a result kept, unless it is too large."""
        printed = len(result.stdout) + len(result.stderr)
        if printed <= MAX_PRINTED_CHARACTERS and len(result.files) <= MAX_FILES:
            self.made = result


class ResultCache:
    """Shared by all workers on a database. A claim lapses ``claim_seconds`` after it was last
    renewed."""

    def __init__(
        self, database: Database, blobs: Blobs, *, claim_seconds: float = CLAIM_SECONDS
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._claim_seconds = claim_seconds

    @asynccontextmanager
    async def place(self, wanted: Wanted) -> AsyncIterator[Place]:
        """A result that is there, or the place for one that the block makes. It waits while another
        makes it. What the block does not give to ``keep``, or fails to make, is left to the next.
        """
        place = Place(await self._claim(wanted))
        if place.result is not None:
            yield place
            return
        try:
            async with self._renewing(wanted):
                yield place
                if place.made is not None:
                    made = place.made
                    await patiently(lambda: store.keep(self._database, wanted, made))
        except BaseException:
            await self._release(wanted)
            raise
        if place.made is None:
            await self._release(wanted)

    async def _claim(self, wanted: Wanted) -> Result | None:
        """The result, or None: it is to be made now."""
        clock = asyncio.get_running_loop().time
        deadline, pauses = clock() + MAX_WAIT_SECONDS, _WAITING.pauses(random.uniform)
        while clock() < deadline:
            found = await patiently(
                lambda: store.claim(self._database, wanted, self._claim_seconds)
            )
            if found is None:
                await asyncio.sleep(next(pauses))
                continue
            if found.result is None or await self._is_whole(wanted.team_id, found.result):
                return found.result
            log.info("result.lost", key=wanted.key)
            await patiently(partial(store.drop, self._database, found))
        return None

    async def _is_whole(self, team_id: UUID, result: Result) -> bool:
        """Whether the bytes of all its files are there still."""
        free = asyncio.Semaphore(PARALLEL_LOOKS)

        async def is_there(file: StoredFile) -> bool:
            async with free:
                size = await patiently(lambda: self._blobs.size_of(team_id, file.sha256))
            return size == file.size

        return all(await asyncio.gather(*map(is_there, result.files)))

    @asynccontextmanager
    async def _renewing(self, wanted: Wanted) -> AsyncIterator[None]:
        renewing = asyncio.create_task(self._renew(wanted))
        try:
            yield
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing

    async def _renew(self, wanted: Wanted) -> None:
        while True:
            await asyncio.sleep(self._claim_seconds / 3)
            try:
                await store.renew(self._database, wanted, self._claim_seconds)
            except TemporaryFailure as failure:
                # At worst another makes the same result: that costs time, and harms nobody.
                log.warning("result.claim_not_renewed", reason=str(failure))

    async def _release(self, wanted: Wanted) -> None:
        with suppress(TemporaryFailure, TimeoutError):  # It lapses by itself.
            await asyncio.wait_for(store.release(self._database, wanted), RELEASE_SECONDS)
