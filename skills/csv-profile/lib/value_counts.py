"""How often each value of a column comes; beyond a limit, only the first ones are counted."""

import polars
from columns import EXACT_DISTINCT, KEPT_CHARS, Column
from polars import DataFrame, Series

SAME_CHARS = KEPT_CHARS - 20  # of a long value, so many are kept as they are


def count_values(column: Column, values: Series) -> None:
    """Count values that are there, in the order of the file."""
    is_full = len(column.values) >= EXACT_DISTINCT
    if is_full:
        # Most are not counted. What begins otherwise than all that are cannot be one of them.
        known = values.str.slice(0, SAME_CHARS).is_in(starts_of(column))
        if not known.all():
            column.overflowed = True
            values = values.filter(known)
    if not len(values):
        return
    if is_full or (values.str.len_chars().max() or 0) > KEPT_CHARS:
        counted = values.to_frame("value").group_by("value", maintain_order=True).len("times")
        for value, times in counted.iter_rows():
            column.count_value(value, times)
        return
    counted = values.rename("value").value_counts(name="times")
    if len(column.values) + len(counted) > EXACT_DISTINCT:
        # Which are counted depends on which come first.
        counted = values.to_frame("value").group_by("value", maintain_order=True).len("times")
        counted = those_counted(column, counted)
    for value, times in counted.iter_rows():
        column.values[value] = column.values.get(value, 0) + times


def those_counted(column: Column, counted: DataFrame) -> DataFrame:
    """Those that are counted already, and as many of the others as there is room for."""
    known = Series([*column.values], dtype=polars.String)
    is_known = counted["value"].is_in(known.implode())
    others = counted.filter(~is_known)
    room = EXACT_DISTINCT - len(column.values)
    column.overflowed = column.overflowed or len(others) > room
    return polars.concat([counted.filter(is_known), others.head(room)])


def starts_of(column: Column) -> Series:
    """How the values begin that are counted, once there will be no more of them."""
    if column.starts is None:
        values = Series([*column.values], dtype=polars.String)
        column.starts = values.str.slice(0, SAME_CHARS).unique().implode()
    return column.starts
