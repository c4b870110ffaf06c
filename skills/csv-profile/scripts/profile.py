# /// script
# requires-python = ">=3.11"
# dependencies = ["charset-normalizer>=3.4,<4"]
# ///
"""Describe every column of a CSV file: type, missing, distinct, range, spread, commonest values.

The file is streamed twice, so its size does not matter: first to see how its values are written.
"""

import argparse
import json
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

sys.dont_write_bytecode = True  # a skill's folder is content: running it must not change it
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from column_reading import Evidence, Wish, add_reading_arguments  # noqa: E402
from columns import Column, ColumnProfile, DateSummary, NumberSummary, TextSummary  # noqa: E402
from csv_file import MISSING, BadInput, CsvFile, add_csv_arguments, open_csv  # noqa: E402

BARS = "▁▂▃▄▅▆▇█"
SHOWN_CHARS = 60


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
    header, _ = source.table()
    seen = [Evidence() for _ in header]
    for row in source.table()[1]:
        for evidence, cell in zip(seen, row, strict=False):
            value = cell.strip()
            if value and value not in missing:
                evidence.add(value)
    readings = [evidence.reading(name, wish) for name, evidence in zip(header, seen, strict=True)]
    columns = [Column(*pair) for pair in zip(header, readings, strict=True)]
    count = ragged = 0
    for row in source.table()[1]:
        count += 1
        ragged += len(row) != len(columns)
        for column, cell in zip(columns, row + [""] * (len(columns) - len(row)), strict=False):
            value = cell.strip()
            if not value or value in missing:
                column.missing += 1
            else:
                column.add(value)
    told = [*source.notes, *(reading.note for reading in readings if reading.note)]
    return Profile(
        source.path.name,
        source.encoding,
        source.delimiter,
        rows=count,
        ragged_rows=ragged,
        missing_cells=sum(column.missing for column in columns),
        notes=told + notes(columns, count, ragged),
        columns=[column.describe(top) for column in columns],
    )


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
