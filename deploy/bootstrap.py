"""What the processes of API and worker have in common: their stores, and a pool for MCP servers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from activities.secret_box import SecretBox
from activities.store.blobs import Blobs
from activities.store.condemned import Ledger
from activities.store.database import Database
from activities.store.mcp_servers import update_listing
from activities.tools.mcp.grants import Grant
from activities.tools.mcp.options import PoolOptions
from activities.tools.mcp.pool import McpPool
from activities.tools.mcp.secrets import TeamSecrets
from deploy import variables
from deploy.settings import Settings


@asynccontextmanager
async def stores(settings: Settings, *, ping: bool) -> AsyncIterator[tuple[Database, Blobs]]:
    database = Database(
        settings.database_url,
        read_url=settings.database_read_url,
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        ping=ping,
    )
    try:
        yield database, Blobs(settings.s3, Ledger(database))
    finally:
        await database.close()


def secret_box(settings: Settings) -> SecretBox | None:
    """None where there is no key to seal secrets with."""
    return SecretBox(settings.secrets_keys) if settings.secrets_keys else None


def mcp_pool(settings: Settings, database: Database) -> McpPool:
    return McpPool(
        on_listing=partial(update_listing, database),
        policy=settings.mcp_policy,
        secrets=TeamSecrets(
            database,
            settings.secrets,
            box=secret_box(settings),
            grants=tuple(map(Grant.parse, settings.secrets_for)),
            is_for_owner=settings.mcp_policy.is_for_owner,
        ),
        environment=variables.inherited(),
        options=PoolOptions(start_seconds=settings.mcp_start_seconds),
    )
