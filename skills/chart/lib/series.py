"""From rows to what is drawn: values sorted by group and category, or points sorted by group."""

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from calendar_names import calendar_order
from choice import Choice
from csv_file import BadInput
from table import Table, date, number

MAX_GROUPS = 7  # as many colours as people can tell apart
OTHER = "Other"
EVERYTHING = ""  # the one group when there is no grouping

Position = str | float | datetime
Points = tuple[list[float | datetime], list[float]]

Aggregate = Callable[[Sequence[float]], float]

AGGREGATE: dict[str, Aggregate] = {
    "count": len,
    "sum": math.fsum,
    "mean": statistics.fmean,
    "median": statistics.median,
}


@dataclass(frozen=True)
class Record:
    """One row that has every value that the chart needs; ``y`` is 0 where none is needed."""

    x: Position
    y: float
    group: str


def read_records(table: Table, choice: Choice) -> list[Record]:
    records = list(complete_rows(table, choice))
    if not records:
        raise BadInput(
            f"{table.file}: no row has a value in every column that the chart needs "
            f"({', '.join(name for name in (choice.x, choice.y, choice.group) if name)})."
        )
    sizes = Counter(record.group for record in records)
    if len(sizes) <= MAX_GROUPS:
        return records
    kept = {group for group, _ in sizes.most_common(MAX_GROUPS - 1)}
    return [r if r.group in kept else Record(r.x, r.y, OTHER) for r in records]


def complete_rows(table: Table, choice: Choice) -> Iterator[Record]:
    blank = ["-"] * table.rows  # stands for a column that the chart does not use
    xs = table.column(choice.x).cells if choice.x else blank
    ys = table.column(choice.y).cells if choice.y else blank
    groups = table.column(choice.group).cells if choice.group else blank
    place = position_reader(table, choice)
    for x_cell, y_cell, group in zip(xs, ys, groups, strict=True):
        x = place(x_cell) if x_cell else None
        # Counting needs a value to be there, not to be a number.
        y = 0.0 if not choice.y or choice.aggregate == "count" else number(y_cell)
        if x is not None and y is not None and y_cell and group:
            yield Record(x, y, group if choice.group else EVERYTHING)


def position_reader(table: Table, choice: Choice) -> Callable[[str], Position | None]:
    if choice.kind in ("bar", "box"):
        return str
    return date if choice.x and table.column(choice.x).type == "date" else number


def by_group(records: list[Record]) -> dict[str, list[Record]]:
    """The greatest group first, the rest of the small ones last."""
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record.group].append(record)
    names = sorted(groups, key=lambda name: (name == OTHER, -len(groups[name]), name))
    return {name: groups[name] for name in names}


def samples(records: list[Record], categories: list[str]) -> dict[str, list[list[float]]]:
    """All values of each group in each category."""
    places = {category: place for place, category in enumerate(categories)}
    values: dict[str, list[list[float]]] = {}
    for group, members in by_group(records).items():
        values[group] = [[] for _ in categories]
        for record in members:
            if record.x in places:
                values[group][places[str(record.x)]].append(record.y)
    return values


def points(records: list[Record], aggregate: str | None) -> dict[str, Points]:
    """The points of each group; with an aggregate, one for each position, in order."""
    if aggregate is None:
        return {
            group: ([r.x for r in members if not isinstance(r.x, str)], [r.y for r in members])
            for group, members in by_group(records).items()
        }
    lines: dict[str, Points] = {}
    for group, members in by_group(records).items():
        gathered: dict[float | datetime, list[float]] = defaultdict(list)
        for record in members:
            if not isinstance(record.x, str):
                gathered[record.x].append(record.y)
        xs = sorted(gathered)  # all numbers, or all dates
        lines[group] = (xs, [AGGREGATE[aggregate](gathered[x]) for x in xs])
    return lines


def greatest(records: list[Record], aggregate: Aggregate, top: int, order: str) -> list[str]:
    """The categories with the greatest values, in order: by value, by name, or as in the file.

    Numbers, dates, months and weekdays are always in their own order.
    """
    gathered: dict[str, list[float]] = defaultdict(list)
    for record in records:
        gathered[str(record.x)].append(record.y)
    by_value = sorted(gathered, key=lambda x: (-aggregate(gathered[x]), x))[:top]
    if order == "file":
        kept = {*by_value}
        return [x for x in gathered if x in kept]
    if in_calendar := calendar_order(by_value):
        return in_calendar
    if order == "name" or all(number(x) is not None or date(x) is not None for x in by_value):
        return sorted(by_value, key=lambda x: (number(x) or 0.0, x))
    return by_value


def is_single(records: list[Record]) -> bool:
    """True if no two rows fall on one place of the chart, so that nothing is aggregated."""
    return len({(record.group, record.x) for record in records}) == len(records)
