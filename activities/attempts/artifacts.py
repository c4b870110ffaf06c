"""From the output folder of an attempt to the store."""

import asyncio
import math
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

from activities.attempts.collector import CollectedFile, Collection, collect, open_collected
from activities.mime_types import UNKNOWN_TYPE, guess_mime_type
from activities.patience import patiently
from activities.sandbox.base import Limits
from activities.store.attempts import StoredFile
from activities.store.blobs import Blobs, SmallBlob, Stored
from activities.units import KIBIBYTE

PARALLEL_UPLOADS = 4
# Files up to this size are read into memory and sent one after the other, so many by one thread.
SMALL_BYTES = 256 * KIBIBYTE
SMALL_AT_ONCE = 64

_FEW_FILES = 4
_FEW_BYTES = 64 * KIBIBYTE  # Together.


async def publish_output(
    blobs: Blobs,
    team_id: UUID,
    output: Path,
    limits: Limits,
    mime_types: Mapping[str, str] = MappingProxyType({}),
) -> tuple[tuple[StoredFile, ...], tuple[str, ...]]:
    """Store the contents of an output folder: the files, and what was not collected, with reasons.
    ``mime_types`` tells those of files by name, in place of what the names tell.

    Raises:
        TooManyFiles, OutputTooLarge, OutputChanged: nothing was taken.
    """
    few = _few(output)
    if few == 0:  # As after most steps of a program's own.
        return (), ()
    collection = (
        await asyncio.to_thread(collect, output, limits) if few is None else collect(output, limits)
    )
    files = await publish(blobs, team_id, output, collection, mime_types)
    return files, tuple(f"{item.name}: {item.reason}" for item in collection.refused)


async def publish(
    blobs: Blobs,
    team_id: UUID,
    folder: Path,
    collection: Collection,
    mime_types: Mapping[str, str] = MappingProxyType({}),
) -> tuple[StoredFile, ...]:
    """Store what was collected, each file under its SHA-256.

    Raises:
        OutputChanged, StoreRefused, TemporaryFailure: the first failure ends all uploads.
    """
    stored = tuple(_stored(file, mime_types) for file in collection.files)
    pairs = zip(collection.files, stored, strict=True)
    # The same bytes need to go there once, however many files have them.
    distinct = {file.sha256: (file, row) for file, row in pairs}.values()
    small = [pair for pair in distinct if pair[0].size <= SMALL_BYTES]
    uploads: list[Callable[[], Awaitable[None]]] = [
        partial(_upload, blobs, team_id, folder, *pair)
        for pair in distinct
        if pair[0].size > SMALL_BYTES
    ]
    each = min(SMALL_AT_ONCE, math.ceil(len(small) / PARALLEL_UPLOADS))
    uploads += [
        partial(_upload_small, blobs, team_id, folder, small[first : first + each])
        for first in range(0, len(small), each or 1)
    ]
    await _all(uploads)
    return stored


def _stored(file: CollectedFile, mime_types: Mapping[str, str]) -> StoredFile:
    told = mime_types.get(file.name, UNKNOWN_TYPE)
    kind = guess_mime_type(file.name) if told == UNKNOWN_TYPE else told
    return StoredFile(file.name, file.size, kind, file.sha256)


async def _upload(
    blobs: Blobs, team_id: UUID, folder: Path, file: CollectedFile, stored: StoredFile
) -> None:
    async def put() -> None:
        with open_collected(folder, file) as source:
            await blobs.put(team_id, file.sha256, file.size, stored.mime_type, source)

    await patiently(put)


async def _upload_small(
    blobs: Blobs,
    team_id: UUID,
    folder: Path,
    files: Sequence[tuple[CollectedFile, StoredFile]],
) -> None:
    wanted = [
        SmallBlob(file.sha256, file.size, row.mime_type, partial(open_collected, folder, file))
        for file, row in files
    ]
    stored: Stored = {}  # Over all tries: each goes on where the one before has failed.
    await patiently(lambda: blobs.put_small(team_id, wanted, stored), progress=lambda: len(stored))


async def _all(uploads: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """A few at a time; the first failure ends them all."""
    if len(uploads) == 1:
        return await uploads[0]()
    free = asyncio.Semaphore(PARALLEL_UPLOADS)

    async def run(upload: Callable[[], Awaitable[None]]) -> None:
        async with free:
            await upload()

    try:
        async with asyncio.TaskGroup() as group:
            for upload in uploads:
                group.create_task(run(upload))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


def _few(folder: Path) -> int | None:
    """How many files there are, if they are so few and small that to read them takes less than to
    wake up a thread; None where there are more, or there is anything else."""
    count = size = 0
    with os.scandir(folder) as entries:
        for count, entry in enumerate(entries, start=1):
            if count > _FEW_FILES or not entry.is_file(follow_symlinks=False):
                return None
            size += entry.stat(follow_symlinks=False).st_size
    return count if size <= _FEW_BYTES else None
