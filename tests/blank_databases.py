"""What a database is like before a test has used it, and how it becomes so again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

# Whatever belongs to the schema is a row of one of these.
_CATALOGUES = (
    "pg_attrdef",
    "pg_attribute",
    "pg_class",
    "pg_constraint",
    "pg_index",
    "pg_namespace",
    "pg_policy",
    "pg_proc",
    "pg_rewrite",
    "pg_statistic_ext",
    "pg_trigger",
    "pg_type",
)
# Every table, and how many rows were written since the counters were reset, also by transactions
# that were taken back. A session has counted all of its own when it is gone.
_TABLES = f"""
    SELECT relname AS name, relnamespace = 'pg_catalog'::regnamespace AS is_catalogue, reltuples,
        pg_stat_get_tuples_inserted(oid) AS inserted,
        pg_stat_get_tuples_updated(oid) + pg_stat_get_tuples_deleted(oid) AS changed
    FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
        OR oid = ANY('{{{",".join(_CATALOGUES)}}}'::regclass[])"""
# Settings of the database are nowhere among the catalogues.
_MEASURE = """
    SELECT pg_database_size(current_database()) AS size, EXISTS (
        SELECT FROM pg_db_role_setting JOIN pg_database AS database ON database.oid = setdatabase
        WHERE datname = current_database()) AS is_set"""
_SEQUENCES = "SELECT sequencename, start_value, last_value FROM pg_sequences"
_GROWTH = 2  # Then what is left of removed rows would slow down the tests that follow.


@dataclass(frozen=True, slots=True)
class Blank:
    """A database with our tables, of which there are copies."""

    size: int
    statistics: Mapping[str, float]
    """How many rows PostgreSQL believes to be in each table, on which its plans depend."""
    rows: Mapping[str, str]
    """A statement that writes what migrations wrote, by its table."""
    sequences: Sequence[str]

    @classmethod
    async def of(cls, connection: asyncpg.Connection) -> "Blank":
        tables = _own(await connection.fetch(_TABLES))
        rows = {name: await _writing(connection, name) for name in tables}
        return cls(
            size=(await connection.fetchrow(_MEASURE))["size"],
            statistics={name: table["reltuples"] for name, table in tables.items()},
            rows={name: statement for name, statement in rows.items() if statement},
            sequences=[
                f"SELECT setval('{name}', {last or start}, {last is not None})"
                for name, start, last in await connection.fetch(_SEQUENCES)
            ],
        )

    async def restore(self, connection: asyncpg.Connection) -> bool:
        """Make a copy that was used like a new one; False when it cannot be one any more."""
        tables = await connection.fetch(_TABLES)
        if any(row["inserted"] or row["changed"] for row in tables if row["is_catalogue"]):
            return False
        own = _own(tables)
        if {name: table["reltuples"] for name, table in own.items()} != self.statistics:
            return False
        found = await connection.fetchrow(_MEASURE)
        if found["is_set"] or found["size"] > _GROWTH * self.size:
            return False
        await connection.execute(self._restoring(own))
        return True

    def _restoring(self, tables: Mapping[str, Any]) -> str:
        """Most tests write into a few tables only, and looking at one takes as long as writing."""
        written = {name for name, table in tables.items() if table["inserted"]}
        written |= {name for name in self.rows if tables[name]["changed"]}
        return "; ".join(
            [
                "SELECT pg_stat_reset()",
                # A replica's sessions run no triggers, and so look for no foreign keys either.
                "SET session_replication_role = replica",
                *(f"DELETE FROM {name}" for name in written),
                *(self.rows[name] for name in written if name in self.rows),
                *self.sequences,
            ]
        )


def _own(tables: Sequence[asyncpg.Record]) -> Mapping[str, asyncpg.Record]:
    return {table["name"]: table for table in tables if not table["is_catalogue"]}


async def _writing(connection: asyncpg.Connection, table: str) -> str | None:
    """The statement that writes the rows that a table has; None when it has none."""
    return await connection.fetchval(
        f"SELECT format('INSERT INTO {table} SELECT * FROM"
        f" json_populate_recordset(NULL::{table}, %L)', json_agg(rows)) FROM {table} AS rows"
        " HAVING count(*) > 0"
    )
