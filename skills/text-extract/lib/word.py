"""Text of a Word document (.docx): headings, paragraphs, lists and tables, in their order."""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import docx
from document import BadInput, Block, Document, Page
from docx.document import Document as WordDocument
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn
from lxml import etree

MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_XML_BYTES = 50 * 1024 * 1024  # in memory it grows tenfold
MAX_PARTS = 10_000

BODY_PART = "word/document.xml"
MEDIA = "word/media/"
# python-docx and lxml stumble in all these ways over a package that is not what it says.
DAMAGE = (
    PackageNotFoundError,
    etree.LxmlError,
    zipfile.BadZipFile,
    zlib.error,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)
OTHER_OFFICE = {"xl": "an Excel workbook", "ppt": "a PowerPoint file"}
HEADINGS = {f"heading {level}": level for level in range(1, 10)} | {"title": 1, "subtitle": 2}
WRAPPERS = {qn(name) for name in ("w:sdt", "w:sdtContent", "w:ins", "w:customXml", "w:smartTag")}
SPACES = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n"}
# What a picture or text box also holds for older programs: the same text again.
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


def read_word(path: Path) -> Document:
    """Take the text of the body; headers, footers, notes and comments are left out.

    Raises:
        BadInput: it is another kind of file, damaged, or a decompression bomb.
    """
    check_package(path)
    try:
        document: WordDocument = docx.Document(str(path))
        blocks = list(Body(document).blocks())
        title = " ".join((document.core_properties.title or "").split())
    except DAMAGE as error:
        raise damaged(path, error) from error
    return Document("docx", [Page(None, blocks)], title or None)


def check_package(path: Path) -> None:
    """Look at the declared sizes before anything is unpacked; a lie about them ends in an error."""
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise damaged(path, error) from error
    names = {part.filename for part in parts}
    if BODY_PART not in names:
        folders = {name.partition("/")[0] for name in names}
        found = (what for folder, what in OTHER_OFFICE.items() if folder in folders)
        raise BadInput(
            f"{path.name}: is {next(found, 'a ZIP archive')}, not a Word document. "
            "Text is taken of PDF, DOCX, HTML and plain text."
        )
    unpacked = sum(part.file_size for part in parts)
    xml = max(part.file_size for part in parts if not part.filename.startswith(MEDIA))
    if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED_BYTES or xml > MAX_XML_BYTES:
        raise BadInput(
            f"{path.name}: unpacks to {unpacked:,} bytes in {len(parts):,} parts, too much "
            f"(limits: {MAX_UNPACKED_BYTES:,} bytes, {MAX_XML_BYTES:,} a part, {MAX_PARTS:,} "
            "parts). It may be a decompression bomb; if you trust it, split the document."
        )


class Body:
    """Walks over the body by its XML, for python-docx passes over insertions and form fields."""

    def __init__(self, document: WordDocument) -> None:
        self.root = document.element.body
        self.styles = {style.style_id: str(style.name).lower() for style in document.styles}

    def blocks(self) -> Iterator[Block]:
        for element in children(self.root):
            if element.tag == qn("w:tbl"):
                rows = tuple(tuple(self._cells(row)) for row in inside(element, qn("w:tr")))
                if any(any(row) for row in rows):
                    yield Block("table", rows=rows)
            elif block := self._paragraph(element):
                yield block

    def _paragraph(self, element: etree._Element) -> Block | None:
        text = "".join(texts(element)).strip()
        if not text:
            return None
        style = self.styles.get(value(element, "w:pPr/w:pStyle"), "")
        if style in HEADINGS:
            return Block("heading", text, level=HEADINGS[style])
        level = value(element, "w:pPr/w:numPr/w:ilvl")
        if level or style.startswith("list "):
            return Block("item", text, level=1 + int(level or 0))
        return Block("paragraph", text)

    def _cells(self, row: etree._Element) -> Iterator[str]:
        for cell in inside(row, qn("w:tc")):
            paragraphs = ("".join(texts(p)).strip() for p in cell.iter(qn("w:p")))
            yield " ".join(text for text in paragraphs if text)


def children(parent: etree._Element) -> Iterator[etree._Element]:
    """Paragraphs and tables, also those that form fields and insertions wrap."""
    for child in parent:
        if child.tag in (qn("w:p"), qn("w:tbl")):
            yield child
        elif child.tag in WRAPPERS:
            yield from children(child)


def inside(parent: etree._Element, tag: str) -> Iterator[etree._Element]:
    """The rows of a table or cells of a row, but not those of a table within."""
    for child in parent:
        if child.tag == tag:
            yield child
        elif child.tag in WRAPPERS:
            yield from inside(child, tag)


def texts(element: etree._Element) -> Iterator[str]:
    for child in element:
        if child.tag == qn("w:t"):
            yield child.text or ""
        elif child.tag in SPACES:
            yield SPACES[child.tag]
        elif child.tag not in (FALLBACK, qn("w:pPr")):
            yield from texts(child)


def value(element: etree._Element, path: str) -> str:
    found = element.find("/".join(qn(name) for name in path.split("/")))
    return "" if found is None else found.get(qn("w:val"), "")


def damaged(path: Path, error: Exception) -> BadInput:
    return BadInput(
        f"{path.name}: is a damaged Word document ({str(error)[:200]}). "
        "Open it in a word processor and save it anew, if it can."
    )
