"""What is known of one column after each value: types, figures, commonest values.

Up to ``EXACT_NUMBERS`` numbers and ``EXACT_DISTINCT`` distinct values are counted exactly; beyond
that the summary says so.
"""

import hashlib
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from heapq import nsmallest
from typing import TYPE_CHECKING

from calendar_names import calendar_order
from column_reading import AS_IT_IS, MANY, MOSTLY, Reading
from column_summary import ColumnProfile, DateSummary, NumberSummary, TextSummary
from running_numbers import Numbers
from value_kinds import CODE, is_impossible_date, kind_of, moment

if TYPE_CHECKING:
    from polars import Series

EXACT_DISTINCT = 50_000
KEPT_CHARS = 120

# The kinds of a column's values -> the column's type; any other mixture is text.
TYPES = {
    frozenset[str](): "empty",
    frozenset({"int"}): "int",
    frozenset({"float"}): "float",
    frozenset({"int", "float"}): "float",
    frozenset({"bool"}): "bool",
    frozenset({"date"}): "date",
    frozenset({"datetime"}): "datetime",
    frozenset({"date", "datetime"}): "datetime",
}
FAMILIES = {
    "int": ("int",),
    "float": ("int", "float"),
    "bool": ("bool",),
    "date": ("date",),
    "datetime": ("date", "datetime"),
}
EXAMPLES = 3
CALENDAR_NAMES = 400  # more are no months, though each has a year


class Column:
    """What has been seen of one column so far."""

    def __init__(self, name: str, reading: Reading = AS_IT_IS) -> None:
        self.name = name
        self.reading = reading
        self.missing = self.present = 0
        self.kinds: Counter[str] = Counter()
        self.values: Counter[str] = Counter()
        self.overflowed = False
        self.starts: Series | None = None  # how the values begin, once they are all there are
        self.forms: Counter[str] = Counter()  # those that dates and times have had
        self.numbers = Numbers()
        self.codes = self.impossible_dates = 0
        self.examples: dict[str, list[str]] = {}
        self.dates: set[tuple[datetime, str]] = set()
        self.shortest, self.longest = sys.maxsize, 0

    def add(self, value: str, times: int = 1) -> None:
        """Add a value that is there as often as that."""
        self.add_plain(self.reading.plain(value) if self.reading.plain else value, times)

    def add_plain(self, value: str, times: int) -> None:
        self.add_kind(self.measure(value, times), [value], times)
        self.count_value(value, times)

    def measure(self, value: str, times: int) -> str:
        """Add to the figures of the value's kind, and return it."""
        kind = kind_of(value)
        if kind == "text":
            self.codes += times * (CODE.fullmatch(value) is not None)
            self.impossible_dates += times * is_impossible_date(value)
        self.add_lengths(len(value), len(value))
        if kind in ("int", "float"):
            for _ in range(times):
                self.numbers.add(int(value) if kind == "int" else float(value))
        if kind in ("date", "datetime"):
            self.add_date(value)
        return kind

    def add_kind(self, kind: str, examples: Iterable[str], times: int) -> None:
        """Add so many values of a kind, of which the examples are the first that differ."""
        self.present += times
        self.kinds[kind] += times
        kept = self.examples.setdefault(kind, [])
        for example in examples:
            if len(kept) >= EXAMPLES:
                break
            short = key_of(example)
            if short not in kept:
                kept.append(short)

    def add_lengths(self, shortest: int, longest: int) -> None:
        self.shortest = min(self.shortest, shortest)
        self.longest = max(self.longest, longest)

    def add_date(self, value: str) -> None:
        seen = {*self.dates, (moment(value), value)}
        self.dates = {min(seen), max(seen)}

    def count_value(self, value: str, times: int) -> None:
        key = key_of(value)
        if key in self.values or len(self.values) < EXACT_DISTINCT:
            self.values[key] += times
        else:
            self.overflowed = True

    @property
    def type(self) -> str:
        """The type of all values, or of nearly all where there are many."""
        exact = TYPES.get(frozenset(self.kinds))
        if exact or self.codes:
            return exact or "text"
        family = self.main_type
        is_nearly = self.present >= MANY and self._count(family) >= MOSTLY * self.present
        # Nothing but dates, some of which no calendar has.
        dates = self._count("datetime")
        are_dates = self.impossible_dates + dates == self.present <= 2 * dates
        return family if family != "text" and (is_nearly or are_dates) else "text"

    @property
    def main_type(self) -> str:
        """The type that most values have."""
        return max(FAMILIES, key=self._count, default="text") if self.kinds else "empty"

    def _count(self, family: str) -> int:
        return sum(self.kinds[kind] for kind in FAMILIES.get(family, ()))

    @property
    def odd(self) -> int:
        """How many values are not of the type that nearly all have."""
        count = self._count(self.main_type)
        is_told = self.type != "text" or count >= MOSTLY * self.present
        return self.present - count if is_told and self.type != "empty" else 0

    @property
    def odd_examples(self) -> list[str]:
        main = FAMILIES[self.main_type]
        return [v for k, values in self.examples.items() if k not in main for v in values][
            :EXAMPLES
        ]

    def describe(self, top: int) -> ColumnProfile:
        return ColumnProfile(
            self.name,
            self.type,
            self.missing,
            self.present,
            distinct=len(self.values),
            distinct_is_at_least=self.overflowed,
            kinds=dict(self.kinds.most_common()),
            summary=self._summarise(top),
        )

    def _summarise(self, top: int) -> NumberSummary | DateSummary | TextSummary | None:
        if self.type == "empty":
            return None
        if self.type in ("int", "float"):
            return self.numbers.summarise()
        if self.type in ("date", "datetime"):
            return DateSummary(min(self.dates)[1], max(self.dates)[1])
        # Ties by value, so that the same rows in another order give the same profile.
        ranked = nsmallest(top, self.values.items(), key=lambda pair: (-pair[1], pair[0]))
        is_short = len(self.values) <= CALENDAR_NAMES
        if self.type == "text" and is_short and (names := calendar_order(self.values)):
            ranked = [(name, self.values[name]) for name in names]
        return TextSummary(ranked[:top], self.shortest, self.longest)


def key_of(value: str) -> str:
    """Tells long values apart without keeping them."""
    if len(value) <= KEPT_CHARS:
        return value
    digest = hashlib.blake2b(value.encode(), digest_size=8).hexdigest()
    return f"{value[: KEPT_CHARS - 20]}… [{digest}]"
