"""PostgreSQL and the S3 store of a data folder, without anything that works on what they hold."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from deploy.local import postgres, s3
from deploy.local.s3 import S3Access
from deploy.local.state import DataFolder
from deploy.local.supervisor import Supervisor

_CONNECTIONS = 20
# It waits for idle clients, of which there are none but us; every write is on disk.
_STORE_STOP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Storage:
    """``database_url`` is for SQLAlchemy with asyncpg."""

    database_url: str
    s3: S3Access


@asynccontextmanager
async def storage(data: DataFolder, lock: int) -> AsyncIterator[Storage]:
    """Runs both on free ports; ``lock`` is that of the folder, which ``data`` has acquired.

    Raises:
        AgentOSError: one of them cannot run here; nothing is left running.
    """
    supervisor = Supervisor(data.logs, lock, lambda: None)
    try:
        await asyncio.to_thread(s3.make_certificates, data)
        await supervisor.start(await postgres.prepare(data, supervisor, _CONNECTIONS))
        ports = await _start_store(data, supervisor)
        url = postgres.connection_url(data.socket_folder(), scheme="postgresql+asyncpg")
        yield Storage(url, s3.access(data, ports[0]))
    finally:
        await supervisor.stop("s3", "postgres")
        s3.clear(data)


async def _start_store(data: DataFolder, supervisor: Supervisor) -> Sequence[int]:
    return await supervisor.start_on_ports(
        [None, *s3.inner_ports(data)],
        lambda ports: replace(s3.prepare(data, ports), stop_seconds=_STORE_STOP_SECONDS),
        suits=s3.clear_port,
    )
