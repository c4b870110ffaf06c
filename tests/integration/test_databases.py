"""A test gets a database that others have used, and cannot tell."""

from collections.abc import AsyncIterator, Mapping

import asyncpg
import pytest

from deploy.local.services import Services
from tests.blank_databases import Blank
from tests.databases import migrated_database

# Each is to be noticed, also if it is taken back in the end.
CHANGES = {
    "a column": "ALTER TABLE tasks ADD COLUMN more text",
    "a column that is dropped": "ALTER TABLE tasks ADD COLUMN more text;"
    " ALTER TABLE tasks DROP COLUMN more",
    "a name that is given back": "ALTER TABLE events RENAME TO gone;"
    " ALTER TABLE gone RENAME TO events",
    "a default": "ALTER TABLE teams ALTER COLUMN name SET DEFAULT 'x'",
    "a trigger that sleeps": "ALTER TABLE tasks DISABLE TRIGGER USER",
    "a constraint that is gone": "ALTER TABLE files DROP CONSTRAINT files_pkey CASCADE",
    "an index": "CREATE INDEX ON teams (name)",
    "a function": "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a view": "CREATE VIEW all_teams AS TABLE teams",
    "a table of another schema": "CREATE SCHEMA other CREATE TABLE kept (answer int)",
    "other statistics": "ANALYZE teams",
    "other files": "TRUNCATE events",
    "a setting": "DO $$ BEGIN EXECUTE format("
    "'ALTER DATABASE %I SET timezone = 1', current_database()); END $$",
    "much that was written": "INSERT INTO teams (id, name)"
    " SELECT gen_random_uuid(), repeat(gen_random_uuid()::text, 9) FROM generate_series(1, 30000)",
}

# As at the end of a session, which a test's own are before its database is restored.
_COUNT = "SELECT pg_stat_force_next_flush()"


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    yield connection
    await connection.close()


async def _rows(connection: asyncpg.Connection) -> Mapping[str, object]:
    return {
        table: await connection.fetch(f"TABLE {table}")
        for table in ("teams", "alembic_version", "events", "housekeeping")
    }


async def test_what_a_test_has_written_is_gone_and_what_migrations_wrote_is_back(
    connection: asyncpg.Connection,
) -> None:
    blank, before = await Blank.of(connection), await _rows(connection)
    await connection.execute("""
        INSERT INTO teams (id, name) VALUES (gen_random_uuid(), 'other');
        INSERT INTO files (id, team_id, name, size, mime_type, sha256)
            SELECT gen_random_uuid(), id, 'a', 1, 'text/plain', repeat('a', 64) FROM teams;
        UPDATE teams SET name = 'renamed' WHERE name = 'default';
        SELECT nextval('housekeeping_id_seq');
        DELETE FROM housekeeping;
    """)
    await connection.execute(_COUNT)
    assert await blank.restore(connection)
    assert await _rows(connection) == before
    assert await connection.fetch("TABLE files") == []
    assert (await Blank.of(connection)).sequences == blank.sequences


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_database_that_differs_in_more_than_its_rows_is_not_used_again(
    connection: asyncpg.Connection, change: str
) -> None:
    blank = await Blank.of(connection)
    await connection.execute(change)
    await connection.execute(_COUNT)
    assert not await blank.restore(connection)


async def test_no_two_tests_have_databases_of_one_name_or_id(infrastructure: Services) -> None:
    names, ids = set(), set()
    for _ in range(3):
        async with migrated_database(infrastructure) as url:
            names.add(url)
            connection = await asyncpg.connect(url.replace("+asyncpg", ""))
            ids.add(await connection.fetchval("SELECT database_id FROM housekeeping"))
            # Left open: whoever gets the database next is not to be disturbed by it.
    assert len(names) == len(ids) == 3
