"""Files that come with a message, under names that agents can use."""

import re
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import PurePath

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from activities.store.audit import Actor
from api.http.uploads import store_upload
from api.services import Services

MAX_FILES = 16
_MAX_FIELDS = 100
_FIELD_BYTES = 1024 * 1024
_NAME_CHARACTERS = 60
_ODD = re.compile(r"[^A-Za-z0-9_-]+")


def message_form(request: Request) -> AbstractAsyncContextManager[FormData]:
    """A form with files. Its bytes are bounded as those of every request are."""
    return request.form(max_files=MAX_FILES, max_fields=_MAX_FIELDS, max_part_size=_FIELD_BYTES)


async def attachments_in(services: Services, actor: Actor, form: FormData) -> dict[str, str]:
    """References by name: of files in the form, and of those that were uploaded before, which
    stand there as ``name=file:<id>``."""
    found: dict[str, str] = {}
    for value in form.getlist("attached"):
        if isinstance(value, str):
            name, _, reference = value.rpartition("=")
            found[input_name(name, found)] = reference
    for file in form.getlist("files"):
        # A field in which nothing was chosen sends a file without a name.
        if isinstance(file, UploadFile) and file.filename:
            kept = await store_upload(
                services.database,
                services.blobs,
                actor.team_id,
                file,
                max_bytes=services.options.max_upload_bytes,
            )
            found[input_name(kept.file.name, found)] = f"file:{kept.file.id}"
    return found


def input_name(file_name: str, taken: Iterable[str] = ()) -> str:
    """``May sales.csv`` -> ``May_sales``, or ``May_sales_2`` where that is taken."""
    stem = _ODD.sub("_", PurePath(file_name).stem).strip("_-") or "file"
    if not (stem[0].isalpha() or stem[0] == "_"):
        stem = f"file_{stem}"
    name, number, others = stem[:_NAME_CHARACTERS], 1, set(taken)
    while name in others:
        number += 1
        name = f"{stem[: _NAME_CHARACTERS - 3]}_{number}"
    return name
