"""Applying the migrations that are missing, with alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from activities.store.database_url import engine_arguments
from activities.store.errors import database_errors, database_refusals

# Any number will do, as long as all who migrate take the same.
_LOCK = 4_207_116_903


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
            async with database_errors(), engine.begin() as connection:
                await connection.execute(
                    text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK}
                )
                await connection.run_sync(_upgrade, revision)
        finally:
            await engine.dispose()


def config() -> Config:
    made = Config()
    # The text of an option may hold no bare percent sign, and a path may.
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return made


def _upgrade(connection: Connection, revision: str) -> None:
    made = config()
    made.attributes["connection"] = connection
    command.upgrade(made, revision)
