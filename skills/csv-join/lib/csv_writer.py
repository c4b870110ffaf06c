"""Writing a CSV file that every reader takes the same way: UTF-8, commas, line feeds."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from csv_delimiter import detect_delimiter


@dataclass(frozen=True)
class Written:
    """So many rows that are CSV already, as this module would have written them."""

    content: bytes
    rows: int


def write_csv(output: Path, names: list[str], rows: Iterable[list[str] | Written]) -> int:
    """Write the file whole or not at all; return the number of rows under the header."""
    part = output.with_name(f"{output.name}.part")
    count = 0
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([one_line_end(name) for name in names])
            for row in rows:
                if isinstance(row, Written):
                    file.flush()
                    file.buffer.write(row.content)
                    count += row.rows
                else:
                    writer.writerow([one_line_end(cell) for cell in row])
                    count += 1
        if detect_delimiter(part, "utf-8") != ",":
            quote_all(part)
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
    return count


def one_line_end(cell: str) -> str:
    """A lone carriage return would be written unquoted and read back as the end of a row."""
    return cell.replace("\r\n", "\n").replace("\r", "\n") if "\r" in cell else cell


def quote_all(path: Path) -> None:
    """Quote every cell, so that no reader takes a character inside the cells for the delimiter."""
    quoted = path.with_name(f"{path.name}.quoted")
    try:
        with (
            path.open(encoding="utf-8", newline="") as plain,
            quoted.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
            writer.writerows(csv.reader(plain))
        quoted.replace(path)
    finally:
        quoted.unlink(missing_ok=True)  # it is left when the disk is full
