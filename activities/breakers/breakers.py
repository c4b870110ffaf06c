"""The breakers of a worker: counted here, shared with all others by rows.

Only changes of state are written. A call past a closed breaker costs no statement.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import structlog

from activities.breakers.breaker import (
    Breaker,
    Election,
    Leave,
    Outcome,
    Refusal,
    Shared,
    Trip,
    why_tripped,
)
from activities.breakers.errors import BreakerOpen
from activities.breakers.judgement import Culprit, outcome_of
from activities.breakers.options import BreakerOptions
from activities.patience import patiently
from activities.store import breakers as store
from activities.store.breakers import BreakerKey, Growth, Opening, StoredBreaker
from activities.store.database import Database
from activities.store.listener import Listener
from workflows.errors import AgentOSError, TemporaryFailure
from workflows.states import BreakerState

# A call that tries is lost with its worker once it has not said for so long that it lives.
LEASE_SECONDS = 15.0
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


@dataclass(frozen=True, slots=True)
class Watched:
    """A breaker that a call passes, and what must have failed for the call to count there."""

    name: str
    culprit: Culprit


def of_tool(name: str) -> Watched:
    return Watched(f"tool:{name}", Culprit.TOOL)


def of_server(name: str) -> Watched:
    return Watched(f"mcp:{name}", Culprit.SERVER)


def of_model(name: str) -> Watched:
    return Watched(f"model:{name}", Culprit.MODEL)


@dataclass(slots=True)
class _Known:
    """``writing`` are changes of ours that the database has not answered yet; what was read before
    ``told_at`` may be older than its last answer."""

    key: BreakerKey
    breaker: Breaker
    writing: int = 0
    told_at: float = 0.0

    def learn(self, stored: StoredBreaker) -> None:
        self.breaker.learn(Shared(stored.state, stored.seconds, why(stored)))


@dataclass(slots=True)
class _Passed:
    """The leave of a call at one breaker; as its ``prober``, if it is the one that tries."""

    known: _Known
    culprit: Culprit
    leave: Leave
    prober: str | None = None
    renewing: asyncio.Task[None] | None = field(default=None, repr=False)


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
        self._known: dict[BreakerKey, _Known] = {}
        self._changes: set[asyncio.Task[None]] = set()
        self._word = asyncio.Event()

    def guard(self, team_id: UUID, *watched: Watched) -> "Guard":
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

    def known(self, key: BreakerKey) -> _Known:
        if (known := self._known.get(key)) is None:
            if len(self._known) >= MAX_KNOWN:
                self._make_room()
            known = _Known(key, Breaker(self._options, self._clock))
            self._known[key] = known
        return known

    async def elect(self, known: _Known) -> str | None:
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

    async def renew(self, known: _Known, prober: str) -> None:
        """Keep the leave to try while the call runs."""
        while True:
            await asyncio.sleep(LEASE_SECONDS / _RENEWALS)
            with suppress(TemporaryFailure):
                if not await store.renew(self._database, known.key, prober, LEASE_SECONDS):
                    return

    def share(self, known: _Known, trip: Trip, error: AgentOSError | None) -> None:
        """Let all know that it has opened here."""
        code = error.code if error is not None else ""
        reason = why_tripped(trip, code)
        log.warning("breaker.opened", breaker=known.key.name, reason=reason)

        async def write() -> StoredBreaker | None:
            opening = Opening(trip.failures, trip.calls, reason, trip.age_seconds)
            opened = await store.trip(self._database, known.key, opening, self._growth())
            return opened or await store.find(self._database, known.key)

        self._write(known, write)

    def settle(self, passed: _Passed, outcome: Outcome, error: BaseException | None) -> None:
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

    def _write(self, known: _Known, write: Callable[[], Awaitable[StoredBreaker | None]]) -> None:
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


class Guard:
    """Of one call."""

    __slots__ = ("_all", "_passed", "_team_id", "_watched")

    def __init__(self, all_: Breakers, team_id: UUID, watched: Iterable[Watched]) -> None:
        self._all = all_
        self._team_id = team_id
        self._watched = watched
        self._passed: list[_Passed] = []

    async def __aenter__(self) -> None:
        """Raises ``BreakerOpen``."""
        passing = [(self._all.known(BreakerKey(self._team_id, w.name)), w) for w in self._watched]
        if all(known.breaker.is_closed for known, _ in passing):  # as a rule, so it must be quick
            for known, watched in passing:
                self._passed.append(_Passed(known, watched.culprit, known.breaker.leave()))
            return
        for known, _ in passing:  # Before any of them holds an election, which would be in vain.
            if (refusal := known.breaker.refusal) is not None:
                raise _refused(known, refusal)
        try:
            for known, watched in passing:
                self._passed.append(await self._pass(known, watched))
        except BaseException as error:
            self._end(error)
            raise

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._end(error)

    async def _pass(self, known: _Known, watched: Watched) -> _Passed:
        leave = known.breaker.admit()
        if isinstance(leave, Leave):
            return _Passed(known, watched.culprit, leave)
        if isinstance(leave, Election):
            try:
                prober = await self._all.elect(known)
            finally:
                known.breaker.lost()
            if prober is not None:
                leave = known.breaker.won(LEASE_SECONDS)
                renewing = asyncio.create_task(self._all.renew(known, prober))
                return _Passed(known, watched.culprit, leave, prober, renewing)
            if known.breaker.is_closed:  # since a moment
                return await self._pass(known, watched)
            leave = known.breaker.refusal or known.breaker.is_probed_elsewhere
        raise _refused(known, leave)

    def _end(self, error: BaseException | None) -> None:
        for passed in self._passed:
            outcome = outcome_of(error, passed.culprit)
            if passed.renewing is not None:
                passed.renewing.cancel()
            if passed.prober is not None:
                self._all.settle(passed, outcome, error)
            elif trip := passed.known.breaker.ended(passed.leave, outcome):
                told = error if isinstance(error, AgentOSError) else None
                self._all.share(passed.known, trip, told)


def why(stored: StoredBreaker) -> str:
    """Why it is open, as a part of a sentence. The words are ours, and those of who opened it."""
    if stored.decided_by is None:
        return stored.reason
    note = f" ({stored.note})" if stored.note else ""
    return f"it was opened by hand{note}"


def _refused(known: _Known, refusal: Refusal) -> BreakerOpen:
    return BreakerOpen(name=known.key.name, why=refusal.why, seconds=refusal.seconds)
