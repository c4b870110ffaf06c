"""Plain text, and what a file is by its bytes."""

import re
from pathlib import Path
from typing import Literal

from document import BadInput, Block, Document, Page
from text_encoding import NotText, detect

MAX_BYTES = 50 * 1024 * 1024
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
HTML = re.compile(rb"<(!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)
HTML_EXTENSIONS = (".html", ".htm", ".xhtml")

FileKind = Literal["pdf", "docx", "html", "text"]


def kind_of(path: Path) -> FileKind:
    """By the first bytes: the name may say nothing, or something false.

    Raises:
        BadInput: text cannot be taken of such a file.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise BadInput(f"{path.name}: is empty.")
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"PK"):
        return "docx"
    if head.startswith(OLE):
        raise BadInput(
            f"{path.name}: is an encrypted or an old Office file (.doc). "
            "Save a copy as .docx without a password, and give me that."
        )
    if head.startswith(rb"{\rtf"):
        raise BadInput(f"{path.name}: is rich text (RTF). Save a copy as .docx or PDF.")
    if HTML.search(head) or path.suffix.lower() in HTML_EXTENSIONS:
        return "html"
    return "text"


def read_plain(path: Path) -> Document:
    """The text as it is.

    Raises:
        BadInput: it is no text, or too much.
    """
    if path.stat().st_size > MAX_BYTES:
        raise BadInput(f"{path.name}: is over {MAX_BYTES // 1024**2} MiB. Split it.")
    try:
        encoding = detect(path)
        text = path.read_bytes().decode(
            encoding.name, "strict" if encoding.is_certain else "replace"
        )
    except NotText as error:
        raise BadInput(
            f"{path.name}: is no text and of no kind known here. "
            "Text is taken of PDF, DOCX, HTML and plain text."
        ) from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name}: is damaged {error.encoding} text ({error}).") from error
    lines = "\n".join(text.splitlines())
    pages = [Page(None, [Block("paragraph", lines)] if lines.strip() else [])]
    return Document("text", pages, notes=[encoding.note] if encoding.note else [])
