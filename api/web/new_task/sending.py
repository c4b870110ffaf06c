"""What the form has sent: its fields, and its files, which are kept as uploads at once."""

from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from uuid import UUID

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from api.errors import MediaTypeRefused, RequestRefused
from api.http.file_names import clean_name
from api.http.uploads import FORM_TYPE, store_upload
from api.services import Services
from api.web.forms import text_of
from api.web.new_task.beginnings import new_key
from api.web.new_task.fields import CHOICES, MORE, READERS, TYPES, Filled, InputRow
from workflows.definitions.inputs import MAX_INPUTS

PATH = "/tasks/new"
_MAX_FIELDS = 1_000
# Of all fields together: they are kept in memory, which files are not.
_FIELDS_BYTES = 4 * 1024 * 1024
_MAX_KEY_CHARACTERS = 64
_SHOWN_CHARACTERS = 100


class _BoundedParser(MultiPartParser):
    """The form may be as large as its files; its fields may not."""

    _left = _FIELDS_BYTES

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._current_part.file is None:
            self._left -= end - start
            if self._left < 0:
                raise MultiPartException("its fields hold more than 4 MiB.")
        super().on_part_data(data, start, end)


@asynccontextmanager
async def sent_form(request: Request) -> AsyncIterator[FormData]:
    """The form in a request.

    Raises:
        MediaTypeRefused, RequestRefused
    """
    given = request.headers.get("content-type", "")
    if given.partition(";")[0].strip().lower() != FORM_TYPE:
        raise MediaTypeRefused(given=given[:_SHOWN_CHARACTERS], known=FORM_TYPE)
    parser = _BoundedParser(
        request.headers,
        request.stream(),
        max_files=2 * MAX_INPUTS,
        max_fields=_MAX_FIELDS,
        max_part_size=_FIELDS_BYTES,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise RequestRefused(reason=error.message) from error
    try:
        yield form
    finally:
        await form.close()


async def filled_in(services: Services, team_id: UUID, form: FormData) -> Filled:
    """What was filled in, with references to the files that came along.

    Raises:
        TooLarge, TemporaryFailure, StoreRefused
    """
    rows: list[InputRow] = []
    for row, file in _rows(form):
        ref = row.ref if file is None else await _stored(services, team_id, file)
        rows.append(InputRow(row.name, ref))
    names = {row.name for row in rows}
    for file in _files(form.getlist("files")):
        name = unused_name(clean_name(file.filename), names)
        names.add(name)
        rows.append(InputRow(name, await _stored(services, team_id, file)))
    return _filled(form, tuple(rows))


async def _stored(services: Services, team_id: UUID, file: UploadFile) -> str:
    most = services.options.max_upload_bytes
    kept = await store_upload(services.database, services.blobs, team_id, file, max_bytes=most)
    return f"file:{kept.file.id}"


def _filled(form: FormData, rows: tuple[InputRow, ...]) -> Filled:
    type_ = text_of(form, "type")
    type_ = type_ if type_ in TYPES else TYPES[-1]
    names = (*READERS[type_], MORE)
    texts = {name: text for name in names if (text := text_of(form, name))}
    chosen = {
        name: tuple(map(str, form.getlist(f"agent.{name}")))
        for name in CHOICES
        if text_of(form, f"{name}_of") == "chosen"
    }
    key = text_of(form, "key")[:_MAX_KEY_CHARACTERS]
    return Filled(type_, key if key.isalnum() and key.isascii() else new_key(), texts, chosen, rows)


def _rows(form: FormData) -> Iterator[tuple[InputRow, UploadFile | None]]:
    for index in range(MAX_INPUTS + 1):
        name, ref = text_of(form, f"inputs.{index}.name"), text_of(form, f"inputs.{index}.ref")
        [file, *_] = [*_files(form.getlist(f"inputs.{index}.file")), None]
        if name or ref or file:
            own = name or (unused_name(clean_name(file.filename), ()) if file else "")
            yield InputRow(own.strip(), ref.strip()), file


def _files(items: list[UploadFile | str]) -> Iterator[UploadFile]:
    """What was chosen: a field that was left empty is sent as a file without a name."""
    for item in items:
        if isinstance(item, UploadFile) and item.filename:
            yield item


def unused_name(file_name: str, taken: Collection[str]) -> str:
    """The name of an input for a file: ``2024 sales.csv`` gives ``_2024_sales_csv``."""
    letters = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in file_name)
    name = letters[:50] if letters[:1].isalpha() else f"_{letters}"[:50]
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found
