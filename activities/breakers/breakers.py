"""The breakers of a worker: counted here, shared with all others by rows.

Only changes of state are written. A call past a closed breaker costs no statement.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from uuid import UUID, uuid4

import structlog

from activities.breakers.breaker import Breaker, Outcome, Shared, Trip, why_tripped
from activities.breakers.guard import LEASE_SECONDS, Guard, Passed
from activities.breakers.known import Known
from activities.breakers.options import BreakerOptions
from activities.breakers.watched import Watched
from activities.patience import patiently
from activities.store import breakers as store
from activities.store.breakers import BreakerKey, Growth, Opening, StoredBreaker
from activities.store.database import Database
from activities.store.listener import Listener
from workflows.errors import AgentOSError, TemporaryFailure
from workflows.states import BreakerState

_RENEWALS = 3  # within a lease

# Where the word of a change is lost, it is read.
REREAD_SECONDS = 5.0
# However many change at once, they are not read more often.
_REST_SECONDS = 0.05
_JITTER = (1.0, 1.2)
_PATIENCE_SECONDS = 60.0
_UNKNOWN_SECONDS = 1.0  # until somebody may ask again, while the database is away

MAX_KNOWN = 10_000

log = structlog.get_logger(__name__)


class Breakers:
    """``run`` follows what other workers say, for the life of the process."""

    def __init__(
        self,
        database: Database,
        options: BreakerOptions | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._database = database
        self._options = options or BreakerOptions()
        self._clock = clock
        self._uniform = uniform
        self._known: dict[BreakerKey, Known] = {}
        self._changes: set[asyncio.Task[None]] = set()
        self._word = asyncio.Event()

    def guard(self, team_id: UUID, *watched: Watched) -> Guard:
        """``async with guard(...)`` a call: raises ``BreakerOpen`` where it may not be made, and
        counts how it ends."""
        return Guard(self, team_id, watched)

    async def run(self) -> None:
        """Listen until cancelled."""
        listener = Listener(
            self._database.url,
            store.CHANNEL,
            on_word=lambda _: self._word.set(),
            on_connected=self._word.set,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(listener.run())
            group.create_task(self._follow())

    async def close(self) -> None:
        """Wait a moment for what is being written."""
        if self._changes:
            await asyncio.wait(self._changes, timeout=2.0)
        for change in self._changes:
            change.cancel()

    async def refresh(self) -> None:
        """Read what is open now. Raises ``TemporaryFailure``."""
        asked_at = self._clock()
        rows = {row.key: row for row in await store.read_open(self._database)}
        for key, row in rows.items():
            known = self.known(key)
            if not known.writing and known.told_at < asked_at:
                known.learn(row)
        for key, known in list(self._known.items()):
            is_news = not known.breaker.is_closed and not known.writing
            if key not in rows and is_news and known.told_at < asked_at:
                known.breaker.learn(Shared(BreakerState.CLOSED))

    def known(self, key: BreakerKey) -> Known:
        if (known := self._known.get(key)) is None:
            if len(self._known) >= MAX_KNOWN:
                self._make_room()
            known = Known(key, Breaker(self._options, self._clock))
            self._known[key] = known
        return known

    async def elect(self, known: Known) -> str | None:
        """The name of this call as the one that tries; None where it is not."""
        prober = uuid4().hex
        try:
            won = await store.elect(self._database, known.key, prober, LEASE_SECONDS)
            if won is not None:
                return prober
            stored = await store.find(self._database, known.key)
        except TemporaryFailure:
            known.breaker.learn(Shared(BreakerState.OPEN, _UNKNOWN_SECONDS, known.breaker.why))
            return None
        known.told_at = self._clock()
        if stored is None:
            known.breaker.learn(Shared(BreakerState.CLOSED))
        else:
            known.learn(stored)
        return None

    async def renew(self, known: Known, prober: str) -> None:
        """Keep the leave to try while the call runs."""
        while True:
            await asyncio.sleep(LEASE_SECONDS / _RENEWALS)
            with suppress(TemporaryFailure):
                if not await store.renew(self._database, known.key, prober, LEASE_SECONDS):
                    return

    def share(self, known: Known, trip: Trip, error: AgentOSError | None) -> None:
        """Let all know that it has opened here."""
        code = error.code if error is not None else ""
        reason = why_tripped(trip, code)
        log.warning("breaker.opened", breaker=known.key.name, reason=reason)

        async def write() -> StoredBreaker | None:
            opening = Opening(trip.failures, trip.calls, reason, trip.age_seconds)
            opened = await store.trip(self._database, known.key, opening, self._growth())
            return opened or await store.find(self._database, known.key)

        self._write(known, write)

    def settle(self, passed: Passed, outcome: Outcome, error: BaseException | None) -> None:
        """Say what came of the call that tried."""
        known, prober = passed.known, passed.prober or ""
        log.info("breaker.tried", breaker=known.key.name, outcome=outcome.value)

        async def write() -> StoredBreaker | None:
            match outcome:
                case Outcome.SOUND:
                    settled = await store.close(self._database, known.key, prober)
                case Outcome.FAILED:
                    code = error.code if isinstance(error, AgentOSError) else "error"
                    reason = f"the last try failed with {code}"
                    settled = await store.reopen(
                        self._database, known.key, prober, reason, self._growth()
                    )
                case Outcome.UNKNOWN:
                    settled = await store.release(self._database, known.key, prober)
            return settled or await store.find(self._database, known.key)

        self._write(known, write)

    def _growth(self) -> Growth:
        options = self._options
        return Growth(options.open_seconds, options.longest_seconds, self._uniform(*_JITTER))

    def _write(self, known: Known, write: Callable[[], Awaitable[StoredBreaker | None]]) -> None:
        """Beside the call, which need not wait for it."""

        async def change() -> None:
            try:
                stored = await patiently(write, patience_seconds=_PATIENCE_SECONDS)
            except TemporaryFailure as failure:
                log.warning("breaker.not_shared", breaker=known.key.name, reason=str(failure))
                return
            finally:
                known.writing -= 1
            known.told_at = self._clock()
            if stored is not None:
                known.learn(stored)

        known.writing += 1
        self._keep(change())

    def _keep(self, change: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(change)
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)

    async def _follow(self) -> None:
        while True:
            # Not `wait_for`: in Python 3.11 it forgets a cancellation that comes with the word.
            with suppress(TimeoutError):
                async with asyncio.timeout(REREAD_SECONDS):
                    await self._word.wait()
            self._word.clear()
            try:
                await self.refresh()
            # Supervises for the life of the process: whatever a reading ran into, another is due.
            except Exception as error:
                is_known = isinstance(error, TemporaryFailure)
                log.warning("breakers.unread", reason=str(error), exc_info=not is_known)
            await asyncio.sleep(_REST_SECONDS)

    def _make_room(self) -> None:
        """Forget those that are as new; if there are none, the oldest of all."""
        resting = [key for key, each in self._known.items() if each.breaker.is_at_rest]
        for key in resting or [next(iter(self._known))]:
            del self._known[key]
