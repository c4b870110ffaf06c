"""Taking in a file: its bytes go to the store first, then its row is written."""

import asyncio
import hashlib
import os
from mimetypes import guess_type
from typing import BinaryIO
from uuid import UUID, uuid4

from starlette.datastructures import UploadFile

from activities.mime_types import UNKNOWN_TYPE, clean_mime_type
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.files import Upload, create_file
from api.errors import TooLarge
from api.http.file_names import clean_name

_CHUNK_BYTES = 1024 * 1024
_NO_TYPES = ("", UNKNOWN_TYPE)


async def store_upload(
    database: Database, blobs: Blobs, team_id: UUID, file: UploadFile, *, max_bytes: int
) -> Upload:
    """Keep an uploaded file. The same bytes twice are stored once, under two ids.

    Raises:
        TooLarge, TemporaryFailure, StoreRefused
    """
    name = clean_name(file.filename)
    size, sha256 = await asyncio.to_thread(_measure, file.file)
    if size > max_bytes:
        raise TooLarge(limit=max_bytes)
    given = file.content_type or ""
    guessed = guess_type(name)[0] if given in _NO_TYPES else given
    upload = Upload(uuid4(), name, size, clean_mime_type(guessed), sha256)
    await blobs.put(team_id, sha256, size, upload.mime_type, file.file)
    await create_file(database, team_id, upload)
    return upload


def _measure(file: BinaryIO) -> tuple[int, str]:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    file.seek(0)
    return size, digest.hexdigest()
