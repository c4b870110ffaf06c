"""What a database is like before a test has used it, and how it becomes so again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

# Whatever belongs to the schema is a row of one of these, known by the oid that is named.
_CATALOGUES = {
    "pg_attrdef": "adrelid",
    "pg_attribute": "attrelid",
    "pg_class": "oid",
    "pg_constraint": "oid",
    "pg_index": "indrelid",
    "pg_namespace": "oid",
    "pg_policy": "oid",
    "pg_proc": "oid",
    "pg_rewrite": "oid",
    "pg_statistic_ext": "oid",
    "pg_trigger": "oid",
    "pg_type": "oid",
}
_OWN = 16_384  # Lower oids are PostgreSQL's own.
# A change that was taken back leaves other rows than those that were there. What VACUUM and ANALYZE
# have found is written into a row in place, and settings of the database are nowhere among these.
_FINGERPRINT = "\nUNION ALL\n".join(
    [
        *(
            f"SELECT '{name}', count(*), sum(hashtext(xmin::text || ctid::text))"
            f" FROM {name} WHERE {key} >= {_OWN}"
            for name, key in _CATALOGUES.items()
        ),
        "SELECT 'statistics', count(*), sum(hashtext(oid::text || reltuples::text))"
        f" FROM pg_class WHERE oid >= {_OWN}",
        "SELECT 'settings', count(*), 0 FROM pg_db_role_setting"
        " WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())",
    ]
)
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_SEQUENCES = "SELECT sequencename, start_value, last_value FROM pg_sequences"
_GROWTH = 2  # Then what is left of removed rows would slow down the tests that follow.


@dataclass(frozen=True, slots=True)
class Blank:
    """A database with our tables, of which there are copies."""

    size: int
    schema: Sequence[asyncpg.Record]
    rows: Mapping[str, Sequence[asyncpg.Record]]
    """Those that migrations wrote, by their table."""
    emptying: str

    @classmethod
    async def of(cls, connection: asyncpg.Connection) -> "Blank":
        tables = [row["tablename"] for row in await connection.fetch(_TABLES)]
        rows = {table: await connection.fetch(f"TABLE {table}") for table in tables}
        sequences = [
            f"SELECT setval('{name}', {last or start}, {last is not None})"
            for name, start, last in await connection.fetch(_SEQUENCES)
        ]
        # A replica's sessions run no triggers, and so look for no foreign keys either.
        deletions = [f"DELETE FROM {table}" for table in tables]
        return cls(
            size=await _size(connection),
            schema=await connection.fetch(_FINGERPRINT),
            rows={table: found for table, found in rows.items() if found},
            emptying="; ".join(["SET session_replication_role = replica", *deletions, *sequences]),
        )

    async def restore(self, connection: asyncpg.Connection) -> bool:
        """Make a copy that was used like a new one; False when it cannot be one any more."""
        if await connection.fetch(_FINGERPRINT) != self.schema:
            return False
        if await _size(connection) > _GROWTH * self.size:
            return False
        await connection.execute(self.emptying)
        for table, rows in self.rows.items():
            await connection.copy_records_to_table(table, records=rows)
        return True


async def _size(connection: asyncpg.Connection) -> int:
    return int(await connection.fetchval("SELECT pg_database_size(current_database())"))
