"""``agentos backup``: the parts, one after the other, into one file. The package says why so."""

import asyncio
import hashlib
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from activities.file_lock import is_at, try_lock_open
from activities.store import migrations
from activities.store.blobs import Blobs
from activities.store.copying import NamedBlob, Snapshot, snapshot
from activities.units import MEBIBYTE
from deploy.backup.archive import ArchiveWriter, is_worth_packing
from deploy.backup.errors import (
    BackupExists,
    BackupNeedsRoom,
    BackupRunning,
    BackupUnwritable,
    NothingToBackUp,
)
from deploy.backup.manifest import (
    TEMPORAL,
    BlobList,
    Manifest,
    NameList,
    Table,
    blob_part,
    secret_part,
    table_part,
)
from deploy.backup.secret_files import read_secrets
from deploy.backup.source import Source, source_of
from deploy.backup.temporal_file import TemporalSnapshot, temporal_snapshot
from deploy.backup.version import VERSION
from deploy.local.errors import DataFolderNewer

Tell = Callable[[str], None]

_SMALL_BYTES = MEBIBYTE
_AT_ONCE = 16
_TOLD_EVERY = 1_000
# Rows are written as packed text, without indexes. Those of the most part are smaller by far.
_SHARE_OF_DATABASE = 0.5


async def back_up(data_dir: Path, file: Path, *, replace: bool, tell: Tell) -> Manifest:
    """Write a backup; whoever reads ``file`` finds a whole one, or none. ``tell`` is told how far
    it is.

    Raises:
        AgentOSError: it cannot be made. Nothing of it is left.
    """
    _require_outside(data_dir, file)
    try:
        async with _unfinished(file, replace=replace) as target, source_of(data_dir) as source:
            manifest = await _write(source, target, file, tell)
    except OSError as error:
        raise BackupUnwritable(file=file, reason=error.strerror or str(error)) from error
    return manifest


def _require_outside(data_dir: Path, file: Path) -> None:
    """It would be lost with what it is a backup of."""
    if file.resolve().is_relative_to(data_dir.resolve()):
        raise BackupUnwritable(file=file, reason=f"it would lie in {data_dir}, which it saves")


@asynccontextmanager
async def _unfinished(file: Path, *, replace: bool) -> AsyncIterator[BinaryIO]:
    """A file aside that only we may read, which takes its place in the end.

    It is locked: that of a killed backup is taken over.
    """
    _require_free(file, replace=replace)
    aside = _aside(file)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(aside, flags, 0o600)
    with os.fdopen(descriptor, "r+b") as target:
        # One that has been renamed meanwhile is another's backup, which is whole.
        if not try_lock_open(descriptor) or not is_at(descriptor, aside):
            raise BackupRunning(file=file)
        try:
            os.fchmod(descriptor, 0o600)
            target.truncate()
            yield target
            target.flush()
            await asyncio.to_thread(os.fsync, descriptor)
            _require_free(file, replace=replace)
            aside.rename(file)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
    _sync_folder(file.parent)


def _aside(file: Path) -> Path:
    return file.with_name(f"{file.name}.part")


def _require_free(file: Path, *, replace: bool) -> None:
    if file.is_dir():
        raise BackupUnwritable(file=file, reason="it is a folder, and a file is to be named")
    if file.is_symlink() or file.exists():
        if not replace:
            raise BackupExists(file=file)
        if not file.is_file():
            raise BackupUnwritable(file=file, reason="it is no file")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def _write(source: Source, target: BinaryIO, file: Path, tell: Tell) -> Manifest:
    writer = ArchiveWriter(target)
    try:
        with temporal_snapshot(source.temporal_file) as temporal:
            async with snapshot(source.database_url) as database:
                return await _Backup(source, writer, tell).write(temporal, database, file)
    except sqlite3.Error as error:
        raise BackupUnwritable(file=file, reason=f"Temporal's file: {error}") from error
    except BaseException:
        writer.give_up()
        raise


class _Backup:
    def __init__(self, source: Source, writer: ArchiveWriter, tell: Tell) -> None:
        self._source = source
        self._writer = writer
        self._tell = tell
        self._blobs = Blobs(source.s3)

    async def write(self, temporal: TemporalSnapshot, database: Snapshot, file: Path) -> Manifest:
        revision = await database.revision()
        if not revision:
            raise NothingToBackUp(data_dir=self._source.data_dir)
        if revision > migrations.NEWEST:
            raise DataFolderNewer(
                data_dir=self._source.data_dir, revision=revision, newest=migrations.NEWEST
            )
        await self._require_room(temporal, database, file.parent)
        await self._add_secrets()
        await self._add_temporal(temporal, file)
        tables = await self._add_tables(database)
        blobs = await self._add_blobs(database)
        manifest = Manifest(
            version=VERSION,
            revision=revision,
            made_at=datetime.now(UTC),
            parts=self._writer.parts,
            tables=tables,
            sequences=dict(await database.sequences()),
            blobs=blobs,
        )
        await self._writer.finish(manifest)
        return manifest

    async def _require_room(
        self, temporal: TemporalSnapshot, database: Snapshot, folder: Path
    ) -> None:
        blobs = 0
        async for blob in database.blobs():
            blobs += blob.size
        # Temporal's file is copied first, and then packed.
        needed = 1.5 * temporal.size + _SHARE_OF_DATABASE * await database.size() + blobs
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise BackupNeedsRoom(
                folder=folder,
                free_mib=free // MEBIBYTE,
                needed_mib=round(needed / MEBIBYTE) + 1,
            )

    async def _add_secrets(self) -> None:
        found = read_secrets(self._source.secrets_folder)
        for name, content in found.content.items():
            await self._writer.add(secret_part(name), content)
        if found.warning:
            self._tell(found.warning)

    async def _add_temporal(self, temporal: TemporalSnapshot, file: Path) -> None:
        copied = file.with_name(f"{file.name}.part-temporal")
        copied.unlink(missing_ok=True)  # that of a backup which was killed
        os.close(os.open(copied, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            await temporal.copy(copied)
            await self._writer.add_file(TEMPORAL, copied)
        finally:
            copied.unlink(missing_ok=True)
        self._tell(f"Temporal: {_mebibytes(self._writer.parts[TEMPORAL].size)}")

    async def _add_tables(self, database: Snapshot) -> dict[str, Table]:
        tables = {}
        for table, columns in (await database.tables()).items():
            async with self._writer.part(table_part(table)) as part:
                rows = await database.copy(table, columns, part.write)
            self._writer.parts[table_part(table)] = part.written
            tables[table] = Table(columns=list(columns), rows=rows)
        rows = sum(table.rows for table in tables.values())
        self._tell(f"PostgreSQL: {rows:,} rows of {len(tables)} tables")
        return tables

    async def _add_blobs(self, database: Snapshot) -> BlobList:
        """Small ones are fetched several at a time."""
        names, few = NameList(), list[NamedBlob]()
        async for blob in database.blobs():
            if blob.size > _SMALL_BYTES:
                await self._add_large(blob, names)
                continue
            few.append(blob)
            if len(few) == _AT_ONCE:
                await self._add_small(few, names)
                few = []
        await self._add_small(few, names)
        self._tell(f"Files: {names.count:,}, {_mebibytes(names.size)}")
        self._tell_unusable(names)
        return names.listed()

    def _tell_unusable(self, names: NameList) -> None:
        for name in names.unusable:
            self._tell(f"Missing or damaged in the S3 store, so not in the backup: {name}")
        if more := names.unusable_count - len(names.unusable):
            self._tell(f"... and {more:,} more")

    async def _add_small(self, blobs: Sequence[NamedBlob], names: NameList) -> None:
        for blob, content in zip(
            blobs, await asyncio.gather(*map(self._fetch, blobs)), strict=True
        ):
            name = blob_part(blob.team_id, blob.sha256)
            if content is None:
                names.leave_out(name)
                continue
            async with self._writer.part(name, is_packed=is_worth_packing(content)) as part:
                await part.write(content)
            self._count(names, name, len(content))

    async def _fetch(self, blob: NamedBlob) -> bytes | None:
        if await self._blobs.size_of(blob.team_id, blob.sha256) != blob.size:
            return None
        pieces = [piece async for piece in self._blobs.stream(blob.team_id, blob.sha256)]
        content = b"".join(pieces)
        return content if hashlib.sha256(content).hexdigest() == blob.sha256 else None

    async def _add_large(self, blob: NamedBlob, names: NameList) -> None:
        """One that turns out to be damaged, when it is written, is taken out again."""
        name = blob_part(blob.team_id, blob.sha256)
        if await self._blobs.size_of(blob.team_id, blob.sha256) != blob.size:
            names.leave_out(name)
            return
        pieces = self._blobs.stream(blob.team_id, blob.sha256)
        first = await anext(pieces)
        async with self._writer.part(name, is_packed=is_worth_packing(first)) as part:
            await part.write(first)
            async for piece in pieces:
                await part.write(piece)
        if part.written.sha256 == blob.sha256:
            self._count(names, name, blob.size)
        else:
            self._writer.take_out(name)
            names.leave_out(name)

    def _count(self, names: NameList, name: str, size: int) -> None:
        names.add(name, size)
        if names.count % _TOLD_EVERY == 0:
            self._tell(f"Files: {names.count:,} so far, {_mebibytes(names.size)}")


def _mebibytes(size: int) -> str:
    return f"{size / MEBIBYTE:,.1f} MiB"
