"""Connections to PostgreSQL: one pool for writing, one for reading (a replica, if there is one)."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from math import inf
from typing import Any

import asyncpg
from sqlalchemy import Dialect, TextClause, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, EmulatedDBAPIException, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, Pool
from sqlalchemy.util import greenlet_spawn

from activities.store import migrations
from activities.store.database_url import engine_arguments
from activities.store.errors import database_errors, driver_error, first_line
from activities.store.options import DEFAULT_MAX_OVERFLOW, DEFAULT_POOL_SIZE
from activities.store.query import Reader
from workflows.errors.services import DatabaseOutdated, DatabaseRefused

POOL_TIMEOUT_SECONDS = 10.0
CONNECT_TIMEOUT_SECONDS = 5.0
STATEMENT_TIMEOUT_MS = 30_000
IDLE_SECONDS = 10.0

_IDLE_SINCE = "idle_since"


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


class Row(asyncpg.Record):  # type: ignore[misc]  # asyncpg tells no types
    """A row whose columns are attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Database:
    """Every use raises ``TemporaryFailure`` when PostgreSQL cannot be reached.

    ``ping`` asks a connection that was idle for a while before it is used, so that no request fails
    when the database has vanished. Who repeats what failed, as a worker does, can do without.
    """

    def __init__(
        self,
        url: str,
        *,
        read_url: str | None = None,
        pool_size: int = DEFAULT_POOL_SIZE,
        max_overflow: int = DEFAULT_MAX_OVERFLOW,
        ping: bool = True,
    ) -> None:
        self.url = url
        self._most = pool_size + max_overflow
        self._waiting = self._waits = 0
        self._primary = _engine(url, pool_size, max_overflow, ping=ping)
        self._autocommit = self._primary.execution_options(isolation_level="AUTOCOMMIT")
        self._replica = (
            _engine(read_url, pool_size, max_overflow, ping=ping) if read_url else self._primary
        )
        self._reads = self._replica.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction on the primary: committed at the end, rolled back on an error."""
        async with database_errors(), self._lent(self._primary) as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def reading(self, *, fresh: bool = False) -> AsyncIterator[AsyncConnection]:
        """A connection for queries, each of which sees what was committed when it began.

        ``fresh`` reads the primary: a replica may lag behind.
        """
        engine = self._autocommit if fresh else self._reads
        async with database_errors(), self._lent(engine) as connection:
            yield connection

    @asynccontextmanager
    async def at_once(self) -> AsyncIterator[AsyncConnection]:
        """A connection to the primary on which each statement is a transaction of its own, which
        spares two round trips: for what is looked for over and over, and seldom there."""
        async with self.reading(fresh=True) as connection:
            yield connection

    @asynccontextmanager
    async def reader(self, *, fresh: bool = False) -> AsyncIterator[Reader]:
        """As ``reading``, for a ``Query``: it is put to the driver itself."""
        engine = self._primary if fresh else self._replica
        async with database_errors(), self._driver(engine) as driver:
            yield Reader(driver, engine.dialect)

    async def execute(self, statement: TextClause, values: Mapping[str, Any]) -> Sequence[Row]:
        """One statement on the primary, in its own transaction: one round trip instead of three.

        It is given to the driver itself. What SQLAlchemy does around a statement takes half as long
        as PostgreSQL needs for it, and each step of a task waits for two.
        """
        sql, names = _compiled(statement, self._primary.dialect)
        async with database_errors(), self._driver() as driver:
            rows: Sequence[Row] = await driver.fetch(
                sql, *(values[name] for name in names), record_class=Row
            )
        return rows

    @asynccontextmanager
    async def _driver(self, engine: AsyncEngine | None = None) -> AsyncIterator[Any]:
        """An ``asyncpg.Connection`` from a pool, that of the primary, in no transaction."""
        engine = engine or self._primary
        with self._waiting_for(engine):
            pooled = await engine.raw_connection()
        try:
            yield pooled.driver_connection
        except asyncio.CancelledError:
            # The next user would wait until the statement has ended. This waits for 2 s at most.
            await greenlet_spawn(pooled.invalidate)
            raise
        finally:
            await greenlet_spawn(pooled.close)

    @asynccontextmanager
    async def _lent(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        async with AsyncExitStack() as stack:
            with self._waiting_for(engine):
                connection = await stack.enter_async_context(engine.connect())
            yield connection

    @contextmanager
    def _waiting_for(self, engine: AsyncEngine) -> Iterator[None]:
        """Counts whoever comes while all connections are in use."""
        if _free_in(engine.pool, self._most):
            yield
            return
        self._waiting, self._waits = self._waiting + 1, self._waits + 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def check(self) -> None:
        """Whether both databases answer and have the tables we need.

        Raises:
            TemporaryFailure: one cannot be reached, or has no tables yet.
            DatabaseRefused: one does not let us in.
        """
        try:
            is_current = await self.is_current()
            async with self.reading() as connection:
                await connection.execute(text("SELECT 1"))
        except (DBAPIError, EmulatedDBAPIException, asyncpg.PostgresError) as error:
            origin = driver_error(error)
            # While a stack starts, its server is there a moment before the database.
            if isinstance(origin, asyncpg.InvalidCatalogNameError):
                raise DatabaseOutdated from error
            raise DatabaseRefused(reason=first_line(origin)) from error
        if not is_current:
            raise DatabaseOutdated

    async def is_current(self) -> bool:
        """Whether no migration is missing. Those of a newer version of AgentOS may be there."""
        async with database_errors(), self._driver() as driver:
            return await migrations.are_applied(driver)

    def pool_use(self) -> PoolUse:
        """How many connections are lent out, and how many wait to be."""
        engines = {self._primary, self._replica}
        pools = [pool for e in engines if isinstance(pool := e.pool, AsyncAdaptedQueuePool)]
        return PoolUse(
            in_use=sum(pool.checkedout() for pool in pools),
            idle=sum(pool.checkedin() for pool in pools),
            overflow=sum(max(pool.overflow(), 0) for pool in pools),
            most=self._most * len(pools),
            waiting=self._waiting,
            waits=self._waits,
        )

    async def close(self) -> None:
        await self._primary.dispose()
        if self._replica is not self._primary:
            await self._replica.dispose()


def _free_in(pool: Pool, most: int) -> bool:
    return not isinstance(pool, AsyncAdaptedQueuePool) or pool.checkedout() < most


@lru_cache(maxsize=256)
def _compiled(statement: TextClause, dialect: Dialect) -> tuple[str, Sequence[str]]:
    """A statement as PostgreSQL takes it, and the names of the values for $1, $2 and so on."""
    compiled = statement.compile(dialect=dialect)
    return str(compiled), compiled.positiontup or ()


def _engine(url: str, pool_size: int, max_overflow: int, *, ping: bool) -> AsyncEngine:
    address, given = engine_arguments(url)
    engine = create_async_engine(
        address,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        hide_parameters=True,  # An error that nobody expected goes into logs and history as it is.
        connect_args={
            **given,
            "timeout": CONNECT_TIMEOUT_SECONDS,
            "server_settings": {
                "application_name": "agentos",
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "jit": "off",  # Our queries are short: compiling them costs more than it saves.
            },
        },
    )
    if ping:
        event.listen(engine.sync_engine, "checkin", _note_idle)
    event.listen(engine.sync_engine, "checkout", partial(_check, engine.dialect))
    return engine


def _note_idle(_: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info[_IDLE_SINCE] = time.monotonic()


def _check(
    dialect: Dialect, connection: DBAPIConnection, record: ConnectionPoolEntry, _: object
) -> None:
    """Give up the connections of a database that went away; the pool then makes new ones.

    One that hung up has closed its end, which is known here. Only one that vanished without a word
    must be asked, and that takes a round trip or three: not before each query, and not at all where
    nobody notes since when it is idle.
    """
    try:
        driver = record.driver_connection
        if driver is None or driver.is_closed():
            raise InvalidatePoolError
        if time.monotonic() - record.info.get(_IDLE_SINCE, inf) > IDLE_SECONDS:
            dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error
