"""What a file of a task looks like, as far as that can be told from its beginning."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from types import MappingProxyType

from markupsafe import Markup

from activities.store.files import StoredBlob
from api.web.previews.table import table_of
from api.web.previews.tree import tree_of
from api.web.text.code import highlight
from api.web.text.markdown import markdown

READ_BYTES = 256 * 1024
MAX_IMAGE_BYTES = 20 * 1024 * 1024
MAX_PDF_BYTES = 50 * 1024 * 1024
PDF_BEGINNING = b"%PDF-"
_SHARE_OF_NOISE = 0.05  # Of a text that is none.


class Kind(StrEnum):
    IMAGE = "image"
    FRAME = "frame"
    PDF = "pdf"
    TABLE = "table"
    MARKDOWN = "markdown"
    TREE = "tree"
    TEXT = "text"
    NONE = "none"


# A browser shows these in an <img>, where none of them runs anything.
IMAGES = frozenset(
    f"image/{kind}" for kind in ("png", "jpeg", "gif", "webp", "avif", "bmp", "svg+xml")
)
_BY_TYPE: Mapping[str, Kind] = MappingProxyType(
    {
        **dict.fromkeys(IMAGES, Kind.IMAGE),
        "text/html": Kind.FRAME,
        "application/xhtml+xml": Kind.FRAME,
        "application/pdf": Kind.PDF,
        "text/csv": Kind.TABLE,
        "text/tab-separated-values": Kind.TABLE,
        "text/markdown": Kind.MARKDOWN,
        "application/json": Kind.TREE,
    }
)
_BY_SUFFIX: Mapping[str, Kind] = MappingProxyType(
    {
        ".csv": Kind.TABLE,
        ".tsv": Kind.TABLE,
        ".md": Kind.MARKDOWN,
        ".markdown": Kind.MARKDOWN,
        ".json": Kind.TREE,
        ".html": Kind.FRAME,
        ".htm": Kind.FRAME,
        ".pdf": Kind.PDF,
    }
)


@dataclass(frozen=True, slots=True)
class Preview:
    """``note`` says what is missing. ``body`` is None for what the browser fetches itself."""

    kind: Kind
    body: Markup | None = None
    note: str = ""


def kind_of(blob: StoredBlob) -> Kind:
    """What it seems to be, by its name and type."""
    suffix = PurePosixPath(blob.name).suffix.lower()
    return _BY_SUFFIX.get(suffix) or _BY_TYPE.get(blob.mime_type, Kind.TEXT)


def preview_of(blob: StoredBlob, beginning: bytes) -> Preview:
    """The preview of a file by its first bytes. It takes a while: call it beside the event loop."""
    kind = kind_of(blob)
    if kind is Kind.IMAGE:
        return Preview(kind) if blob.size <= MAX_IMAGE_BYTES else Preview(Kind.NONE)
    if kind is Kind.FRAME:
        return Preview(kind)
    if kind is Kind.PDF:
        is_one = beginning.startswith(PDF_BEGINNING) and blob.size <= MAX_PDF_BYTES
        return Preview(Kind.PDF if is_one else Kind.NONE)
    text = _text_of(beginning)
    return Preview(Kind.NONE) if text is None else _of_text(kind, blob, text, len(beginning))


def _of_text(kind: Kind, blob: StoredBlob, text: str, read: int) -> Preview:
    is_cut = blob.size > read
    cut = f"Only the first {READ_BYTES // 1024} KiB are shown." if is_cut else ""
    if kind is Kind.TABLE and (table := table_of(text, is_cut=is_cut)) is not None:
        return Preview(kind, table.html, table.note or cut)
    if kind is Kind.TREE and not is_cut and (tree := tree_of(text)) is not None:
        return Preview(kind, tree.html, tree.note)
    if kind is Kind.MARKDOWN:
        return Preview(kind, markdown(text), cut)
    return Preview(Kind.TEXT, highlight(text, name=PurePosixPath(blob.name).name), cut)


def _text_of(data: bytes) -> str | None:
    """None for what is no text. The last character may be cut in two."""
    text = data.decode("utf-8-sig", errors="replace")
    noise = text.count("\ufffd") + text.count("\x00")
    return None if noise > 1 + len(text) * _SHARE_OF_NOISE else text
