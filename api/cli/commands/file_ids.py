"""Uploads, named as people do: by their id, its beginning, their reference or their name."""

import re
from collections.abc import Sequence
from uuid import UUID

from api.cli.commands.pages import page_after_page
from api.cli.commands.task_ids import LEAST_CHARACTERS
from api.cli.errors import FileAmbiguous, FileUnknown
from api.client import AsyncClient as Client
from api.wire.responses.files import ListedFile
from api.wire.responses.pages import MAX_PAGE

# How many of the newest are looked at.
SEARCHED_FILES = 2_000
_SHOWN = 3
_PREFIX = "file:"
_HEX = re.compile(r"[0-9a-f]+")


async def find_files(
    client: Client, texts: Sequence[str]
) -> Sequence[tuple[str, ListedFile | None]]:
    """The id of each, once; with what is known of it, unless that was a whole id.

    Raises:
        FileUnknown, FileAmbiguous
    """
    whole = {text: _whole(text) for text in texts}
    known = [] if all(whole.values()) else await _newest(client)
    found: dict[str, ListedFile | None] = {}
    for text in texts:
        file_id = whole[text]
        if file_id is not None:
            found.setdefault(file_id, None)
            continue
        file = _meant(text, known)
        found[str(file.id)] = file
    return list(found.items())


async def _newest(client: Client) -> Sequence[ListedFile]:
    known: list[ListedFile] = []
    async for page in page_after_page(client.uploads.list, {"limit": MAX_PAGE}):
        known += page.items
        if len(known) >= SEARCHED_FILES:
            break
    return known


def _meant(text: str, known: Sequence[ListedFile]) -> ListedFile:
    named = [file for file in known if file.name == text]
    if not named:
        prefix = text.removeprefix(_PREFIX).lower().replace("-", "")
        if len(prefix) >= LEAST_CHARACTERS and _HEX.fullmatch(prefix):
            named = [file for file in known if file.id.hex.startswith(prefix)]
    if not named:
        raise FileUnknown(text=text, count=f"{len(known):,}")
    if len(named) > 1:
        shown = ", ".join(str(file.id) for file in named[:_SHOWN])
        raise FileAmbiguous(text=text, count=len(named), shown=shown)
    return named[0]


def _whole(text: str) -> str | None:
    try:
        return str(UUID(text.removeprefix(_PREFIX)))
    except ValueError:
        return None
