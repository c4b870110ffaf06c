"""Databases of a test's own, on the PostgreSQL that all tests share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import asyncpg

from activities.store import migrations
from deploy.local.services import Services
from tests.blank_databases import Blank

_OTHERS = "FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"
# By it a bucket knows whose it is, so no two databases have the same.
_NEW_ID = "UPDATE housekeeping SET database_id = gen_random_uuid()"


@dataclass(slots=True)
class _Pool:
    """Databases with our tables, which were used and are blank again.

    To make one, and to remove it, is to make and remove hundreds of files: most tests take less
    time than that.
    """

    services: Services
    blank: Blank | None = None
    template: str = ""
    free: list[str] = field(default_factory=list)
    making: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def take(self, admin: asyncpg.Connection) -> str:
        async with self.making:
            if self.blank is None:
                await self._make_template(admin)
        if self.free:
            return self.free.pop()
        name = await _create(admin, self.template)
        async with _connected(_url(self.services, name)) as connection:
            await connection.execute(_NEW_ID)
        return name

    async def give_back(self, admin: asyncpg.Connection, used: str) -> None:
        """The database gets a name that whatever outlives the test does not know."""
        assert self.blank is not None
        while await admin.fetchval(f"SELECT count(pg_terminate_backend(pid)) {_OTHERS}", used):
            await asyncio.sleep(0.01)
        name = _new_name()
        await admin.execute(f"ALTER DATABASE {used} RENAME TO {name}")
        async with _connected(_url(self.services, name)) as connection:
            if is_blank := await self.blank.restore(connection):
                await connection.execute(_NEW_ID)
        if is_blank:
            self.free.append(name)
        else:
            await _drop(admin, name)

    async def _make_template(self, admin: asyncpg.Connection) -> None:
        self.template = await _create(admin)
        url = _url(self.services, self.template)
        await migrations.migrate(url)
        async with _connected(url) as connection:
            self.blank = await Blank.of(connection)


_pools: dict[str, _Pool] = {}  # by the server's address


@asynccontextmanager
async def migrated_database(services: Services) -> AsyncIterator[str]:
    """A database with our tables, and nothing in them; a URL for SQLAlchemy."""
    pool = _pools.setdefault(services.database_url, _Pool(services))
    async with _connected(services.database_url) as admin:
        name = await pool.take(admin)
        yield _url(services, name)
        await pool.give_back(admin, name)


@asynccontextmanager
async def empty_database(services: Services) -> AsyncIterator[str]:
    """The same, without any tables."""
    async with _connected(services.database_url) as admin:
        name = await _create(admin)
        yield _url(services, name)
        await _drop(admin, name)


async def hurry(services: Services) -> None:
    """Let no session of this server wait for the disk, on which nobody looks for it.

    A stack whose database is killed is not to be told this.
    """
    async with _connected(services.database_url) as admin:
        await admin.execute("ALTER ROLE CURRENT_USER SET synchronous_commit = off")


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


def _new_name() -> str:
    return f"test_{uuid4().hex}"


def _url(services: Services, name: str) -> str:
    return services.database_url.replace("/agentos?", f"/{name}?")


async def _create(admin: asyncpg.Connection, template: str = "template1") -> str:
    name = _new_name()
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    return name


async def _drop(admin: asyncpg.Connection, name: str) -> None:
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    # What these sessions do is for tests only: it need not be on the disk.
    settings = {"synchronous_commit": "off"}
    connection = await asyncpg.connect(url.replace("+asyncpg", ""), server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()
