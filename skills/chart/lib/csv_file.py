"""Reading CSV files of any common encoding and delimiter.

Every skill that reads CSV carries this same module, because a skill's folder stands alone.
"""

import argparse
import csv
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bad_input import BadInput
from csv_delimiter import detect_delimiter, sep_line
from file_kinds import other_kind
from text_encoding import NotText, detect

MARK = "\ufeff"  # at the start of a line where files were put together
MISSING = ("NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null")
FIELD_LIMIT_CHARS = 1_000_000
MAX_COLUMNS = 16_384  # what spreadsheets hold; one hostile row must not fill the memory
# What str.strip() removes, and the zero-width marks that spreadsheets and web pages leave behind.
SPACES = "".join(filter(str.isspace, map(chr, range(0x3001)))) + MARK + "\u200b"


@dataclass(frozen=True)
class CsvFile:
    """A CSV file whose encoding and delimiter are known; ``notes`` say what was only guessed."""

    path: Path
    encoding: str
    delimiter: str
    has_sep_line: bool = False
    notes: tuple[str, ...] = ()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (number of the row's last line, its cells); a blank line has no cells."""
        csv.field_size_limit(FIELD_LIMIT_CHARS)
        line = above = 0
        try:
            with self.path.open(encoding=self.encoding, newline="") as file:
                if self.has_sep_line:
                    file.readline()
                    above = 1
                lines = (line.removeprefix(MARK) for line in file)
                reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
                for row in reader:
                    line = reader.line_num + above
                    if len(row) > MAX_COLUMNS:
                        raise self.too_wide(line, len(row))
                    yield line, row
        except UnicodeError as error:
            raise self.not_text(line, error) from error
        except csv.Error as error:
            raise self.bad_quote(line, error) from error

    def too_wide(self, line: int, cells: int) -> BadInput:
        return BadInput(
            f"{self.path.name}, line {line}: has {cells} cells, the limit is "
            f"{MAX_COLUMNS}. Check the delimiter (--delimiter)."
        )

    def not_text(self, line: int, error: UnicodeError) -> BadInput:
        return BadInput(
            f"{self.path.name}, after line {line}: is not {self.encoding} text ({error}). "
            "Name the right encoding with --encoding."
        )

    def bad_quote(self, line: int, error: csv.Error) -> BadInput:
        return BadInput(
            f"{self.path.name}, in the row after line {line}: {error}. "
            "A quote is probably not closed or not doubled: fix that row."
        )

    def table(self) -> tuple[list[str], Iterator[list[str]]]:
        """Return the header, each name its own, and the rows that are not blank, as they are."""
        rows = (cells for _, cells in self.rows() if cells)
        header = next(rows, None)
        if header is None:
            raise BadInput(f"{self.path.name}: is empty. A header row is needed.")
        return unique_names([composed(name.strip(SPACES)) for name in header]), rows


def open_csv(path: Path, encoding: str = "auto", delimiter: str = "auto") -> CsvFile:
    """Find out whatever is ``auto``."""
    if not path.is_file():
        raise BadInput(f"{path}: no such file. Check the path.")
    if kind := other_kind(path):
        raise BadInput(f"{path.name}: is {kind[0]}, not CSV. {kind[1]}")
    notes = []
    if encoding == "auto":
        encoding, note = detect_encoding(path)
        notes = [note] if note else []
    named = sep_line(path, encoding)
    if delimiter == "auto":
        delimiter = named or detect_delimiter(path, encoding)
    return CsvFile(path, encoding, delimiter, named is not None, tuple(notes))


def detect_encoding(path: Path) -> tuple[str, str | None]:
    """The encoding, and what to tell a person if it is a guess."""
    try:
        found = detect(path)
    except NotText as error:
        raise BadInput(
            f"{path.name}: is not a text file: there is a NUL byte in line {error.line}. Save it "
            "as CSV again, or remove the NUL bytes first; if it is UTF-16, pass "
            "--encoding utf-16-le."
        ) from error
    remedy = "Where they are wrong, name the right encoding with --encoding."
    return found.name, f"{found.note} {remedy}" if found.note else None


def composed(text: str) -> str:
    """One code for what looks the same: macOS writes e and its accent, others one letter."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def unique_names(header: list[str]) -> list[str]:
    """Give every column a name of its own: a blank one its number, a repeated one a suffix."""
    wanted = [name or f"column_{number}" for number, name in enumerate(header, start=1)]
    taken = set(wanted)
    given: set[str] = set()
    names = []
    for name in wanted:
        unique, number = name, 2
        while unique in given or (unique != name and unique in taken):
            unique, number = f"{name}_{number}", number + 1
        given.add(unique)
        names.append(unique)
    return names


def add_csv_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--encoding", default="auto", type=parse_encoding, help="of the input (default: found out)"
    )
    parser.add_argument(
        "--delimiter",
        default="auto",
        type=parse_delimiter,
        help="of the input: one character, or 'tab' (default: found out)",
    )


def parse_encoding(name: str) -> str:
    try:
        if name != "auto":
            "".encode(name)
    except LookupError as error:
        raise argparse.ArgumentTypeError(f"{error}; for example utf-8, utf-16, cp1252") from error
    return name


def parse_delimiter(text: str) -> str:
    delimiter = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if delimiter != "auto" and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise argparse.ArgumentTypeError(f"{text!r}: give one character, or 'tab'")
    return delimiter
