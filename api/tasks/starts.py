"""The starts of workflows: bounded in number, the most urgent first, at the pace Temporal bears."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from typing import Any

from workflows.backoff import Backoff
from workflows.errors import RunNotEnded, TemporaryFailure

FIRST_LIMIT = 8
MOST_AT_ONCE = 32
# A start that takes longer says that there are too many at once, though it succeeds.
SLOW_SECONDS = 1.0
# Between starts while not even one at a time succeeds.
_AWAY = Backoff(first_seconds=0.25, longest_seconds=2.0)
# Those beyond are in the database, and found there by the sweeper.
MOST_WAITING = 10_000

Start = Callable[[], Awaitable[Any]]


class Pace:
    """How many at once: one more for each round that went well, half as many after a failure.

    So a Temporal that is slow gets fewer calls and is not taken for one that is away.
    """

    def __init__(self) -> None:
        self.limit = float(FIRST_LIMIT)
        self._slowed_at = 0.0

    def quicken(self) -> None:
        self.limit = min(self.limit + 1 / self.limit, MOST_AT_ONCE)

    def slow_down(self, started_at: float) -> None:
        """Once for all that were under way together."""
        if started_at >= self._slowed_at:
            self.limit, self._slowed_at = max(self.limit / 2, 1.0), time.monotonic()


@dataclass(order=True, slots=True)
class _Due:
    urgency: int
    number: int
    key: object = field(compare=False)
    start: Start = field(compare=False)
    started: asyncio.Future[Any] = field(compare=False)


class Starts:
    """Those of this process. They go on when whoever waits for one has gone."""

    def __init__(self) -> None:
        self._pace = Pace()
        self._due: list[_Due] = []
        self._known: dict[object, asyncio.Future[Any]] = {}
        self._running: set[asyncio.Future[Any]] = set()
        self._number = 0
        self._pauses: Iterator[float] | None = None  # while none succeeds
        self._pausing: asyncio.TimerHandle | None = None

    @property
    def has_room(self) -> bool:
        """Whether a start that is added now begins at once."""
        return not self._due and self._may_begin

    def add(self, key: object, priority: int, start: Start) -> asyncio.Future[Any]:
        """Have ``start`` made in its turn, unless one of the same ``key`` is due or under way.

        The higher the priority, the sooner. The future has its result or error, and cancelling it
        does nothing else. A full queue raises ``TemporaryFailure``.
        """
        if (known := self._known.get(key)) is not None:
            return known
        if len(self._due) >= MOST_WAITING:
            raise TemporaryFailure(service="Temporal", reason="too many tasks wait to be started")
        started: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._number += 1
        self._known[key] = started
        heappush(self._due, _Due(-priority, self._number, key, start, started))
        self._begin_due()
        return started

    async def close(self) -> None:
        """Stop those under way; the database knows of all."""
        for due in self._due:
            due.started.cancel()
        self._due.clear()
        if self._pausing is not None:
            self._pausing.cancel()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    @property
    def _may_begin(self) -> bool:
        return self._pausing is None and len(self._running) < int(self._pace.limit)

    def _begin_due(self) -> None:
        while self._due and self._may_begin:
            due = heappop(self._due)
            task = asyncio.ensure_future(due.start())
            self._running.add(task)
            task.add_done_callback(partial(self._end, due, time.monotonic()))

    def _end(self, due: _Due, began_at: float, task: asyncio.Future[Any]) -> None:
        self._running.discard(task)
        del self._known[due.key]
        error = None if task.cancelled() else task.exception()
        if error is None:
            self._note_success(began_at)
        elif isinstance(error, TemporaryFailure) and not isinstance(error, RunNotEnded):
            self._note_failure(began_at)
        if not due.started.done():
            _hand_on(task, due.started)
        self._begin_due()

    def _note_success(self, began_at: float) -> None:
        self._pauses = None
        if time.monotonic() - began_at > SLOW_SECONDS:
            self._pace.slow_down(began_at)
        else:
            self._pace.quicken()

    def _note_failure(self, began_at: float) -> None:
        if self._pace.limit > 1:
            self._pace.slow_down(began_at)
        elif self._pausing is None:
            self._pauses = self._pauses or _AWAY.pauses(random.uniform)
            loop = asyncio.get_running_loop()
            self._pausing = loop.call_later(next(self._pauses), self._go_on)

    def _go_on(self) -> None:
        self._pausing = None
        self._begin_due()


def _hand_on(ended: asyncio.Future[Any], started: asyncio.Future[Any]) -> None:
    if ended.cancelled():
        started.cancel()
    elif (error := ended.exception()) is not None:
        started.set_exception(error)
        started.exception()  # One that nobody waits for was logged by the start itself.
    else:
        started.set_result(ended.result())
