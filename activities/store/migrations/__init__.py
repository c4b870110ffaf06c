"""Bringing a database up to date. To add a step, see CONTRIBUTING.md.

Whether there is anything to do is one question to the database. Alembic, which takes longer to load
than PostgreSQL takes to start, is for a database that must be changed.
"""

import asyncio
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import asyncpg

VERSIONS = Path(__file__).with_name("versions")
# Revisions are numbered, and a file is named after its own.
NEWEST = max(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*_*.py"))

_TIMEOUT_SECONDS = 5.0


async def migrate(url: str) -> None:
    """Apply every migration that is missing. Several processes may call this at once.

    Raises:
        TemporaryFailure: the database cannot be reached.
        DatabaseRefused: its URL is none, or it does not let us in.
    """
    # A database that cannot be asked like this, for whatever reason, is left to what follows. So is
    # a URL that only SQLAlchemy can read, such as one with a slash in its password.
    with suppress(OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError):
        if await _is_up_to_date(url):
            return
    await load()
    from activities.store.migrations.upgrade import upgrade

    await upgrade(url)


async def load() -> None:
    """Load alembic, beside the event loop: who foresees that it is needed saves the time later."""
    await asyncio.to_thread(import_module, "activities.store.migrations.upgrade")


async def are_applied(connection: asyncpg.Connection) -> bool:
    """Whether no migration is missing. Those of a newer version of AgentOS may be there."""
    try:
        newest = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return False
    return str(newest or "") >= NEWEST


async def revision_of(url: str) -> str:
    """Of the tables of a database; empty where there are none.

    Raises:
        asyncpg.PostgresError, OSError: it cannot be asked.
    """
    dsn = url.replace("postgresql+asyncpg", "postgresql", 1)
    connection = await asyncpg.connect(dsn, timeout=_TIMEOUT_SECONDS)
    try:
        return str(await connection.fetchval("SELECT version_num FROM alembic_version") or "")
    except asyncpg.UndefinedTableError:
        return ""
    finally:
        await connection.close()


async def _is_up_to_date(url: str) -> bool:
    return await revision_of(url) >= NEWEST
