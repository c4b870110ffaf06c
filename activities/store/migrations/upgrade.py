"""Applying the migrations that are missing, with alembic."""

import asyncio
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from activities.store.database_url import engine_arguments
from activities.store.errors import database_errors, database_refusals
from activities.store.migrations import beforehand

# Any number will do, as long as all who migrate take the same.
_LOCK = 4_207_116_903
_LOOK_SECONDS = 0.1


async def upgrade(url: str, revision: str = "head") -> None:
    """Apply every migration that is missing, up to a revision; whoever comes second waits for the
    first.

    Raises:
        TemporaryFailure: the database cannot be reached.
        DatabaseRefused: its URL is none, or it does not let us in.
    """
    async with database_refusals():
        address, given = engine_arguments(url)
        engine = create_async_engine(address, poolclass=NullPool, connect_args=given)
        try:
            async with database_errors(), engine.connect() as connection:
                driver = (await connection.get_raw_connection()).driver_connection
                await _lock(driver)
                async with connection.begin():
                    present = await connection.run_sync(_present)
                for stop, indexes in beforehand.stages(config(), present, revision):
                    await beforehand.build(driver, indexes)
                    async with connection.begin():
                        await connection.run_sync(_upgrade, stop)
        finally:
            await engine.dispose()


async def _lock(driver: asyncpg.Connection) -> None:
    """Until the connection is closed. Not with a statement that waits: see ``beforehand``."""
    while True:
        if await driver.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            return
        await asyncio.sleep(_LOOK_SECONDS)


def config() -> Config:
    made = Config()
    # The text of an option may hold no bare percent sign, and a path may.
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return made


def _present(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection, revision: str) -> None:
    made = config()
    made.attributes["connection"] = connection
    command.upgrade(made, revision)
