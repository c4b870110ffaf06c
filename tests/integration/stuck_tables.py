"""Tables into which nobody can write for a while, so that a test sees what happens meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text

from activities.store.database import Database

SECONDS = 20.0


@asynccontextmanager
async def stuck(database: Database, *tables: str) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    """Nobody can write into these tables. What the block is given returns once as many wait, or one
    of those that should is done."""
    async with database.writing() as connection:
        await connection.execute(text(f"LOCK TABLE {', '.join(tables)} IN SHARE MODE"))
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")

        async def until_waiting(*those: asyncio.Future[Any]) -> None:
            async with asyncio.timeout(SECONDS):
                while (await connection.scalar(waiting) or 0) < len(those):
                    if any(each.done() for each in those):
                        return
                    await asyncio.sleep(0.01)

        yield until_waiting
