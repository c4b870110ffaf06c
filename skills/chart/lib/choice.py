"""What to draw: the kind of chart and its columns, filled in where none is named."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from csv_file import BadInput
from table import Column, Table

KINDS = ("bar", "line", "scatter", "hist", "box")
AGGREGATES = ("count", "sum", "mean", "median")


@dataclass(frozen=True)
class Choice:
    kind: str | None = None
    x: str | None = None
    y: str | None = None
    group: str | None = None
    aggregate: str | None = None


def choose(table: Table, asked: Choice) -> Choice:
    """Fill in what was not asked for.

    Raises:
        BadInput: a named column does not exist or cannot be drawn so, or none can be found.
    """
    for name in (asked.x, asked.y, asked.group):
        if name is not None:
            table.column(name)
    kind = asked.kind or guess_kind(table, asked)
    choice = FILL[kind](table, replace(asked, kind=kind))
    check(table, choice)
    return choice


def guess_kind(table: Table, asked: Choice) -> str:
    x = table.column(asked.x).type if asked.x else None
    y = table.column(asked.y).type if asked.y else None
    if asked.aggregate == "count" or (x == "text" and not y):
        return "bar"
    if x == "number":
        return "scatter" if y else "hist"
    if x == "date" or (not x and table.dates and (y or table.measures)):
        return "line"
    if x or table.categories:
        return "bar"
    if not y and len(table.measures) > 1:
        return "scatter"
    return "hist"


def fill_bar(table: Table, asked: Choice) -> Choice:
    x = asked.x or first(table.categories, "to count by", table, but=asked.group)
    y = asked.y
    column = table.column(x)
    if y is None and asked.aggregate is None and column.distinct == table.rows:
        y = next((measure.name for measure in table.measures if measure.name != x), None)
    if y is None and asked.aggregate in (None, "count"):
        return replace(asked, x=x, aggregate="count")
    y = y or first(table.measures, "to aggregate", table, but=x)
    return replace(asked, x=x, y=y, aggregate=asked.aggregate or "mean")


def fill_line(table: Table, asked: Choice) -> Choice:
    x = asked.x or first([*table.dates, *table.measures], "for the x axis", table, but=asked.y)
    if asked.y is None and asked.aggregate == "count":
        return replace(asked, x=x)
    y = asked.y or first(table.measures, "for the y axis", table, but=x)
    return replace(asked, x=x, y=y, aggregate=asked.aggregate or "mean")


def fill_scatter(table: Table, asked: Choice) -> Choice:
    x = asked.x or first(table.measures, "for the x axis", table, but=asked.y)
    return replace(asked, x=x, y=asked.y or first(table.measures, "for the y axis", table, but=x))


def fill_hist(table: Table, asked: Choice) -> Choice:
    return replace(asked, x=asked.x or asked.y or first(table.measures, "to draw", table), y=None)


def fill_box(table: Table, asked: Choice) -> Choice:
    y = asked.y or first(table.measures, "to draw", table, but=asked.x)
    if asked.x is None and (left := [c for c in table.categories if c.name != asked.group]):
        return replace(asked, x=left[0].name, y=y)
    return replace(asked, y=y)


FILL: dict[str, Callable[[Table, Choice], Choice]] = {
    "bar": fill_bar,
    "line": fill_line,
    "scatter": fill_scatter,
    "hist": fill_hist,
    "box": fill_box,
}


def first(columns: list[Column], purpose: str, table: Table, but: str | None = None) -> str:
    for column in columns:
        if column.name != but:
            return column.name
    known = ", ".join(f"{column.name} ({column.type})" for column in table.columns)
    raise BadInput(f"{table.file}: no column {purpose} was found. Name one. Columns: {known}.")


def check(table: Table, choice: Choice) -> None:
    """Refuse what would draw nonsense."""
    if choice.kind not in ("bar", "line") and choice.aggregate:
        raise BadInput(f"--aggregate is for bar and line charts, not for {choice.kind}.")
    if choice.aggregate != "count":
        need(table, choice.y, ("number",), "--y")
    if choice.kind in ("scatter", "hist"):
        need(table, choice.x, ("number",), "--x")
    if choice.kind == "line":
        need(table, choice.x, ("number", "date"), "--x")


def need(table: Table, name: str | None, types: tuple[str, ...], option: str) -> None:
    if name is not None and (found := table.column(name).type) not in types:
        raise BadInput(
            f"{table.file}: {option} {name!r} must hold {' or '.join(types)} values, "
            f"but it holds {found}. Name another column, or another --kind."
        )
