"""One pass over the file: tidy cells, even rows, and the count of what was changed."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clean_options import Options
from clean_plan import Plan
from column_reading import Evidence
from csv_file import SPACES, BadInput, CsvFile, composed
from csv_parts import NumberedRow, Parts
from csv_writer import Written, one_line_end

if TYPE_CHECKING:
    from clean_frame import Frames
    from column_looks import Forms
    from csv_parts import Block

EXAMPLE_LINES = 10


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


class Pass:
    """``seen``: how the columns are written, which a pass ``before`` this one has gathered."""

    def __init__(self, source: CsvFile, options: Options, before: "Pass | None" = None) -> None:
        self.source = source
        self.options = options
        self.looks = before is None
        self.forms: dict[int, Forms] = before.forms if before else {}
        self.counts = Counts()
        self.header: list[str] = []
        self.seen: list[Evidence] = before.seen if before else []
        self.last_row: Sequence[str | None] = ()
        self.repeated_headers = 0
        self._digests: set[bytes] = set()
        self._frames: Frames | None = None

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
            else:
                yield from self.frames().written(part, plan)

    def _planned(self, rows: Iterable[list[str]], plan: Plan) -> Iterator[list[str]]:
        for row in rows:
            row.extend([""] * (len(plan.names) - len(row)))
            if self._keeps(row):
                yield [self._cell(row[i], plan.written[i].plain) for i in plan.kept]

    def _cell(self, cell: str, plain: Callable[[str], str] | None) -> str:
        return (plain(cell) if plain and cell else cell) or self.options.missing_as

    def _keeps(self, row: list[str]) -> bool:
        if self.options.drop_empty and not any(row):
            self.counts.dropped_empty_rows += 1
            return False
        return not self.options.dedupe or self.is_new("".join(f"{len(c)}:{c}" for c in row))

    def is_new(self, key: str) -> bool:
        """Whether no earlier row had the key, if duplicates are to be dropped."""
        digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
        if digest in self._digests:
            self.counts.dropped_duplicate_rows += 1
            return False
        self._digests.add(digest)
        return True

    def tidy_parts(self) -> "Iterator[list[list[str]] | Block]":
        """Yield the tidy rows under the header; a missing cell is an empty string, or null.

        Raises:
            BadInput: there is no header.
        """
        parts = Parts(self.source)
        for part in parts:
            if not isinstance(part, list):
                yield self.frames().tidy(part)
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

    def frames(self) -> "Frames":
        """What tidies many rows at once: it needs polars, which only large files are worth."""
        if self._frames is None:
            from clean_frame import Frames  # noqa: PLC0415

            self._frames = Frames(self, SPACES)
        return self._frames

    def evidence(self, columns: int) -> list[Evidence]:
        """That of so many columns."""
        self.seen.extend(Evidence() for _ in range(columns - len(self.seen)))
        return self.seen[:columns]

    def _look_at_rows(self, rows: list[list[str]]) -> None:
        for row in rows:
            for evidence, cell in zip(self.evidence(len(row)), row, strict=True):
                if cell and self.looks:
                    evidence.add(cell.strip(SPACES))

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
            self.last_row = row
            self.repeated_headers += row == self.header
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
