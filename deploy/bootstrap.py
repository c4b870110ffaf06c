"""What the processes of API and worker have in common: their stores, and a pool for MCP servers."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.mcp_servers import update_listing
from activities.tools.mcp.pool import McpPool
from deploy import settings
from deploy.settings import Settings

# How many more objects may be made than freed before it looks; Python's own number is 700.
_NEW_OBJECTS = 10_000


@asynccontextmanager
async def stores(told: Settings, *, ping: bool) -> AsyncIterator[tuple[Database, Blobs]]:
    database = Database(
        told.database_url,
        read_url=told.database_read_url,
        pool_size=told.pool_size,
        max_overflow=told.max_overflow,
        ping=ping,
    )
    try:
        yield database, Blobs(told.s3)
    finally:
        await database.close()


def mcp_pool(told: Settings, database: Database) -> McpPool:
    return McpPool(
        on_listing=partial(update_listing, database),
        policy=told.mcp_policy,
        secrets=told.secrets,
        environment=settings.inherited(),
    )


def calm_garbage_collector() -> None:
    """Let it look seldom, and never at what is there by now.

    That is a quarter of a million objects, mostly of libraries, which stay as long as the process.
    To look through them again stops everything for 0.1 to 0.2 s each time, heartbeats and streams
    too. Of what comes after, nearly all is freed without its help.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 10, 10)
