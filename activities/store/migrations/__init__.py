"""Bringing a database up to date, with alembic. To add a step, see CONTRIBUTING.md."""

from pathlib import Path
from typing import Literal

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from activities.store.errors import database_errors
from activities.store.tables import EnumText
from workflows.errors import DatabaseRefused

# Any number will do, as long as all who migrate take the same.
_LOCK = 4_207_116_903


async def migrate(url: str) -> None:
    """Apply every migration that is missing. Several processes may call this at once.

    Raises:
        TemporaryFailure: the database cannot be reached.
    """
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with database_errors(), engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


async def is_current(url: str) -> bool:
    """Whether no migration is missing.

    Raises:
        TemporaryFailure: the database cannot be reached.
        DatabaseRefused: its URL is none, or it does not let us in.
    """
    try:
        applied = await _read_applied(url)
    except (SQLAlchemyError, asyncpg.PostgresError) as error:
        raise DatabaseRefused(reason=str(error).splitlines()[0]) from error
    return applied == ScriptDirectory.from_config(config()).get_current_head()


def config() -> Config:
    made = Config()
    # The text of an option may hold no bare percent sign, and a path may.
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return made


def render_item(kind: str, item: object, _: object) -> str | Literal[False]:
    """How a new migration writes an item; False leaves it to alembic.

    It must not change with the tables: what is an enum for us is text for it.
    """
    return "sa.Text()" if kind == "type" and isinstance(item, EnumText) else False


def _upgrade(connection: Connection) -> None:
    made = config()
    made.attributes["connection"] = connection
    command.upgrade(made, "head")


async def _read_applied(url: str) -> str | None:
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with database_errors(), engine.connect() as connection:
            return await connection.run_sync(_applied)
    finally:
        await engine.dispose()


def _applied(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
