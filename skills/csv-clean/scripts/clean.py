# /// script
# requires-python = ">=3.11"
# dependencies = ["charset-normalizer>=3.4,<4"]
# ///
"""Clean a CSV file: one header row, one width, one encoding, one way to say "missing".

The file is read twice and streamed both times, so its size does not matter; ``--dedupe`` alone
needs memory, about 120 bytes for each distinct row.
"""

import argparse
import hashlib
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.dont_write_bytecode = True  # a skill's folder is content: running it must not change it
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from column_reading import Evidence, Wish, add_reading_arguments  # noqa: E402
from csv_file import (  # noqa: E402
    MISSING,
    BadInput,
    CsvFile,
    add_csv_arguments,
    composed,
    open_csv,
    unique_names,
)
from csv_writer import one_line_end, write_csv  # noqa: E402

# What str.strip() removes, and the zero-width marks that spreadsheets and web pages leave behind.
SPACES = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\ufeff\u200b"
EXAMPLE_LINES = 10


@dataclass(frozen=True)
class Options:
    strip: bool
    missing: frozenset[str]
    missing_as: str
    drop_empty: bool
    dedupe: bool
    normalise_headers: bool
    ragged: str
    skip_lines: int
    decimal: str
    dates: str


@dataclass
class Counts:
    """What one pass over the file changed."""

    rows_in: int = 0
    cells_trimmed: int = 0
    cells_made_missing: int = 0
    blank_lines: int = 0
    short_rows: int = 0
    long_rows: int = 0
    ragged_lines: list[int] = field(default_factory=list)
    dropped_ragged_rows: int = 0
    dropped_empty_rows: int = 0
    dropped_duplicate_rows: int = 0


def clean(source: CsvFile, output: Path, options: Options) -> dict[str, object]:
    """Write the cleaned table to ``output`` and return what was changed."""
    if output.exists() and output.samefile(source.path):
        raise BadInput(f"{output}: is the input itself. Name another file with -o.")
    header, seen = survey(source, options)
    columns = range(len(header))
    # Without one value in the table there is nothing to tell an empty column by.
    with_values = {i for i in columns if seen[i].present}
    drop = {i for i in columns if options.drop_empty and with_values and i not in with_values}
    kept = [i for i in columns if i not in drop]
    names = unique_names([snake_case(n) for n in header] if options.normalise_headers else header)
    written, notes = values_written(names, seen, options)

    table = Pass(source, options)
    rows = (
        [written[i](row[i]) or options.missing_as for i in kept]
        for row in table.kept_rows(len(header))
    )
    rows_out = write_csv(output, [names[i] for i in kept], rows)
    return {
        "input": source.path.name,
        "output": str(output),
        "encoding": source.encoding,
        "delimiter": source.delimiter,
        "columns": [names[i] for i in kept],
        "renamed_columns": {a: b for a, b in zip(header, names, strict=True) if a and a != b},
        "dropped_empty_columns": [names[i] for i in sorted(drop)],
        "rows_out": rows_out,
        **asdict(table.counts),
        "notes": [*source.notes, *notes],
    }


def survey(source: CsvFile, options: Options) -> tuple[list[str], list[Evidence]]:
    """Return the header, widened to the longest row, and how each column's values look."""
    header, rows = Pass(source, options).header_and_rows()
    seen = [Evidence() for _ in header]
    for row in rows:
        seen.extend(Evidence() for _ in range(len(row) - len(seen)))
        for evidence, cell in zip(seen, row, strict=False):
            if cell:
                evidence.add(cell.strip(SPACES))
    return header + [""] * (len(seen) - len(header)), seen


def values_written(
    names: list[str], seen: list[Evidence], options: Options
) -> tuple[list[Callable[[str], str]], list[str]]:
    """How to write the values of each column, and what to tell of the ways they are written."""
    wish = Wish(*("auto" if said == "keep" else said for said in (options.decimal, options.dates)))
    written: list[Callable[[str], str]] = []
    notes = []
    for name, evidence in zip(names, seen, strict=True):
        reading = evidence.reading(name, wish)
        option = "--dates" if reading.of_dates else "--decimal"
        keeps = (options.dates if reading.of_dates else options.decimal) == "keep"
        written.append(str if keeps or not reading.plain else reading.plain)
        if reading.note:
            left = f" Left as written: {option} auto writes it plainly."
            notes.append(reading.note + (left if keeps and reading.plain else ""))
    return written, notes


class Pass:
    """One pass over the file: tidy cells, even rows, and the count of what was changed."""

    def __init__(self, source: CsvFile, options: Options) -> None:
        self.source = source
        self.options = options
        self.counts = Counts()

    def kept_rows(self, width: int) -> Iterator[list[str]]:
        """Yield the rows to keep, all of one width."""
        seen: set[bytes] = set()
        for row in self.header_and_rows()[1]:
            if self.options.drop_empty and not any(row):
                self.counts.dropped_empty_rows += 1
                continue
            row.extend([""] * (width - len(row)))
            if self.options.dedupe:
                digest = hashlib.blake2b(repr(row).encode(), digest_size=16).digest()
                if digest in seen:
                    self.counts.dropped_duplicate_rows += 1
                    continue
                seen.add(digest)
            yield row

    def header_and_rows(self) -> tuple[list[str], Iterator[list[str]]]:
        """Return the header and the tidy rows; a missing cell is an empty string."""
        lines = ((n, row) for n, row in self.source.rows() if n > self.options.skip_lines)
        for _, cells in lines:
            header = [composed(cell.strip(SPACES)) for cell in cells]
            if any(header):
                return header, self._rows(lines, len(header))
            self.counts.blank_lines += 1
        raise BadInput(f"{self.source.path.name}: is empty. A header row is needed.")

    def _rows(self, lines: Iterator[tuple[int, list[str]]], width: int) -> Iterator[list[str]]:
        for line, cells in lines:
            if not cells:
                self.counts.blank_lines += 1
                continue
            self.counts.rows_in += 1
            row = [self._tidy(cell) for cell in cells]
            while len(row) > width and not row[-1]:
                row.pop()
            if len(row) == width or self._keeps_ragged(line, len(row), width):
                yield row

    def _tidy(self, cell: str) -> str:
        bare = cell.strip(SPACES)
        if not bare or bare in self.options.missing:
            self.counts.cells_made_missing += cell != ""
            return ""
        if self.options.strip and bare != cell:
            self.counts.cells_trimmed += 1
            cell = bare
        return one_line_end(cell)

    def _keeps_ragged(self, line: int, length: int, width: int) -> bool:
        if self.options.ragged == "fail":
            raise BadInput(
                f"{self.source.path.name}, line {line}: has {length} cells, but the header has "
                f"{width}. Fix the line, or choose --ragged keep or --ragged drop."
            )
        self.counts.short_rows += length < width
        self.counts.long_rows += length > width
        self.counts.dropped_ragged_rows += self.options.ragged == "drop"
        if len(self.counts.ragged_lines) < EXAMPLE_LINES:
            self.counts.ragged_lines.append(line)
        return self.options.ragged == "keep"


def snake_case(name: str) -> str:
    """``Body Mass (g)`` -> ``body_mass_g``, ``studyName`` -> ``study_name``; any script is kept."""
    words = unicodedata.normalize("NFKC", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name))
    lowered = unicodedata.normalize("NFKC", words.lower())
    kept = (c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in lowered)
    return "_".join("".join(kept).split())


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Clean a CSV file and print what was changed as one JSON object.",
        epilog="Exit codes: 0 done, 2 usage or bad input.",
    )
    add = parser.add_argument
    add("input", type=Path, metavar="INPUT", help="the CSV file to clean")
    add("-o", "--output", type=Path, default=Path("clean.csv"), help="default: clean.csv")
    add("--drop-empty", action="store_true", help="drop rows and columns without any value")
    add("--dedupe", action="store_true", help="drop rows equal to an earlier row")
    add("--normalise-headers", action="store_true", help="column names as snake_case")
    add("--strip", action=argparse.BooleanOptionalAction, default=True, help="trim every cell")
    add("--na", default=",".join(MISSING), help="cells that mean missing (default: %(default)s)")
    add("--missing-as", default="", help="what to write for missing cells (default: nothing)")
    add(
        "--ragged",
        choices=("keep", "drop", "fail"),
        default="keep",
        help="rows of another width than the header: keep (fill short ones, add columns for long "
        "ones), drop, or fail (default: keep)",
    )
    add("--skip-lines", type=int, default=0, metavar="N", help="lines above the header to ignore")
    add_reading_arguments(parser, "keep")
    add_csv_arguments(parser)
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    options = Options(
        strip=arguments.strip,
        missing=frozenset({*arguments.na.split(","), arguments.missing_as}),
        missing_as=arguments.missing_as,
        drop_empty=arguments.drop_empty,
        dedupe=arguments.dedupe,
        normalise_headers=arguments.normalise_headers,
        ragged=arguments.ragged,
        skip_lines=arguments.skip_lines,
        decimal=arguments.decimal,
        dates=arguments.dates,
    )
    try:
        source = open_csv(arguments.input, arguments.encoding, arguments.delimiter)
        summary = clean(source, arguments.output, options)
    except (BadInput, OSError) as error:
        print(f"clean.py: {error}", file=sys.stderr)
        return 2
    print(json.dumps(summary, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
