"""Reading a file, and what it tells of each column."""

from typing import TYPE_CHECKING

from column_reading import Evidence, Reading, Wish
from columns import Column
from csv_file import SPACES, CsvFile
from csv_parts import Parts

if TYPE_CHECKING:
    from column_looks import Forms
    from polars import DataFrame


class Table:
    """``deferred``: columns that were only looked at, for they need to be read again anyway."""

    def __init__(self, source: CsvFile, missing: frozenset[str], wish: Wish) -> None:
        self.source = source
        self.missing = missing
        self.wish = wish
        self.rows = self.ragged = 0
        self.columns: list[Column] = []
        self.looks: list[Evidence] = []
        self.deferred: frozenset[int] = frozenset()
        self._forms: dict[int, Forms] = {}
        self._has_frames = False

    def read(self) -> None:
        """Read all rows."""
        names = self.source.table()[0]
        self.columns = [Column(name) for name in names]
        self.looks = [Evidence() for _ in names]
        self._read(looks=True)

    def read_again(self) -> frozenset[int]:
        """Read the columns whose values are to be read in another way than as they are written."""
        readings = self.readings()
        again = {i for i, reading in enumerate(readings) if reading.plain} | self.deferred
        for number in again:
            self.columns[number] = Column(self.columns[number].name, readings[number])
        self.deferred = frozenset(range(len(self.columns))) - again
        if again:
            self._read(looks=False)

    def readings(self) -> list[Reading]:
        """How each column is to be read, by what has been seen of it so far."""
        pairs = zip(self.columns, self.looks, strict=True)
        return [looks.reading(column.name, self.wish) for column, looks in pairs]

    def _read(self, *, looks: bool) -> None:
        self.rows = self.ragged = 0
        parts = Parts(self.source)
        if not looks:
            parts.wanted = [n for n in range(len(self.columns)) if n not in self.deferred]
        for part in parts:
            if isinstance(part, list):
                rows = [cells for _, cells in part if cells]
                if not parts.width and rows:
                    rows.pop(0)  # the header
                    parts.width = len(self.columns)
                self._add_rows(rows, looks=looks)
            else:
                self._add_frame(part.frame, looks=looks)

    def _add_rows(self, rows: list[list[str]], *, looks: bool) -> None:
        width = len(self.columns)
        for row in rows:
            self.rows += 1
            self.ragged += len(row) != width
            cells = row + [""] * (width - len(row))
            for number, (column, cell) in enumerate(zip(self.columns, cells, strict=False)):
                value = cell.strip(SPACES)
                is_missing = not value or value in self.missing
                if looks and not is_missing:
                    self.looks[number].add(value)
                if number in self.deferred:
                    continue
                if is_missing:
                    column.missing += 1
                else:
                    column.add(value)

    def _add_frame(self, frame: "DataFrame", *, looks: bool) -> None:
        # Here, for only large files are worth loading polars.
        from column_frame import add_values, present  # noqa: PLC0415
        from column_looks import Forms, add_looks  # noqa: PLC0415
        from plain_values import plainly  # noqa: PLC0415

        self.rows += frame.height
        for number, column in enumerate(self.columns):
            if number in self.deferred and not looks:
                continue
            cells = frame[str(number)]
            values = present(cells, self.missing)
            forms = self._forms.setdefault(number, Forms())
            if looks:
                add_looks(self.looks[number], values, forms)
                self._defer(number)
            if number not in self.deferred:
                column.missing += len(cells) - len(values)
                add_values(column, plainly(values, column.reading, forms))
        self._has_frames = True

    def _defer(self, number: int) -> None:
        """By the first of many values: where they are not plain, all of them rarely are."""
        if not self._has_frames:
            name = self.columns[number].name
            if self.looks[number].reading(name, self.wish).plain:
                self.deferred |= {number}
