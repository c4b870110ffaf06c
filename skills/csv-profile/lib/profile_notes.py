"""What a careful reader of a file would want to know first."""

import re
from datetime import UTC, datetime, timedelta

from columns import Column

# Columns of whole numbers with such a name may hold days and times as programs count them.
OF_TIME = re.compile(
    r"(?i)date|datum|fecha|\bdata\b|\bday|\btag\b|time|zeit|created|updated|дата|время|日"
)
DAY_ZERO = datetime(1899, 12, 30, tzinfo=UTC)  # of spreadsheets
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# From 1980 to 2100 or so.
COUNTS = (
    (29_000, 73_000, "days as spreadsheets count them", DAY_ZERO, timedelta(days=1)),
    (315_000_000, 4_100_000_000, "seconds since 1970", EPOCH, timedelta(seconds=1)),
    (315_000_000_000, 4_100_000_000_000, "milliseconds since 1970", EPOCH,
     timedelta(milliseconds=1)),
)  # fmt: skip


def notes(columns: list[Column], rows: int, ragged: int) -> list[str]:
    found = [f"{ragged} rows have another number of cells than the header."] if ragged else []
    for column in columns:
        distinct = len(column.values)
        if not column.present:
            found.append(f"{column.name} has no values.")
        elif distinct == 1 < column.present:
            found.append(f"{column.name} has one and the same value in every row that has any.")
        elif distinct == rows > 1 and column.type in ("int", "text"):
            found.append(f"{column.name} differs in every row: it can serve as a key.")
        found += moments_in_numbers(column)
        if odd := column.odd:
            examples = ", ".join(repr(example) for example in column.odd_examples)
            found.append(
                f"{column.name} is {column.main_type}, but for {odd} of {column.present} values: "
                f"{examples}."
            )
    return found


def moments_in_numbers(column: Column) -> list[str]:
    if column.type != "int" or not OF_TIME.search(column.name):
        return []
    low, high = column.numbers.low, column.numbers.high
    return [
        f"{column.name} may be {what}: {low} is {(zero + low * unit).isoformat(' ')[:16]} UTC."
        for least, most, what, zero, unit in COUNTS
        if least <= low <= high <= most
    ]
