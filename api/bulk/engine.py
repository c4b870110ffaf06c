"""The work of bulk runs: item by item, at the rate of each, pass after pass.

Any number of APIs may do it: one at a time has the lease of a run.
"""

import time
from uuid import UUID

import structlog

from activities.store import bulk
from activities.store.bulk import ClaimedRun
from activities.store.reading.bulk import count_items
from api.bulk.canary import End, Go, Wait, next_move
from api.bulk.dealing import deal
from api.passes import Passes
from api.services import Services

# Longer than one letter or task takes. After a crash, so long nobody goes on with the run.
LEASE_SECONDS = 15.0
PASS_TIMEOUT_SECONDS = 30.0
# A pass that has worked for so long leaves the rest to the next.
_WORK_SECONDS = 10.0
# Then the next run has its turn.
_ITEMS_A_TURN = 20
_SETTLED_A_PASS = 1_000

log = structlog.get_logger(__name__)


class BulkEngine:
    def __init__(self, services: Services, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._services = services
        self._database = services.database
        self._interval_seconds = services.options.bulk_interval_seconds
        self._lease_seconds = lease_seconds

    @property
    def passes(self) -> Passes:
        return Passes("bulk", self.make, self._interval_seconds, PASS_TIMEOUT_SECONDS)

    async def make(self) -> None:
        """One pass over all runs that are due.

        Raises:
            TemporaryFailure: a service cannot be reached; what is left waits.
        """
        if not (await self._services.looks.look()).bulk:
            return
        until = time.monotonic() + _WORK_SECONDS
        await bulk.settle_items(self._database, _SETTLED_A_PASS)
        waiting = set[UUID]()
        while time.monotonic() < until:
            run = await bulk.claim_run(self._database, self._lease_seconds)
            if run is None:
                return
            if run.id in waiting:
                # Only the next pass, which settles first, finds out what it waits for.
                await self._wait(run)
                return
            if not await self._work_on(run):
                waiting.add(run.id)

    async def _work_on(self, run: ClaimedRun) -> bool:
        """Whether there was anything to do but to wait."""
        move = await self._next_move(run)
        for _ in range(_ITEMS_A_TURN):
            if isinstance(move, End):
                await bulk.end_run(self._database, run.id, move.state, move.reason)
                log.info("bulk.ended", bulk_id=str(run.id), state=move.state, reason=move.reason)
                return True
            item = await bulk.next_item(self._database, run.id)
            if isinstance(move, Wait) or item is None:
                await self._wait(run)
                return False
            dealt = await deal(self._services, run, item)
            if not await bulk.note_dealt(self._database, run, item, dealt, self._lease_seconds):
                break
            if not move.is_free:
                move = await self._next_move(run)
        await bulk.release_run(self._database, run.id)
        return True

    async def _wait(self, run: ClaimedRun) -> None:
        wait_seconds = self._interval_seconds
        await bulk.release_run(self._database, run.id, wait_seconds=wait_seconds)

    async def _next_move(self, run: ClaimedRun) -> Go | Wait | End:
        return next_move(await count_items(self._database, run.id), run.canary)
