"""Connections to PostgreSQL: what is left of them after an error, a cancellation, a hang-up."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, EmulatedDBAPIException

from activities.store.database import Database
from activities.store.errors import database_errors
from tests.databases import hang_up
from workflows.errors import TemporaryFailure
from workflows.errors.services import DatabaseRefused

FAILING = text("SELECT CAST(:text AS text), 1 / 0")
VALUES = {"text": "confidential"}


async def test_an_unreachable_database_is_a_temporary_failure() -> None:
    database = Database("postgresql+asyncpg://nobody@127.0.0.1:9/none")
    with pytest.raises(TemporaryFailure, match="PostgreSQL"):
        await database.check()
    with pytest.raises(TemporaryFailure, match="PostgreSQL"):
        await database.execute(text("SELECT 1"), {})
    await database.close()


async def test_a_database_that_lets_nobody_in_is_reported_as_it_is(database_url: str) -> None:
    name = database_url.partition("?")[0].rpartition("/")[2]
    database = Database(database_url.replace(name, "nowhere"))
    with pytest.raises(EmulatedDBAPIException, match="nowhere"):
        await database.execute(text("SELECT 1"), {})
    await database.close()


@pytest.mark.parametrize("is_replica", [False, True])
async def test_the_check_of_a_database_that_does_not_know_us_says_so(
    database_url: str, is_replica: bool
) -> None:
    url = make_url(database_url).set(username="stranger").render_as_string(hide_password=False)
    database = Database(database_url, read_url=url) if is_replica else Database(url)
    with pytest.raises(DatabaseRefused, match='role "stranger" does not exist'):
        await database.check()
    await database.close()


async def test_an_error_that_nobody_expects_does_not_quote_what_was_written(
    database: Database,
) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError) as of_the_driver:
        await database.execute(FAILING, VALUES)
    with pytest.raises(DBAPIError) as of_a_query:
        async with database.reading() as connection:
            await connection.execute(FAILING, VALUES)
    assert "confidential" not in f"{of_the_driver.value} {of_a_query.value}"


async def test_a_value_that_cannot_be_sent_is_not_taken_for_a_failure_that_passes(
    database: Database,
) -> None:
    statement, values = text("SELECT CAST(:number AS int)"), {"number": "three"}
    with pytest.raises(asyncpg.DataError):
        await database.execute(statement, values)
    with pytest.raises(DBAPIError):
        async with database.reading() as connection:
            await connection.execute(statement, values)


async def test_more_arguments_than_there_may_be_are_not_taken_for_a_failure_that_passes(
    database: Database,
) -> None:
    """It would be repeated for ever, and would say that the database cannot be reached."""
    numbers = range(32_768)
    sql = f"SELECT 1 WHERE 1 IN ({', '.join(f'${place + 1}::int' for place in numbers)})"

    async def asked() -> None:
        async with database_errors(), database._primary.driver() as driver:
            await driver.fetch(sql, *numbers)

    with pytest.raises(asyncpg.InterfaceError, match="arguments"):
        await asked()


async def test_a_connection_that_is_closed_is_a_failure_that_passes(database: Database) -> None:
    async def closed() -> None:
        async with database_errors(), database._primary.driver() as driver:
            await driver.close()
            await driver.fetch("SELECT 1")

    with pytest.raises(TemporaryFailure):
        await closed()


async def test_the_columns_of_a_row_are_its_attributes(database: Database) -> None:
    [row] = await database.execute(
        text("SELECT CAST(:word AS text) AS word, CAST(:word AS jsonb) AS value"),
        {"word": '{"a": 1}'},
    )
    assert (row.word, row.value) == ('{"a": 1}', {"a": 1})
    with pytest.raises(AttributeError):
        _ = row.nothing


async def test_an_error_takes_no_connection_away(database_url: str) -> None:
    database = Database(database_url, pool_size=1, max_overflow=0)
    for _ in range(3):
        with pytest.raises(asyncpg.DivisionByZeroError):
            await database.execute(FAILING, VALUES)
    assert len(await database.execute(text("SELECT 1"), {})) == 1
    assert database.pool_use().in_use == 0
    await database.close()


async def test_a_statement_that_is_cancelled_ends_in_the_database_with_its_connection(
    database_url: str, database: Database
) -> None:
    single = Database(database_url, pool_size=1, max_overflow=0)
    before = await backend(single)
    asleep = asyncio.create_task(single.execute(text("SELECT pg_sleep(30)"), {}))
    while await sleeping(database) == 0:
        await asyncio.sleep(0.01)
    asleep.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asleep
    assert single.pool_use().in_use == 0
    assert await backend(single) != before
    while await sleeping(database) > 0:
        await asyncio.sleep(0.01)
    await single.close()


async def backend(database: Database) -> int:
    [row] = await database.execute(text("SELECT pg_backend_pid() AS pid"), {})
    return int(row.pid)


async def sleeping(database: Database) -> int:
    """How many backends of this database execute ``pg_sleep``."""
    query = """
        SELECT count(*) AS found FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'"""
    [row] = await database.execute(text(query), {})
    return int(row.found)


@pytest.mark.parametrize("ping", [True, False])
async def test_no_statement_fails_once_the_database_has_hung_up(
    database_url: str, ping: bool
) -> None:
    database = Database(database_url, pool_size=5, max_overflow=0, ping=ping)

    async def five() -> None:
        statements = [database.execute(text("SELECT pg_sleep(0.05)"), {}) for _ in range(5)]
        await asyncio.gather(*statements)

    await five()
    assert await hang_up(database_url) == 5
    await five()
    await database.close()
