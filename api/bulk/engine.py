"""The work of bulk runs: letter by letter, at the rate of each, pass after pass.

Any number of APIs may do it: one at a time has the lease of a run. A letter is dealt with first and
that is written down then, so a process that dies in between leaves a letter that is dealt with once
more. That changes nothing: a requeue is known by its bulk run (see ``letters.requeue``).
"""

import time
from uuid import UUID

import structlog
from pydantic import ValidationError

from activities.store import bulk
from activities.store.bulk import ClaimedRun, Dealt, OpenItem
from activities.store.reading.bulk import count_items
from api.bulk.canary import End, Go, Wait, next_move
from api.dead_letters import letters
from api.dead_letters.errors import LetterConflict
from api.errors import InvalidRequest, NotFound, StateConflict
from api.passes import Passes
from api.services import Services
from api.wire.requests import RequeueRequest
from workflows.errors.services import DatabaseNewer
from workflows.states import BulkAction, ItemState

# Longer than one letter takes. After a crash, so long nobody goes on with the run.
LEASE_SECONDS = 15.0
PASS_TIMEOUT_SECONDS = 30.0
# A pass that has worked for so long leaves the rest to the next.
_WORK_SECONDS = 10.0
# Then the next run has its turn.
_LETTERS_A_TURN = 20
_REASON_CHARACTERS = 1_000
_SETTLED_A_PASS = 1_000
# Of a letter that is done with as soon as it is requeued, for no task runs that could be awaited.
_ENABLED = "webhook-enabled"

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
        for _ in range(_LETTERS_A_TURN):
            if isinstance(move, End):
                await bulk.end_run(self._database, run.id, move.state, move.reason)
                log.info("bulk.ended", bulk_id=str(run.id), state=move.state, reason=move.reason)
                return True
            item = await bulk.next_item(self._database, run.id)
            if isinstance(move, Wait) or item is None:
                await self._wait(run)
                return False
            dealt = await self._deal(run, item)
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

    async def _deal(self, run: ClaimedRun, item: OpenItem) -> Dealt:
        try:
            if run.action is BulkAction.DISCARD:
                await letters.discard(
                    self._services, run.actor, item.letter_id, run.note, bulk_id=run.id
                )
                return Dealt(ItemState.DISCARDED)
            request = RequeueRequest.model_validate(run.request)
            await letters.requeue(
                self._services, run.actor, item.letter_id, request, bulk_id=run.id
            )
        except (NotFound, LetterConflict, StateConflict, InvalidRequest) as refused:
            return Dealt(ItemState.SKIPPED, refused.code, str(refused)[:_REASON_CHARACTERS])
        except (DatabaseNewer, ValidationError) as error:
            # Another version wrote it, and can read it. The letters behind it must not wait.
            log.error("bulk.unreadable", task_id=str(item.task_id), error=type(error).__name__)
            return Dealt(ItemState.SKIPPED, "unreadable", "This version cannot read the task.")
        if item.webhook_id is not None:
            return Dealt(ItemState.COMPLETED, _ENABLED, "The webhook was switched on again.")
        log.info("bulk.requeued", task_id=str(item.task_id), bulk_id=str(run.id))
        return Dealt(ItemState.REQUEUED)
