"""``agentos restore``: a data folder made from a backup, aside, and put in its place when whole."""

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast
from uuid import UUID

from activities.off_loop import off_loop
from activities.store.blobs import Blobs
from activities.store.copying import Loading, loading
from activities.store.options import S3Options
from activities.units import MEBIBYTE
from deploy.backup.errors import (
    RestoreNeedsRoom,
    RestorePlaceTaken,
    RestoreRunning,
)
from deploy.backup.manifest import (
    TEMPORAL,
    Manifest,
    blob_part,
    kind_of,
    secret_of,
    table_part,
)
from deploy.backup.reader import ArchiveReader, opened
from deploy.local.errors import DataFolderBusy, DataFolderUnusable, StackInUse
from deploy.local.holder import Work
from deploy.local.state import DataFolder
from deploy.local.storage import Storage, storage
from workflows.errors.services import RowsRefused

Tell = Callable[[str], None]

_AT_ONCE = 8
_TOLD_EVERY = 1_000
# A new database and store, and the indexes over the rows, which are not in the backup.
_LEAST_BYTES = 256 * MEBIBYTE
_SHARE_MORE = 1.5
_UNKNOWN_TYPE = "application/octet-stream"  # What a file is says its row.


async def restore(file: Path, data_dir: Path, *, tell: Tell) -> Manifest:
    """Make the data folder ``data_dir``, which is new or empty, from a backup.

    Raises:
        AgentOSError: it cannot be made. Nothing of it is left.
    """
    place = _new(data_dir)
    with opened(file) as archive:
        _require_room(file, archive, place)
        await _check(archive)
        tell(f"Checked: {file} is whole, of {archive.manifest.made_at:%F %T} UTC")
        try:
            await _restore(archive, place, tell)
        except OSError as error:
            reason = error.strerror or str(error)
            raise DataFolderUnusable(data_dir=place, reason=reason) from error
        return archive.manifest


def _new(data_dir: Path) -> Path:
    place = data_dir.absolute()
    try:
        if place.is_symlink() or (place.exists() and (not place.is_dir() or any(place.iterdir()))):
            raise RestorePlaceTaken(data_dir=place)
    except OSError as error:
        raise DataFolderUnusable(data_dir=place, reason=error.strerror or str(error)) from error
    return place


def _require_room(file: Path, archive: ArchiveReader, place: Path) -> None:
    folder = next(above for above in place.parents if above.exists())
    needed, free = _SHARE_MORE * archive.size + _LEAST_BYTES, shutil.disk_usage(folder).free
    if free < needed:
        raise RestoreNeedsRoom(
            file=file,
            folder=folder,
            free_mib=free // MEBIBYTE,
            needed_mib=round(needed / MEBIBYTE),
        )


async def _check(archive: ArchiveReader) -> None:
    stop = threading.Event()

    def look(_: int) -> None:
        if stop.is_set():
            raise asyncio.CancelledError

    try:
        await off_loop(archive.check, look)
    finally:
        stop.set()


async def _restore(archive: ArchiveReader, place: Path, tell: Tell) -> None:
    with _aside(place) as (data, lock):
        await _fill(archive, data, lock, tell)
        data.clear()
        shutil.rmtree(data.logs)
        await asyncio.to_thread(os.sync)  # What it names must be on disk before its name is.
        data.move_to(place)  # Fails if something is in its place by now.


@contextmanager
def _aside(place: Path) -> Iterator[tuple[DataFolder, int]]:
    """A folder beside ``place``, and its lock; it goes if it does not take its place. It is ours
    until then: another restore would empty it."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    data = DataFolder(place.with_name(f".{place.name}.restoring"))
    try:
        lock = data.acquire(Work.RESTORE)
    except (StackInUse, DataFolderBusy) as error:
        raise RestoreRunning(data_dir=place, pid=error.fields["pid"]) from None
    try:
        _empty(data)
        yield data, lock
    except BaseException:
        data.clear()
        shutil.rmtree(data.path, ignore_errors=True)
        raise
    finally:
        data.let_go()


def _empty(data: DataFolder) -> None:
    """What a restore that was killed has left goes."""
    for path in data.path.iterdir():
        if path.name != "lock":
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    data.logs.mkdir(mode=0o700)


async def _fill(archive: ArchiveReader, data: DataFolder, lock: int, tell: Tell) -> None:
    for name in filter(lambda part: kind_of(part) == "secret", archive.manifest.parts):
        await _unpack(archive, name, data.folder("secrets") / secret_of(name))
    await _unpack(archive, TEMPORAL, data.folder("temporal") / "temporal.db")
    tell("Restored: secrets, Temporal")
    async with storage(data, lock) as there:
        await _fill_database(archive, there)
        rows = sum(table.rows for table in archive.manifest.tables.values())
        tell(f"Restored: {rows:,} rows of PostgreSQL")
        await _fill_store(archive, there, tell)
        tell(f"Restored: {archive.manifest.blobs.count:,} files")


async def _unpack(archive: ArchiveReader, name: str, path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        async for piece in archive.pieces(name):
            target.write(piece)
            await asyncio.sleep(0)


async def _fill_database(archive: ArchiveReader, there: Storage) -> None:
    """The tables are those of our own migrations, up to the revision of the backup; `up` goes on
    with the others."""
    from activities.store.migrations.upgrade import upgrade

    await upgrade(there.database_url, archive.manifest.revision)
    async with loading(there.database_url) as tables:
        await _fill_tables(archive, tables)


async def _fill_tables(archive: ArchiveReader, tables: Loading) -> None:
    wanted = await tables.tables()
    told = {name: table.columns for name, table in archive.manifest.tables.items()}
    if {name: sorted(columns) for name, columns in wanted.items()} != {
        name: sorted(columns) for name, columns in told.items()
    }:
        archive.refuse("its tables are not those of its revision")
    for name in wanted:
        try:
            rows = await tables.load(name, told[name], archive.pieces(table_part(name)))
        except RowsRefused as error:
            archive.refuse(str(error).removesuffix("."))
        if rows != archive.manifest.tables[name].rows:
            archive.refuse(f"the table {name} has {rows} rows")
    await tables.set_sequences(archive.manifest.sequences)


async def _fill_store(archive: ArchiveReader, there: Storage, tell: Tell) -> None:
    store = there.s3
    blobs = Blobs(S3Options(store.endpoint, store.bucket, store.access_key, store.secret_key))
    places, done = asyncio.Semaphore(_AT_ONCE), 0

    async def put(team: str, sha256: str, size: int) -> None:
        nonlocal done
        try:
            with archive.open(blob_part(team, sha256)) as part:
                source = cast(BinaryIO, part)
                await blobs.put(UUID(team), sha256, size, _UNKNOWN_TYPE, source)
        finally:
            places.release()
        done += 1
        if done % _TOLD_EVERY == 0:
            tell(f"Restored: {done:,} files so far")

    try:
        async with asyncio.TaskGroup() as group:
            for blob in archive.blobs:
                await places.acquire()
                group.create_task(put(*blob))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
