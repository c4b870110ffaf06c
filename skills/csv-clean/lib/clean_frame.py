"""Cleaning a part of a file as columns: the same as row by row, only faster."""

from collections.abc import Callable
from io import BytesIO

import polars
from csv_writer import Written
from polars import DataFrame, col


def tidy(
    frame: DataFrame, spaces: str, missing: frozenset[str], *, strip: bool
) -> tuple[DataFrame, int, int]:
    """The tidy cells, null where a value is missing; how many were made missing, and trimmed."""
    columns = frame.columns
    stripped = frame.select(polars.all().str.strip_chars(spaces))
    is_missing = [(col(c).is_in([*missing]) | (col(c) == "")).alias(c) for c in columns]
    gone = stripped.select(is_missing)
    written = frame.select(col(c) != "" for c in columns)
    made_missing = sum((gone[c] & written[c]).sum() for c in columns)
    trimmed = 0
    if strip:
        trimmed = sum(((stripped[c] != frame[c]) & ~gone[c]).sum() for c in columns)
    kept = stripped if strip else frame
    cells = [kept[c].set(gone[c], None) if gone[c].any() else kept[c] for c in columns]
    return DataFrame(cells), made_missing, trimmed


def keys(frame: DataFrame) -> list[str]:
    """One text for each row, different for different rows."""
    parts = []
    for name in frame.columns:
        cell = col(name).fill_null("")
        parts += [cell.str.len_chars().cast(polars.String), polars.lit(":"), cell]
    return frame.select(polars.concat_str(parts)).to_series().to_list()


def widened(frame: DataFrame, width: int) -> DataFrame:
    """With empty columns up to that width."""
    more = [polars.lit(None, polars.String).alias(str(n)) for n in range(frame.width, width)]
    return frame.with_columns(more) if more else frame


def without_empty_rows(frame: DataFrame) -> DataFrame:
    return frame.filter(polars.any_horizontal(polars.all().is_not_null()))


def rewritten(
    frame: DataFrame, plain: dict[str, Callable[[str], str] | None], missing_as: str
) -> DataFrame:
    """The values as they are to be written, and that text for a missing one."""
    columns = []
    for values in frame.iter_columns():
        write = plain[values.name]
        written = values
        if write:
            different = values.drop_nulls().unique()
            changed = polars.Series([write(value) for value in different], dtype=polars.String)
            written = values.replace(different, changed)
        columns.append(written.fill_null(missing_as) if missing_as else written)
    return DataFrame(columns)


def as_csv(frame: DataFrame) -> Written:
    """The rows as CSV; a null is nothing."""
    file = BytesIO()
    frame.write_csv(file, include_header=False)
    return Written(file.getvalue(), frame.height)
