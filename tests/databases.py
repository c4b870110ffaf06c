"""Databases of a test's own, on the PostgreSQL that all tests share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg

from deploy.local.services import Services


@asynccontextmanager
async def new_database(services: Services, template: str = "template1") -> AsyncIterator[str]:
    """A copy of ``template``, which is an empty one by default; a URL for SQLAlchemy."""
    name = f"test_{uuid4().hex}"
    admin = await asyncpg.connect(services.database_url.replace("+asyncpg", ""))
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        yield services.database_url.replace("/agentos?", f"/{name}?")
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


async def hang_up(url: str, query: str = "%") -> int:
    """Cut the connections to a database whose last query looks like this; how many they were."""
    other = await asyncpg.connect(url.replace("+asyncpg", ""))
    # They are to be gone, not only told to go. For one that went by itself the answer is no.
    cut = await other.fetch(
        "SELECT pid, pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE $1",
        query,
    )
    left = await other.fetch(
        "SELECT FROM pg_stat_activity WHERE pid = ANY($1)", [backend["pid"] for backend in cut]
    )
    await other.close()
    assert not left
    await asyncio.sleep(0.1)  # The news is on its way to this process.
    return len(cut)
