# /// script
# requires-python = ">=3.11"
# dependencies = ["charset-normalizer>=3.4,<4", "polars>=2.1,<3"]
# ///
"""Clean a CSV file: one header row, one width, one encoding, one way to say "missing".

The file is streamed, twice if need be, so its size does not matter; ``--dedupe`` alone needs
memory, about 120 bytes for each distinct row. Where polars is installed, it reads large files.
"""

import argparse
import hashlib
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

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
from csv_parts import NumberedRow, Parts  # noqa: E402
from csv_writer import Written, one_line_end, write_csv  # noqa: E402

if TYPE_CHECKING:
    from polars import DataFrame

# What str.strip() removes, and the zero-width marks that spreadsheets and web pages leave behind.
SPACES = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\ufeff\u200b"
EXAMPLE_LINES = 10

Plain = Callable[[str], str]  # a value as programs write it


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

    @property
    def rewrites(self) -> bool:
        """Whether values may be written in another way, which takes all of a column to judge."""
        return (self.decimal, self.dates) != ("keep", "keep")


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
    table = Pass(source, options)
    if options.rewrites:
        table.survey()
        plan = Plan.of(table.header, table.seen, options)
        table = Pass(source, options)
    else:
        # Most files need no second reading: no column is dropped, no row is longer than the header.
        plan = Plan.of(table.read_header(), [], options)
    rows_out = write_csv(output, plan.kept_names, table.written_rows(plan))
    needed = Plan.of(table.header, table.seen, options)
    if (needed.names, needed.kept) != (plan.names, plan.kept):
        output.unlink()  # nobody may take it for the result if the next reading fails
        plan, table = needed, Pass(source, options)
        rows_out = write_csv(output, plan.kept_names, table.written_rows(plan))
    dropped = [name for i, name in enumerate(plan.names) if i not in plan.kept]
    return {
        "input": source.path.name,
        "output": str(output),
        "encoding": source.encoding,
        "delimiter": source.delimiter,
        "columns": plan.kept_names,
        "renamed_columns": plan.renamed,
        "dropped_empty_columns": dropped,
        "rows_out": rows_out,
        **asdict(table.counts),
        "notes": [*source.notes, *needed.notes],
    }


@dataclass(frozen=True)
class Plan:
    """What becomes of the columns: their names, the numbers of those kept, how to write values."""

    names: list[str]
    kept: list[int]
    renamed: dict[str, str]
    written: list[Plain | None]
    notes: list[str]

    @property
    def kept_names(self) -> list[str]:
        return [self.names[i] for i in self.kept]

    @classmethod
    def of(cls, header: list[str], seen: list[Evidence], options: Options) -> "Plan":
        """By the header and by the looks of all values; without these, as if none mattered."""
        header = header + [""] * (len(seen) - len(header))
        seen = seen + [Evidence() for _ in range(len(header) - len(seen))]
        with_values = {i for i, evidence in enumerate(seen) if evidence.present}
        # Without one value in the table there is nothing to tell an empty column by.
        drops = options.drop_empty and with_values
        kept = [i for i in range(len(header)) if i in with_values or not drops]
        wanted = [snake_case(n) for n in header] if options.normalise_headers else header
        names = unique_names(wanted)
        renamed = {a: b for a, b in zip(header, names, strict=True) if a and a != b}
        return cls(names, kept, renamed, *values_written(names, seen, options))


def values_written(
    names: list[str], seen: list[Evidence], options: Options
) -> tuple[list[Plain | None], list[str]]:
    """How to write the values of each column, and what to tell of the ways they are written."""
    wish = Wish(*("auto" if said == "keep" else said for said in (options.decimal, options.dates)))
    written: list[Plain | None] = []
    notes = []
    for name, evidence in zip(names, seen, strict=True):
        reading = evidence.reading(name, wish)
        option = "--dates" if reading.of_dates else "--decimal"
        keeps = (options.dates if reading.of_dates else options.decimal) == "keep"
        written.append(None if keeps else reading.plain)
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
        self.header: list[str] = []
        self.seen: list[Evidence] = []
        self._digests: set[bytes] = set()

    def read_header(self) -> list[str]:
        """The header alone."""
        table = Pass(self.source, self.options)
        next(table.tidy_parts(), None)
        return table.header

    def survey(self) -> None:
        """See all values, and write none."""
        for _ in self.tidy_parts():
            pass

    def written_rows(self, plan: Plan) -> Iterator[list[str] | Written]:
        """Yield the rows to keep, all of one width, or many of them as CSV."""
        for part in self.tidy_parts():
            if isinstance(part, list):
                yield from self._planned(part, plan)
            elif len(plan.kept) > 1:
                yield frames().as_csv(self._kept_frame(part, plan))
            else:
                yield from self._planned(map(list, part.fill_null("").rows()), plan)

    def _planned(self, rows: Iterable[list[str]], plan: Plan) -> Iterator[list[str]]:
        for row in rows:
            row.extend([""] * (len(plan.names) - len(row)))
            if self._keeps(row):
                yield [self._cell(row[i], plan.written[i]) for i in plan.kept]

    def _cell(self, cell: str, plain: Plain | None) -> str:
        return (plain(cell) if plain and cell else cell) or self.options.missing_as

    def _keeps(self, row: list[str]) -> bool:
        if self.options.drop_empty and not any(row):
            self.counts.dropped_empty_rows += 1
            return False
        return not self.options.dedupe or self._is_new("".join(f"{len(c)}:{c}" for c in row))

    def _is_new(self, key: str) -> bool:
        digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
        if digest in self._digests:
            self.counts.dropped_duplicate_rows += 1
            return False
        self._digests.add(digest)
        return True

    def tidy_parts(self) -> "Iterator[list[list[str]] | DataFrame]":
        """Yield the tidy rows under the header; a missing cell is an empty string, or null.

        Raises:
            BadInput: there is no header.
        """
        parts = Parts(self.source)
        for part in parts:
            if not isinstance(part, list):
                frame = self._tidy_frame(part)
                self._look_at_columns(frame)
                yield frame
                continue
            lines = iter(part)
            if not self.header:
                self.header = self._find_header(lines)
                parts.width = len(self.header) or None
            if self.header:
                rows = [*self._rows(lines, len(self.header))]
                self._look_at_rows(rows)
                yield rows
        if not self.header:
            raise BadInput(f"{self.source.path.name}: is empty. A header row is needed.")

    def _look_at_rows(self, rows: list[list[str]]) -> None:
        for row in rows:
            self.seen.extend(Evidence() for _ in range(len(row) - len(self.seen)))
            for evidence, cell in zip(self.seen, row, strict=False):
                if cell:
                    evidence.add(cell.strip(SPACES))

    def _look_at_columns(self, frame: "DataFrame") -> None:
        # Here, for only large files are worth loading polars.
        from column_looks import add_looks  # noqa: PLC0415

        self.seen.extend(Evidence() for _ in range(frame.width - len(self.seen)))
        for evidence, values in zip(self.seen, frame.iter_columns(), strict=False):
            present = values.drop_nulls()
            add_looks(evidence, present if self.options.strip else present.str.strip_chars(SPACES))

    def _find_header(self, lines: Iterator[NumberedRow]) -> list[str]:
        for line, cells in lines:
            if line <= self.options.skip_lines:
                continue
            header = [composed(cell.strip(SPACES)) for cell in cells]
            if any(header):
                return header
            self.counts.blank_lines += 1
        return []

    def _rows(self, lines: Iterator[NumberedRow], width: int) -> Iterator[list[str]]:
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

    def _tidy_frame(self, frame: "DataFrame") -> "DataFrame":
        self.counts.rows_in += frame.height
        tidied, made_missing, trimmed = frames().tidy(
            frame, SPACES, self.options.missing, strip=self.options.strip
        )
        self.counts.cells_made_missing += made_missing
        self.counts.cells_trimmed += trimmed
        return tidied

    def _kept_frame(self, frame: "DataFrame", plan: Plan) -> "DataFrame":
        frame = frames().widened(frame, len(plan.names))
        if self.options.drop_empty:
            with_values = frames().without_empty_rows(frame)
            self.counts.dropped_empty_rows += frame.height - with_values.height
            frame = with_values
        if self.options.dedupe:
            frame = frame.filter([self._is_new(key) for key in frames().keys(frame)])
        plain = {str(i): plan.written[i] for i in plan.kept}
        return frames().rewritten(frame.select(*plain), plain, self.options.missing_as)

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


def frames() -> ModuleType:
    """The module that needs polars, which only large files are worth loading."""
    import clean_frame  # noqa: PLC0415

    return clean_frame


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
