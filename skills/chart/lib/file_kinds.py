"""What a file is that is no CSV, whatever its name says.

Every skill that reads CSV carries this same module, because a skill's folder stands alone.
"""

import zipfile
from pathlib import Path

UNPACK = "Unpack it first."
SAVE = "Save its sheet as CSV first."
# How such files begin, and what to do about them.
BEGINNINGS = (
    (b"\x1f\x8b", "a gzip archive", UNPACK),
    (b"BZh", "a bzip2 archive", UNPACK),
    (b"\xfd7zXZ\x00", "an xz archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!", "a RAR archive", UNPACK),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", SAVE),
    (b"%PDF-", "a PDF document", "Extract its table first."),
    (b"PAR1", "a Parquet file", "Convert it to CSV first."),
    (b"SQLite format 3\x00", "an SQLite database", "Export a table as CSV first."),
)
PAGES = (b"<!doctype html", b"<html", b"<table", b"<?xml")
ZIP = b"PK\x03\x04"


def other_kind(path: Path) -> tuple[str, str] | None:
    """What the file is and what to do; None if it may be text."""
    with path.open("rb") as file:
        start = file.read(64)
    if start.startswith(ZIP):
        return zip_kind(path)
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(PAGES):
        return "a web page or XML", SAVE
    return next(
        ((kind, remedy) for mark, kind, remedy in BEGINNINGS if start.startswith(mark)), None
    )


def zip_kind(path: Path) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError):
        names = set()
    if "xl/workbook.xml" in names or "xl/workbook.bin" in names:
        return "an Excel workbook (.xlsx)", SAVE
    if "content.xml" in names:
        return "an OpenDocument file (.ods)", SAVE
    return "a ZIP archive", UNPACK
