"""From the output folder of an attempt to the store."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

from activities.attempts.collector import CollectedFile, Collection, collect, open_collected
from activities.mime_types import UNKNOWN_TYPE, guess_mime_type
from activities.patience import patiently
from activities.sandbox.base import Limits
from activities.store.attempts import StoredFile
from activities.store.blobs import Blobs

PARALLEL_UPLOADS = 4


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
    if _is_empty(output):  # As after most steps of a program's own: spares a thread.
        return (), ()
    collection = await asyncio.to_thread(collect, output, limits)
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
    free = asyncio.Semaphore(PARALLEL_UPLOADS)

    async def store(file: CollectedFile) -> StoredFile:
        told = mime_types.get(file.name, UNKNOWN_TYPE)
        kind = guess_mime_type(file.name) if told == UNKNOWN_TYPE else told
        stored = StoredFile(file.name, file.size, kind, file.sha256)

        async def upload() -> None:
            with open_collected(folder, file) as source:
                await blobs.put(team_id, file.sha256, file.size, stored.mime_type, source)

        async with free:
            await patiently(upload)
        return stored

    try:
        async with asyncio.TaskGroup() as group:
            uploads = [group.create_task(store(file)) for file in collection.files]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return tuple(upload.result() for upload in uploads)


def _is_empty(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return next(entries, None) is None
