"""Taking in a file: its bytes go to the store first, then its row is written."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from mimetypes import guess_type
from typing import BinaryIO
from uuid import UUID, uuid4

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from activities.mime_types import UNKNOWN_TYPE, clean_mime_type
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.files import KeptUpload, Upload, create_file
from activities.store.housekeeping.errors import BlobGone
from api.errors import InvalidRequest, MediaTypeRefused, TooLarge
from api.http.file_names import clean_name
from workflows.errors import TemporaryFailure
from workflows.pointers import Problem

FORM_TYPE = "multipart/form-data"
FILE_UPLOAD = "FileUpload"
UPLOAD = {
    "type": "object",
    "description": "A form with one file.",
    "required": ["file"],
    "properties": {
        "file": {
            "type": "string",
            "format": "binary",
            "contentMediaType": "application/octet-stream",
            "description": (
                "The content, with its name and, if it has one, its media type; else the name "
                "tells that. At most AGENTOS_MAX_UPLOAD_MIB, by default 1,024 MiB."
            ),
        }
    },
}
FORM = {
    "description": "The file, in a form.",
    "required": True,
    "content": {FORM_TYPE: {"schema": {"$ref": f"#/components/schemas/{FILE_UPLOAD}"}}},
}

# Beside the file. Nobody reads them, but some clients send a few.
_MAX_FIELDS = 10
_FIELD_BYTES = 64 * 1024
_SHOWN_CHARACTERS = 100
_CHUNK_BYTES = 1024 * 1024
_MOST_TRIES = 10
_NO_TYPES = ("", UNKNOWN_TYPE)


async def uploaded_file(request: Request) -> AsyncIterator[UploadFile]:
    """A dependency: the file in a form.

    Raises:
        MediaTypeRefused: before anything is read. Any other kind of form is a list of fields, and
            to take apart megabytes of them holds everybody up.
        InvalidRequest: there is no file, or more than one.
    """
    given = request.headers.get("content-type", "")
    if given.partition(";")[0].strip().lower() != FORM_TYPE:
        raise MediaTypeRefused(given=given[:_SHOWN_CHARACTERS], known=FORM_TYPE)
    async with _form(request) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise InvalidRequest(
                [Problem("/file", "this field is required, and it must be a file")]
            )
        yield file


@asynccontextmanager
async def _form(request: Request) -> AsyncIterator[FormData]:
    """Raises ``InvalidRequest`` where it has several files."""
    limits = {"max_files": 1, "max_fields": _MAX_FIELDS, "max_part_size": _FIELD_BYTES}
    try:
        form = await request.form(**limits)
    except HTTPException as error:
        if not str(error.detail).startswith("Too many files"):
            raise
        reason = "a request takes one file; send each in one of its own"
        raise InvalidRequest([Problem("/file", reason)]) from error
    try:
        yield form
    finally:
        await form.close()


async def store_upload(
    database: Database, blobs: Blobs, team_id: UUID, file: UploadFile, *, max_bytes: int
) -> KeptUpload:
    """Keep an uploaded file. The same bytes under the same name and type are the same file.

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
    for _ in range(_MOST_TRIES):
        await asyncio.to_thread(file.file.seek, 0)
        await blobs.put(team_id, sha256, size, upload.mime_type, file.file)
        # In between, housekeeping may have removed bytes that were there before.
        with suppress(BlobGone):
            return await create_file(database, team_id, upload)
    raise TemporaryFailure(service="The S3 store", reason=f"{sha256} is removed again and again")


def _measure(file: BinaryIO) -> tuple[int, str]:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    file.seek(0)
    return size, digest.hexdigest()
