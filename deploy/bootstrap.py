"""What the processes of API and worker have in common: their stores, and a pool for MCP servers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.mcp_servers import update_listing
from activities.tools.mcp.pool import McpPool
from deploy import variables
from deploy.settings import Settings


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
        environment=variables.inherited(),
    )
