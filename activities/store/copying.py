"""All rows of a database, out of it and into another one: as text of PostgreSQL's COPY.

A copy holds rows and no SQL: the tables come from our own migrations, of the revision that the rows
are from. So a file that somebody has tampered with runs nothing in the database it is loaded into.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from activities.store.errors import database_errors, first_line
from workflows.errors.services import RowsRefused

Write = Callable[[bytes], Awaitable[None]]

# Of the copy: the revision is told apart, and what is kept for quickness alone, or says of blobs
# which are on their way out of a store, is of no use elsewhere.
_LEFT_OUT = frozenset({"alembic_version", "result_cache", "condemned_blobs"})
_TABLES = """
    SELECT columns.table_name, array_agg(columns.column_name::text ORDER BY ordinal_position)
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND is_generated = 'NEVER'
    GROUP BY columns.table_name ORDER BY columns.table_name
"""
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"
_SET_SEQUENCE = "SELECT setval(CAST(format('%I', CAST($1 AS text)) AS regclass), $2)"
# Of equal names the sizes are the same: they are of what the name is the SHA-256 of.
_BLOBS = """
    SELECT team_id, sha256, max(size) AS size FROM (
        SELECT team_id, sha256, size FROM files
        UNION ALL
        SELECT team_id, sha256, size FROM task_artifacts
    ) AS named
    WHERE sha256 IS NOT NULL
    GROUP BY team_id, sha256 ORDER BY team_id, sha256
"""


@dataclass(frozen=True, slots=True)
class NamedBlob:
    """A blob that a row names."""

    team_id: UUID
    sha256: str
    size: int


class Snapshot:
    """A database as it was at one moment, whatever is written to it meanwhile."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def revision(self) -> str:
        """Of its tables; empty where there are none."""
        found = await self._connection.fetchval("SELECT to_regclass('alembic_version')")
        if found is None:
            return ""
        return str(await self._connection.fetchval("SELECT version_num FROM alembic_version") or "")

    async def size(self) -> int:
        """On its disk, in bytes."""
        query = "SELECT pg_database_size(current_database())"
        return int(await self._connection.fetchval(query))

    async def tables(self) -> Mapping[str, Sequence[str]]:
        """The columns of each table that is copied."""
        return await _tables(self._connection)

    async def sequences(self) -> Mapping[str, int]:
        """The last number of each that has given one."""
        rows = await self._connection.fetch(_SEQUENCES)
        return {name: last for name, last in rows if last is not None}

    async def copy(self, table: str, columns: Sequence[str], write: Write) -> int:
        """Write out the rows of a table. Gives how many there are."""
        async with database_errors():
            told = await self._connection.copy_from_table(
                table, schema_name="public", columns=columns, output=write, format="text"
            )
        return int(told.rpartition(" ")[2])

    async def blobs(self) -> AsyncIterator[NamedBlob]:
        """Those that its rows name, a few in memory at a time."""
        async for row in self._connection.cursor(_BLOBS, prefetch=1_000):
            yield NamedBlob(row["team_id"], row["sha256"], row["size"])


@asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[Snapshot]:
    """What is committed now is in it.

    Raises:
        TemporaryFailure: the database cannot be reached.
    """
    async with (
        _connected(url) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.fetchval("SELECT 1")  # It is taken by the first query.
        yield Snapshot(connection)


class Loading:
    """A transaction that fills the tables of a database."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def tables(self) -> Mapping[str, Sequence[str]]:
        """The columns of each table that is to be filled."""
        return await _tables(self._connection)

    async def load(self, table: str, columns: Sequence[str], chunks: AsyncIterator[bytes]) -> int:
        """Fill a table, which was emptied. Gives how many rows there are.

        Raises:
            RowsRefused: they are no rows of it.
        """
        try:
            async with database_errors():
                told = await self._connection.copy_to_table(
                    table, schema_name="public", columns=columns, source=chunks, format="text"
                )
        except asyncpg.PostgresError as error:
            raise RowsRefused(table=table, reason=first_line(error)) from error
        return int(told.rpartition(" ")[2])

    async def set_sequences(self, last: Mapping[str, int]) -> None:
        known = {name for name, _ in await self._connection.fetch(_SEQUENCES)}
        for name in known & set(last):
            await self._connection.execute(_SET_SEQUENCE, name, last[name])


@asynccontextmanager
async def loading(url: str) -> AsyncIterator[Loading]:
    """All or nothing: committed at the end. No trigger runs, since the rows that triggers write
    are loaded as well, and no foreign key is looked at: they held where the rows are from."""
    async with _connected(url) as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        for table in await _tables(connection):
            await connection.execute(f'DELETE FROM "{table}"')
        yield Loading(connection)


async def _tables(connection: asyncpg.Connection) -> Mapping[str, Sequence[str]]:
    rows = await connection.fetch(_TABLES)
    return {name: tuple(columns) for name, columns in rows if name not in _LEFT_OUT}


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    dsn = url.replace("postgresql+asyncpg", "postgresql", 1)
    async with database_errors():
        connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        # Not `close`, which waits for what a broken-off copy still sends.
        connection.terminate()
