"""The connections of a process to one PostgreSQL.

They are SQLAlchemy's, in a pool. A single statement goes to the driver itself, and to take a
connection out of the pool for it, and to put it back, would cost more than the driver does. So one
that has served stays out of the pool, on a shelf, for the next: the newest is taken first.

While some are in use, the next statement rather waits a moment for one of them than opens another:
each makes plans of its own, and more than a few only share the processors of the database. Where it
is slow, or many wait for a lock, a moment is all that this costs.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from math import inf
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from activities.store.engines import IDLE_SINCE, LONGEST_IDLE_SECONDS, engine_of

_FEW = 8
_MOMENT_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class PoolUse:
    """``overflow`` are those beyond the size of the pool, ``most`` how many there may be with them.
    ``waiting`` wait for one, and ``waits`` is how often none was free."""

    in_use: int
    idle: int
    overflow: int = 0
    most: int = 0
    waiting: int = 0
    waits: int = 0


@dataclass(slots=True, eq=False)
class _Taken:
    """One that is out of the pool: in use, or on the shelf since it was ``used``."""

    pooled: PoolProxiedConnection
    driver: Any
    used: float = 0.0


class Connections:
    """``pool_size`` of them and ``max_overflow`` more, of which the pool keeps ``pool_size`` when
    they are idle, and the shelf a few.

    One that was idle for ``ask_after_seconds`` is asked whether it is alive; with None, none is.
    One that was idle for ``longest_idle_seconds`` is given up. ``moment_seconds`` is how long a
    statement waits for one of the few at work before it opens another.
    """

    def __init__(
        self,
        url: str,
        pool_size: int,
        max_overflow: int,
        *,
        ask_after_seconds: float | None,
        longest_idle_seconds: float = LONGEST_IDLE_SECONDS,
        moment_seconds: float = _MOMENT_SECONDS,
    ) -> None:
        self._most = pool_size + max_overflow
        self._room = min(pool_size, _FEW)
        self._moment_seconds = moment_seconds
        ages = (inf if ask_after_seconds is None else ask_after_seconds, longest_idle_seconds)
        self.engine = engine_of(url, pool_size, max_overflow, *ages)
        self.autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._fresh_seconds = min(ages)
        self._shelf: asyncio.LifoQueue[_Taken] = asyncio.LifoQueue()
        self._at_work = 0  # for single statements
        self._waiting = self._waits = 0

    @asynccontextmanager
    async def driver(self) -> AsyncIterator[Any]:
        """An ``asyncpg.Connection``, in no transaction."""
        taken = await self._take()
        try:
            yield taken.driver
        except asyncio.CancelledError:
            # The next user would wait until the statement has ended. This waits for 2 s at most.
            await greenlet_spawn(taken.pooled.invalidate)
            raise
        finally:
            await self._put_back(taken)

    @asynccontextmanager
    async def lent(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """One for SQLAlchemy, by ``engine`` or ``autocommit``."""
        if not self._has_free and not self._shelf.empty():
            await self._into_pool(self._shelf.get_nowait())
        async with AsyncExitStack() as stack:
            with self._waiting_if_none_is_free():
                connection = await stack.enter_async_context(engine.connect())
            yield connection

    async def _take(self) -> _Taken:
        self._at_work += 1  # Before it connects: many come at once.
        try:
            while taken := await self._from_shelf():
                if self._is_fresh(taken):
                    return taken
                # What is below it lies there for longer. The pool looks whether they are alive.
                await self._into_pool(taken)
            return await self._from_pool()
        except BaseException:
            self._at_work -= 1
            raise

    async def _from_shelf(self) -> _Taken | None:
        if self._shelf.empty() and self._at_work > _FEW:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._moment_seconds):
                    return await self._shelf.get()
        # Also what came as the moment ended: with all on the shelf, the pool would have none.
        return None if self._shelf.empty() else self._shelf.get_nowait()

    async def _from_pool(self) -> _Taken:
        with self._waiting_if_none_is_free():
            pooled = await self.engine.raw_connection()
        return _Taken(pooled, pooled.driver_connection)

    def _is_fresh(self, taken: _Taken) -> bool:
        idle = time.monotonic() - taken.used
        return idle <= self._fresh_seconds and not taken.driver.is_closed()

    async def _put_back(self, taken: _Taken) -> None:
        """Into the pool if anybody waits there, for nobody who does looks at the shelf again."""
        self._at_work -= 1
        taken.used = time.monotonic()
        if taken.pooled.is_valid and not self._waiting and self._shelf.qsize() < self._room:
            self._shelf.put_nowait(taken)
        else:
            await self._into_pool(taken)

    async def _into_pool(self, taken: _Taken) -> None:
        info = taken.pooled.info
        await greenlet_spawn(taken.pooled.close)
        info[IDLE_SINCE] = taken.used

    @property
    def _pool(self) -> AsyncAdaptedQueuePool:
        pool = self.engine.pool
        assert isinstance(pool, AsyncAdaptedQueuePool)
        return pool

    @property
    def _has_free(self) -> bool:
        return self._pool.checkedout() < self._most

    @contextmanager
    def _waiting_if_none_is_free(self) -> Iterator[None]:
        """Counts whoever comes while all connections are in use."""
        if self._has_free:
            yield
            return
        self._waiting, self._waits = self._waiting + 1, self._waits + 1
        try:
            yield
        finally:
            self._waiting -= 1

    def use(self) -> PoolUse:
        """How many connections are in use, and how many wait for one."""
        return PoolUse(
            in_use=self._pool.checkedout() - self._shelf.qsize(),
            idle=self._pool.checkedin() + self._shelf.qsize(),
            overflow=max(self._pool.overflow(), 0),
            most=self._most,
            waiting=self._waiting,
            waits=self._waits,
        )

    async def close(self) -> None:
        """Close all that are idle; those in use are not kept when they come back."""
        self._room = 0
        while not self._shelf.empty():
            await self._into_pool(self._shelf.get_nowait())
        await self.engine.dispose()
