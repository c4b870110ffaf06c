"""Writes a migration from the difference between the tables and a database that is up to date."""

import argparse
import asyncio
from typing import Literal

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from activities.store import tables
from activities.store.columns import EnumText
from activities.store.database_url import engine_arguments
from activities.store.migrations import migrate
from activities.store.migrations.upgrade import config


async def write(message: str, url: str) -> None:
    await migrate(url)
    address, given = engine_arguments(url)
    engine = create_async_engine(address, poolclass=NullPool, connect_args=given)
    async with engine.begin() as connection:
        await connection.run_sync(_revision, message)
    await engine.dispose()


def render_item(kind: str, item: object, _: object) -> str | Literal[False]:
    """How a new migration writes an item; False leaves it to alembic.

    It must not change with the tables: what is an enum for us is text for it.
    """
    return "sa.Text()" if kind == "type" and isinstance(item, EnumText) else False


def _revision(connection: Connection, message: str) -> None:
    made = config()
    made.attributes |= {
        "connection": connection,
        "target_metadata": tables.Task.metadata,
        "render_item": render_item,
    }
    number = len(list(ScriptDirectory.from_config(made).walk_revisions())) + 1
    command.revision(made, message, autogenerate=True, rev_id=f"{number:04}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("message")
    parser.add_argument("url", help="postgresql+asyncpg://...")
    arguments = parser.parse_args()
    asyncio.run(write(arguments.message, arguments.url))
