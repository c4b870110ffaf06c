"""Text of a PDF, page by page."""

import logging
from collections.abc import Iterable
from pathlib import Path

from document import MAX_CHARACTERS, BadInput, Block, Document, Page
from pypdf import PageObject, PdfReader
from pypdf.errors import DependencyError, PyPdfError

MAX_PAGES = 5_000

# Letters that typesetting joins; nobody finds "profile" where "pro\ufb01le" is written.
LIGATURES = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl"}
)

# pypdf reads what it can of a broken file, and stumbles in all these ways over what it cannot.
DAMAGE = (
    PyPdfError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)


def read_pdf(path: Path, pages: Iterable[range]) -> Document:
    """``pages`` are page numbers from 1; none means all.

    Raises:
        BadInput: the file is encrypted or damaged, or there is too much of it.
    """
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    reader = open_pdf(path)
    try:
        in_all = len(reader.pages)
    except DAMAGE as error:
        raise damaged(path, error) from error
    numbers = select(path, in_all, list(pages))
    taken: list[Page] = []
    unreadable: list[int] = []
    characters = 0
    for number in numbers:
        text = read_page(reader, number)
        if text is None:
            unreadable.append(number)
        characters += len(text or "")
        if characters > MAX_CHARACTERS:
            raise BadInput(
                f"{path.name}, page {number}: more than {MAX_CHARACTERS:,} characters so far. "
                "Take fewer pages with --pages."
            )
        taken.append(Page(number, [Block("paragraph", text)] if text else []))
    if unreadable and len(unreadable) == len(numbers):
        raise damaged(path, None)
    return Document("pdf", taken, title_of(reader), notes(taken, unreadable))


def open_pdf(path: Path) -> PdfReader:
    try:
        reader = PdfReader(path)
        # Many PDFs are encrypted with an empty password, only to forbid printing or changes.
        if reader.is_encrypted and not reader.decrypt(""):
            raise BadInput(
                f"{path.name}: is encrypted. Save a copy without a password, and give me that."
            )
    except DependencyError as error:
        raise BadInput(
            f"{path.name}: is encrypted in a way that cannot be read ({error})."
        ) from error
    except DAMAGE as error:
        raise damaged(path, error) from error
    return reader


def read_page(reader: PdfReader, number: int) -> str | None:
    """The text of a page; None if the page is damaged."""
    try:
        page: PageObject = reader.pages[number - 1]
        text = page.extract_text()
    except DAMAGE:
        return None
    return "\n".join(
        line.rstrip() for line in writable(text).translate(LIGATURES).splitlines()
    ).strip()


def select(path: Path, in_all: int, pages: list[range]) -> list[int]:
    wanted = [
        range(part.start, min(part.stop, in_all + 1)) for part in pages or [range(1, in_all + 1)]
    ]
    numbers = sorted({number for part in wanted for number in part})
    if pages and not numbers:
        raise BadInput(f"{path.name}: has {in_all} pages, none of those of --pages.")
    if len(numbers) > MAX_PAGES:
        raise BadInput(
            f"{path.name}: {len(numbers):,} pages are more than {MAX_PAGES:,} at once. "
            f"Take them in parts, such as --pages 1-{MAX_PAGES}."
        )
    return numbers


def title_of(reader: PdfReader) -> str | None:
    try:
        title = reader.metadata.title if reader.metadata else None
    except DAMAGE:
        return None
    return (
        " ".join(str(title).encode("utf-8", "replace").decode("utf-8").split()) if title else None
    )


def writable(text: str) -> str:
    """Broken fonts make NULs, and lone surrogates, which cannot be written."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def notes(pages: list[Page], unreadable: list[int]) -> list[str]:
    found = []
    if unreadable:
        found.append(f"Damaged pages left out: {', '.join(map(str, unreadable))}.")
    if not any(page.blocks for page in pages):
        found.append("No page has text: they are probably scanned pictures, which need OCR.")
    return found


def damaged(path: Path, error: Exception | None) -> BadInput:
    why = f" ({str(error)[:200]})" if error and str(error) else ""
    return BadInput(
        f"{path.name}: is a damaged PDF{why}. Open it in a PDF viewer and save it anew, if it can."
    )
