"""What a backup is taken of: a stack that runs, or a data folder on which none does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from activities.store.database import Database
from activities.store.housekeeping.holding import housekeeping_held_off
from activities.store.options import S3Options
from deploy.backup.errors import NothingToBackUp, StackNotSteady
from deploy.local import postgres, s3
from deploy.local.errors import StackInUse, StackNotOurs
from deploy.local.holder import Work
from deploy.local.s3 import S3Access
from deploy.local.state import DataFolder, running_parts
from deploy.local.storage import storage

_NEEDED = ("postgres", "s3")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the state is. ``is_running`` tells whether a stack works on it meanwhile."""

    data_dir: Path
    database_url: str
    s3: S3Options
    is_running: bool

    @property
    def temporal_file(self) -> Path:
        return temporal_file(self.data_dir)

    @property
    def secrets_folder(self) -> Path:
        return self.data_dir / "secrets"


def temporal_file(data_dir: Path) -> Path:
    return data_dir / "temporal" / "temporal.db"


@asynccontextmanager
async def source_of(data_dir: Path) -> AsyncIterator[Source]:
    """The state of a data folder; nothing that it names is removed meanwhile. Where no stack runs,
    the folder is taken for as long, and its database and store are started.

    Raises:
        NothingToBackUp, StackNotSteady
        StackNotOurs: the folder is another user's.
        DataFolderBusy: another backup of the folder is being taken.
        AgentOSError: a part cannot run here.
    """
    data = DataFolder(data_dir)
    try:
        has_state = postgres.has_cluster(data) and temporal_file(data.path).exists()
    except PermissionError:
        raise StackNotOurs(data_dir=data.path) from None
    if not has_state:
        raise NothingToBackUp(data_dir=data.path)
    running = running_parts(data_dir)
    if all(name in running for name in _NEEDED):
        url = running["postgres"].url or ""
        store = s3.access(data, 0)
        endpoint = running["s3"].url or ""
        found = _source(data, url.replace("postgresql:", "postgresql+asyncpg:", 1), store, endpoint)
        async with _held_off(found.database_url):
            yield found
        return
    try:
        lock = data.acquire(Work.BACKUP)
    except StackInUse as error:
        raise StackNotSteady(pid=error.fields["pid"], data_dir=data.path) from None
    try:
        async with storage(data, lock) as there:
            url = there.database_url
            yield _source(data, url, there.s3, there.s3.endpoint, is_running=False)
    finally:
        data.release()


@asynccontextmanager
async def _held_off(url: str) -> AsyncIterator[None]:
    database = Database(url)
    try:
        async with housekeeping_held_off(database):
            yield
    finally:
        await database.close()


def _source(
    data: DataFolder, url: str, store: S3Access, endpoint: str, *, is_running: bool = True
) -> Source:
    options = S3Options(endpoint, store.bucket, store.access_key, store.secret_key)
    return Source(data.path, url, options, is_running)
