"""From the output folder of an attempt to the store."""

import asyncio
import mimetypes
from pathlib import Path
from uuid import UUID

from activities.collector import CollectedFile, Collection, open_collected
from activities.patience import patiently
from activities.store.attempts import StoredFile
from activities.store.blobs import Blobs

PARALLEL_UPLOADS = 4


async def publish(
    blobs: Blobs, team_id: UUID, folder: Path, collection: Collection
) -> tuple[StoredFile, ...]:
    """Store what was collected, each file under its SHA-256."""
    free = asyncio.Semaphore(PARALLEL_UPLOADS)

    async def store(file: CollectedFile) -> StoredFile:
        stored = StoredFile(file.name, file.size, mime_type_of(file.name), file.sha256)

        async def upload() -> None:
            with open_collected(folder, file) as source:
                await blobs.put(team_id, file.sha256, file.size, stored.mime_type, source)

        async with free:
            await patiently(upload)
        return stored

    async with asyncio.TaskGroup() as group:
        uploads = [group.create_task(store(file)) for file in collection.files]
    return tuple(upload.result() for upload in uploads)


def mime_type_of(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
