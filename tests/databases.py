"""Databases of a test's own, on the PostgreSQL that all tests share."""

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
