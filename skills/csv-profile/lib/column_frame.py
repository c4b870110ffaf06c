"""Adding many values of a column at once: the same figures as value by value, only faster."""

import math
from collections.abc import Callable

import polars
from column_moments import add_moments
from column_tally import Tally, parted
from columns import Column
from csv_file import SPACES
from polars import Series, col
from value_counts import count_values
from value_kinds import BOOLEANS
from written_forms import OTHER

WHOLE = "(?:0|[1-9][0-9]{0,17})"
CODES = "^[+-]?(?:0[0-9]+|[1-9][0-9]{18,})$"
NUMBERS = {
    "int": f"^[+-]?{WHOLE}$",
    # With two digits in the exponent it is always finite.
    "float": rf"^[+-]?(?:(?:{WHOLE}\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{{1,2}})?"
    rf"|{WHOLE}[eE][+-]?[0-9]{{1,2}})$",
}


def present(cells: Series, missing: frozenset[str]) -> Series:
    """The values that are there, without the spaces around them."""
    values = cells.str.strip_chars(SPACES)
    gone = values.is_in(Series([*missing, ""], dtype=polars.String).implode())
    return values.filter(~gone) if gone.any() else values


def add_values(column: Column, values: Series) -> None:
    """Add values that are there, plainly written and without spaces around them."""
    if not len(values):
        return
    tally = Tally(column)
    others = values
    # What most of the column was so far comes first: mostly nothing is left for the rest.
    for add in sorted(WAYS, key=lambda way: -sum(column.kinds[kind] for kind in WAYS[way])):
        others = add(tally, others)
        if not len(others):
            break
    if len(others):
        counted = others.to_frame("value").group_by("value", maintain_order=True).len("times")
        for value, times in counted.iter_rows():
            tally.add_one(value, times)
    tally.close(values)
    count_values(column, values)


def add_numbers(tally: Tally, values: Series) -> Series:
    """Add the numbers, and return the others."""
    column = tally.column
    for kind in sorted(NUMBERS, key=lambda kind: -column.kinds[kind]):
        taken, others = parted(values, NUMBERS[kind])
        if not len(taken):
            continue
        numbers = taken.cast(polars.Int64 if kind == "int" else polars.Float64, strict=False)
        mean = numbers.mean()
        if numbers.null_count() or not isinstance(mean, float) or not math.isfinite(mean):
            continue
        squares = ((numbers.cast(polars.Float64) - mean) ** 2).sum()
        column.numbers.add_many(numbers, mean, squares, numbers.min(), numbers.max())
        tally.add(kind, taken)
        values = others
        if not len(values):
            break
    return values


def add_texts(tally: Tally, values: Series) -> Series:
    """Add what can be nothing but text, and return the others."""
    codes, values = parted(values, CODES)
    if len(codes):
        tally.column.codes += len(codes)
        tally.add("text", codes)
    if not len(values):
        return values
    value = col("value")
    is_text = (
        values.to_frame("value")
        .select(OTHER.matches(value) & ~value.str.to_lowercase().is_in([*BOOLEANS]))
        .to_series()
    )
    if is_text.any():
        tally.add("text", values.filter(is_text))
        values = values.filter(~is_text)
    return values


WAYS: dict[Callable[[Tally, Series], Series], tuple[str, ...]] = {
    add_numbers: ("int", "float"),
    add_texts: ("text",),
    add_moments: ("date", "datetime"),
}
