"""The beginning of a CSV file as a table."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice

from markupsafe import Markup

from api.web.text.visible import visible

MAX_ROWS = 200
MAX_COLUMNS = 60
MAX_CELL = 300
_DELIMITERS = ",;\t|"
_SNIFFED_LINES = 20


@dataclass(frozen=True, slots=True)
class Table:
    html: Markup
    note: str


def table_of(text: str, *, is_cut: bool) -> Table | None:
    """The table; None when it is none. ``is_cut``: the last line may be half of one."""
    lines = text.splitlines()
    if is_cut and len(lines) > 1:
        lines = lines[:-1]
    try:
        reader = csv.reader(lines, delimiter=delimiter_of(lines))
        rows = list(islice((row for row in reader if row), MAX_ROWS + 2))
    except csv.Error:
        return None
    if not rows:
        return None
    head, *body = rows[: MAX_ROWS + 1]
    is_long = is_cut or len(rows) > MAX_ROWS + 1
    is_wide = max(map(len, rows)) > MAX_COLUMNS
    notes = [f"Only the first {len(body)} rows are shown."] if is_long else []
    notes += [f"Only the first {MAX_COLUMNS} columns are shown."] if is_wide else []
    return Table(_html(head, body), " ".join(notes))


def delimiter_of(lines: Sequence[str]) -> str:
    """The one that parts the first lines into equally many pieces, and most of them."""
    first = [line for line in lines[:_SNIFFED_LINES] if line.strip()]

    def fitness(delimiter: str) -> tuple[int, int]:
        counts = [line.count(delimiter) for line in first] or [0]
        return (sum(count == counts[0] for count in counts) if counts[0] else 0, counts[0])

    return max(_DELIMITERS, key=fitness)


def _html(head: Sequence[str], body: Sequence[Sequence[str]]) -> Markup:
    width = min(max(map(len, (head, *body))), MAX_COLUMNS)
    titles = "".join(map(_title, _filled(head, width)))
    rows = ("".join(f"<td>{_cell(value)}</td>" for value in _filled(row, width)) for row in body)
    lines = "".join(f"<tr>{row}</tr>" for row in rows)
    # Every cell was escaped.
    return Markup(  # noqa: S704
        f"<table><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table>"
    )


def _filled(row: Sequence[str], width: int) -> Sequence[str]:
    return [*row[:width], *[""] * (width - len(row))]


def _title(name: str) -> str:
    # A header that is empty would say nothing to a screen reader.
    return f'<th scope="col">{_cell(name)}</th>' if name.strip() else "<td></td>"


def _cell(value: str) -> str:
    cut = f"{value[:MAX_CELL]}…" if len(value) > MAX_CELL else value
    return f"<bdi>{escape(visible(cut))}</bdi>"
