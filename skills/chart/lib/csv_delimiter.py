"""Which character stands between the cells of a file: as Excel's first line names it, or found out.

Every skill that reads CSV carries this same module, because a skill's folder stands alone.
"""

import csv
import io
import re
from collections import Counter
from pathlib import Path

from bad_input import BadInput

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_CHARS = 65_536
SEP_LINE_CHARS = 1024
# Excel's first line that names the delimiter, perhaps filled up to the width of the table.
SEP_LINE = re.compile(r"\ufeff?\"?sep=([^\"\r\n])\1*\"?[,;|\t ]*", re.IGNORECASE)


def sep_line(path: Path, encoding: str) -> str | None:
    """The delimiter that Excel's ``sep=;`` names in the first line, which is no row."""
    first_line = re.match(r"[^\r\n]*", head(path, encoding, SEP_LINE_CHARS))
    found = SEP_LINE.fullmatch(first_line[0]) if first_line else None
    return found[1] if found else None


def head(path: Path, encoding: str, chars: int) -> str:
    try:
        with path.open(encoding=encoding, newline="") as file:
            return file.read(chars)
    except UnicodeError as error:
        raise BadInput(
            f"{path.name}: is not {encoding} text ({error}). "
            "Name the right encoding with --encoding."
        ) from error


def detect_delimiter(path: Path, encoding: str) -> str:
    """The one that cuts most of the first rows into as many cells as the header has.

    If it cuts no header, there may be a title above it: then the one that cuts the most rows alike.
    """
    sample = head(path, encoding, SAMPLE_CHARS)

    def score(delimiter: str) -> tuple[int, int, int]:
        widths = widths_of(sample, delimiter)
        if widths and widths[0] > 1:
            return widths.count(widths[0]), widths[0], 0
        width, rows = usual_width(widths)
        # Text has commas, too: only most of the rows are enough.
        return 0, 0, rows if width > 1 and 2 * rows > len(widths) > 2 else 0

    return max(DELIMITERS, key=score)


def widths_of(sample: str, delimiter: str) -> list[int]:
    """How many cells each row has that is not blank."""
    widths: list[int] = []
    try:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, strict=True)
        widths.extend(len(row) for row in reader if row)
    except csv.Error:
        pass  # the sample may end within quotes; the rows before that have their say
    return widths


def usual_width(widths: list[int]) -> tuple[int, int]:
    """The commonest number of cells, and how many rows have it."""
    return Counter(widths).most_common(1)[0] if widths else (0, 0)
