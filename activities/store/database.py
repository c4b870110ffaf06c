"""Connections to PostgreSQL: one pool for writing, one for reading (a replica, if there is one)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple
from functools import lru_cache, partial
from typing import Any

import asyncpg
from sqlalchemy import Dialect, TextClause, text
from sqlalchemy.exc import DBAPIError, EmulatedDBAPIException
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.store import migrations
from activities.store.connections import Connections, PoolUse
from activities.store.errors import database_errors, driver_error, first_line
from activities.store.options import DEFAULT_MAX_OVERFLOW, DEFAULT_POOL_SIZE
from activities.store.query import Reader
from workflows.errors.services import DatabaseOutdated, DatabaseRefused

IDLE_SECONDS = 10.0


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
        connections = partial(
            Connections,
            pool_size=pool_size,
            max_overflow=max_overflow,
            ask_after_seconds=IDLE_SECONDS if ping else None,
        )
        self._primary = connections(url)
        self._replica = connections(read_url) if read_url else self._primary

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction on the primary: committed at the end, rolled back on an error."""
        lent = self._primary.lent(self._primary.engine)
        async with database_errors(), lent as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def reading(self, *, fresh: bool = False) -> AsyncIterator[AsyncConnection]:
        """A connection for queries, each of which sees what was committed when it began.

        ``fresh`` reads the primary: a replica may lag behind.
        """
        connections = self._primary if fresh else self._replica
        async with database_errors(), connections.lent(connections.autocommit) as connection:
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
        connections = self._primary if fresh else self._replica
        async with database_errors(), connections.driver() as driver:
            yield Reader(driver, connections.engine.dialect)

    async def execute(self, statement: TextClause, values: Mapping[str, Any]) -> Sequence[Row]:
        """One statement on the primary, in its own transaction: one round trip instead of three.

        It is given to the driver itself. What SQLAlchemy does around a statement takes half as long
        as PostgreSQL needs for it, and each step of a task waits for two.
        """
        sql, names = _compiled(statement, self._primary.engine.dialect)
        async with database_errors(), self._primary.driver() as driver:
            rows: Sequence[Row] = await driver.fetch(
                sql, *(values[name] for name in names), record_class=Row
            )
        return rows

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
        async with database_errors(), self._primary.driver() as driver:
            return await migrations.are_applied(driver)

    def pool_use(self) -> PoolUse:
        """How many connections are in use, and how many wait for one."""
        uses = [connections.use() for connections in {self._primary, self._replica}]
        return PoolUse(*(sum(numbers) for numbers in zip(*map(astuple, uses), strict=True)))

    async def close(self) -> None:
        for connections in {self._primary, self._replica}:
            await connections.close()


@lru_cache(maxsize=256)
def _compiled(statement: TextClause, dialect: Dialect) -> tuple[str, Sequence[str]]:
    """A statement as PostgreSQL takes it, and the names of the values for $1, $2 and so on."""
    compiled = statement.compile(dialect=dialect)
    return str(compiled), compiled.positiontup or ()
