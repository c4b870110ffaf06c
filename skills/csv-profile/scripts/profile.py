# /// script
# requires-python = ">=3.11"
# dependencies = ["charset-normalizer>=3.4,<4", "polars>=2.1,<3"]
# ///
"""Describe every column of a CSV file: type, missing, distinct, range, spread, commonest values.

The file is streamed, so its size does not matter; twice where numbers or dates are written in a way
that takes all of their column to judge. Where polars is installed, it reads large files.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.dont_write_bytecode = True  # a skill's folder is content: running it must not change it
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from column_reading import Evidence, Reading, Wish, add_reading_arguments  # noqa: E402
from columns import Column, ColumnProfile, DateSummary, NumberSummary, TextSummary  # noqa: E402
from csv_file import MISSING, BadInput, CsvFile, add_csv_arguments, open_csv  # noqa: E402
from csv_parts import Parts  # noqa: E402

if TYPE_CHECKING:
    from polars import DataFrame

BARS = "▁▂▃▄▅▆▇█"
SHOWN_CHARS = 60

Plain = Callable[[str], str]  # a value as programs write it


@dataclass(frozen=True)
class Profile:
    file: str
    encoding: str
    delimiter: str
    rows: int
    ragged_rows: int
    missing_cells: int
    notes: list[str]
    columns: list[ColumnProfile]


def profile(source: CsvFile, missing: frozenset[str], top: int, wish: Wish) -> Profile:
    """Describe the file."""
    table = Table(source, missing)
    table.read()
    readings = table.readings(wish)
    if any(reading.plain for reading in readings):
        # All of a column tells how its values are written; only then can they be read.
        table = Table(source, missing)
        table.read([reading.plain for reading in readings])
    told = [*source.notes, *(reading.note for reading in readings if reading.note)]
    columns = table.columns
    return Profile(
        source.path.name,
        source.encoding,
        source.delimiter,
        rows=table.rows,
        ragged_rows=table.ragged,
        missing_cells=sum(column.missing for column in columns),
        notes=told + notes(columns, table.rows, table.ragged),
        columns=[column.describe(top) for column in columns],
    )


class Table:
    """One pass over the file, and what it tells of each column."""

    def __init__(self, source: CsvFile, missing: frozenset[str]) -> None:
        self.source = source
        self.missing = missing
        self.rows = self.ragged = 0
        self.columns: list[Column] = []
        self.looks: list[Evidence] = []

    def read(self, plain: list[Plain | None] | None = None) -> None:
        """Read all rows; ``plain`` says for each column how to read its values."""
        names = self.source.table()[0]
        self.columns = [
            Column(name, how) for name, how in zip(names, plain or [None] * len(names), strict=True)
        ]
        self.looks = [Evidence() for _ in names]
        parts = Parts(self.source)
        has_frames = False
        for part in parts:
            if isinstance(part, list):
                self._add_rows([cells for _, cells in part if cells], has_header=not parts.width)
                parts.width = len(names) if parts.width or any(cells for _, cells in part) else None
            else:
                self._add_frame(part)
                has_frames = True
        if has_frames:
            from column_frame import sort_numbers  # noqa: PLC0415

            for column in self.columns:
                sort_numbers(column)

    def readings(self, wish: Wish) -> list[Reading]:
        pairs = zip(self.columns, self.looks, strict=True)
        return [looks.reading(column.name, wish) for column, looks in pairs]

    def _add_rows(self, rows: list[list[str]], *, has_header: bool) -> None:
        width = len(self.columns)
        for row in rows[has_header:]:
            self.rows += 1
            self.ragged += len(row) != width
            cells = row + [""] * (width - len(row))
            for column, looks, cell in zip(self.columns, self.looks, cells, strict=False):
                value = cell.strip()
                if not value or value in self.missing:
                    column.missing += 1
                else:
                    column.add(value)
                    looks.add(value)

    def _add_frame(self, frame: "DataFrame") -> None:
        # Here, for only large files are worth loading polars.
        from column_frame import add_values, present  # noqa: PLC0415
        from column_looks import add_looks  # noqa: PLC0415

        self.rows += frame.height
        for column, looks, cells in zip(
            self.columns, self.looks, frame.iter_columns(), strict=True
        ):
            values = present(cells, self.missing)
            column.missing += len(cells) - len(values)
            add_values(column, values)
            add_looks(looks, values)


def notes(columns: list[Column], rows: int, ragged: int) -> list[str]:
    """What a careful reader would want to know first."""
    found = [f"{ragged} rows have another number of cells than the header."] if ragged else []
    for column in columns:
        distinct = len(column.values)
        if not column.present:
            found.append(f"{column.name} has no values.")
        elif distinct == 1 < column.present:
            found.append(f"{column.name} has one and the same value in every row that has any.")
        elif distinct == rows > 1 and column.type in ("int", "text"):
            found.append(f"{column.name} differs in every row: it can serve as a key.")
        if odd := column.odd:
            examples = ", ".join(repr(example) for example in column.odd_examples)
            found.append(
                f"{column.name} is {column.main_type}, but for {odd} of {column.present} values: "
                f"{examples}."
            )
    return found


def as_markdown(described: Profile) -> str:
    lines = [
        f"# Profile of {escape(described.file)}",
        "",
        f"{described.rows:,} rows, {len(described.columns):,} columns, "
        f"{described.missing_cells:,} missing cells.",
        "",
        *(f"- {escape(note)}" for note in described.notes),
        "",
        "| Column | Type | Missing | Distinct | Values |",
        "|:--|:--|--:|--:|:--|",
    ]
    for column in described.columns:
        more = "+" if column.distinct_is_at_least else ""
        lines.append(
            f"| {escape(column.name)} | {column.type} | {column.missing:,} "
            f"| {column.distinct:,}{more} | {in_short(column)} |"
        )
    return "\n".join(lines) + "\n"


def in_short(column: ColumnProfile) -> str:
    match column.summary:
        case NumberSummary(low, high, mean, _, quantiles, bins):
            spark = "".join(BARS[round(n / max(bins) * (len(BARS) - 1))] for n in bins)
            middle = f"median {figure(quantiles['p50'])}, mean {figure(mean)}"
            return f"{figure(low)} to {figure(high)}, {middle} {spark}"
        case DateSummary(first, last):
            return f"{first} to {last}"
        case TextSummary(top):
            shown = [f"{escape(value)} ({count:,})" for value, count in top[:3]]
            return ", ".join(shown) + (", …" if column.distinct > len(shown) else "")
    return ""


def figure(number: float | None) -> str:
    if number is None:
        return "unknown"
    if isinstance(number, int):
        return f"{number:,}"
    return f"{number:,.2f}".rstrip("0").rstrip(".") if 0.1 <= abs(number) < 1e15 else f"{number:g}"


def escape(text: str) -> str:
    """Text as plain Markdown on one short line."""
    line = " ".join(text.split())
    line = line if len(line) <= SHOWN_CHARS else f"{line[: SHOWN_CHARS - 1]}…"
    return re.sub(r"([\\`*\[\]|])", r"\\\1", line).replace("&", "&amp;").replace("<", "&lt;")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Describe every column of a CSV file. Writes PREFIX.json and PREFIX.md, and "
        "prints a short JSON summary.",
        epilog="Exit codes: 0 done, 2 usage or bad input.",
    )
    add = parser.add_argument
    add("input", type=Path, metavar="INPUT", help="the CSV file to describe")
    add("-o", "--output", default="profile", metavar="PREFIX", help="default: profile")
    add("--na", default=",".join(MISSING), help="cells that mean missing (default: %(default)s)")
    add("--top", type=int, default=10, metavar="N", help="commonest values to keep (default: 10)")
    add_reading_arguments(parser, "auto")
    add_csv_arguments(parser)
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    try:
        source = open_csv(arguments.input, arguments.encoding, arguments.delimiter)
        wish = Wish(arguments.decimal, arguments.dates)
        described = profile(source, frozenset(arguments.na.split(",")), arguments.top, wish)
        files = [f"{arguments.output}.json", f"{arguments.output}.md"]
        whole = json.dumps(asdict(described), indent=2, ensure_ascii=False, allow_nan=False)
        Path(files[0]).write_text(whole + "\n", encoding="utf-8")
        Path(files[1]).write_text(as_markdown(described), encoding="utf-8")
    except (BadInput, OSError) as error:
        print(f"profile.py: {error}", file=sys.stderr)
        return 2
    summary = {
        "rows": described.rows,
        "missing_cells": described.missing_cells,
        "types": {column.name: column.type for column in described.columns},
        "notes": described.notes,
        "files": files,
    }
    print(json.dumps(summary, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
