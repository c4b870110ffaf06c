"""Plain text, and what a file is by its bytes."""

import codecs
import re
from pathlib import Path
from typing import Literal

from document import BadInput, Block, Document, Page

MAX_BYTES = 50 * 1024 * 1024
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
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
    content = path.read_bytes()
    encoding = next((name for mark, name in MARKS if content.startswith(mark)), None)
    if encoding is None and b"\0" in content:
        raise BadInput(
            f"{path.name}: is no text and of no kind known here. "
            "Text is taken of PDF, DOCX, HTML and plain text."
        )
    try:
        text = content.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding is not None:
            raise BadInput(f"{path.name}: is damaged {encoding} text ({error}).") from error
        text = content.decode("cp1252", "replace")
    lines = "\n".join(text.splitlines())
    return Document("text", [Page(None, [Block("paragraph", lines)] if lines.strip() else [])])
