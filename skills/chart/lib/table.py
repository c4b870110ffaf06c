"""A CSV table in memory, its columns known as numbers, dates or text."""

import difflib
import math
import re
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Literal

from column_reading import Evidence, Wish
from csv_file import MISSING, BadInput, CsvFile, composed

# About 1.5 GB of cells when they all differ.
MAX_CELLS = 20_000_000
MAX_CATEGORIES = 20
MOSTLY = 0.9
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
# Year first only: others are turned into this before, where their column leaves no doubt.
DATE = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2}([T ].+)?)?")
# Numbers that name a thing instead of measuring one.
IDENTIFIER = re.compile(r"(^|[ _])(id|no|nr|number|index|key|code|zip|year)$", re.IGNORECASE)

Type = Literal["number", "date", "text", "empty"]


@dataclass(frozen=True)
class Column:
    name: str
    cells: list[str]  # "" is missing

    @cached_property
    def counts(self) -> Counter[str]:
        return Counter(cell for cell in self.cells if cell)

    @property
    def distinct(self) -> int:
        return len(self.counts)

    @cached_property
    def type(self) -> Type:
        """Number or date when nearly all values are; the odd ones are left out of the chart."""
        if not self.counts:
            return "empty"
        enough = MOSTLY * self.counts.total()
        if sum(times for cell, times in self.counts.items() if number(cell) is not None) >= enough:
            return "number"
        dates = sum(times for cell, times in self.counts.items() if date(cell) is not None)
        return "date" if dates >= enough else "text"


@dataclass(frozen=True)
class Table:
    file: str
    columns: list[Column]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return len(self.columns[0].cells)

    def column(self, name: str) -> Column:
        name = composed(name)
        for column in self.columns:
            if column.name == name:
                return column
        names = [column.name for column in self.columns]
        near = difflib.get_close_matches(name, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise BadInput(f"{self.file}: has no column {name!r}.{hint} Columns: {', '.join(names)}.")

    @cached_property
    def measures(self) -> list[Column]:
        """Numbers worth drawing: they vary and do not just name a thing."""
        numbers = (c for c in self.columns if c.type == "number" and c.distinct > 1)
        return [c for c in numbers if not IDENTIFIER.search(c.name)]

    @cached_property
    def categories(self) -> list[Column]:
        """Texts that sort the rows into a readable number of kinds."""
        texts = (c for c in self.columns if c.type == "text")
        return [c for c in texts if 2 <= c.distinct <= MAX_CATEGORIES]

    @cached_property
    def dates(self) -> list[Column]:
        return [c for c in self.columns if c.type == "date" and c.distinct > 2]


def read_table(source: CsvFile, wish: Wish) -> Table:
    header, rows = source.table()
    cells: list[list[str]] = [[] for _ in header]
    for number_of_row, row in enumerate(rows, start=1):
        if number_of_row * len(header) > MAX_CELLS:
            raise BadInput(
                f"{source.path.name}: has more than {MAX_CELLS:,} cells, too many to draw. "
                "Aggregate it or keep fewer columns first."
            )
        for column, cell in zip(cells, row + [""] * (len(header) - len(row)), strict=False):
            value = cell.strip()
            column.append("" if value in MISSING else sys.intern(value))
    if not cells[0]:
        raise BadInput(
            f"{source.path.name}: has a header but no rows, so there is nothing to draw."
        )
    columns, notes = [], list(source.notes)
    for name, values in zip(header, cells, strict=True):
        read, note = read_column(Column(name, values), wish)
        columns.append(read)
        notes += [note] if note else []
    return Table(source.path.name, columns, tuple(notes))


def read_column(column: Column, wish: Wish) -> tuple[Column, str | None]:
    """The column with its numbers and dates as programs write them, and what to tell of it."""
    evidence = Evidence()
    for value, times in column.counts.items():
        evidence.add(value, times)
    reading = evidence.reading(column.name, wish)
    if not reading.plain:
        return column, reading.note
    plain = {value: sys.intern(reading.plain(value)) for value in column.counts}
    return Column(column.name, [plain[v] if v else v for v in column.cells]), reading.note


def number(cell: str) -> float | None:
    value = float(cell) if NUMBER.fullmatch(cell) else math.inf
    return value if math.isfinite(value) else None


def date(cell: str) -> datetime | None:
    """An ISO 8601 date or time; a zone is turned into UTC and forgotten."""
    if not DATE.fullmatch(cell):
        return None
    try:
        parsed = datetime.fromisoformat(cell if len(cell) > len("2024-01") else f"{cell}-01")
        return parsed.astimezone(UTC).replace(tzinfo=None) if parsed.tzinfo else parsed
    except (ValueError, OverflowError):
        return None
