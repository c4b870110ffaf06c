"""What is known of one column after each value: types, figures, commonest values.

Up to ``EXACT_NUMBERS`` numbers and ``EXACT_DISTINCT`` distinct values are counted exactly; beyond
that the summary says so.
"""

import hashlib
import math
import random
import re
import sys
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from calendar_names import calendar_order
from column_reading import MANY, MOSTLY, look_at

EXACT_NUMBERS = 1_000_000  # 8 bytes each
EXACT_DISTINCT = 50_000
KEPT_CHARS = 120
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
HISTOGRAM_BINS = 12

# "007" and numbers of 19 digits or more are codes, not quantities: they stay text.
INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
FLOAT = re.compile(r"[+-]?((0|[1-9][0-9]{0,17})(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
# Year first only: others are turned into this before, where their column leaves no doubt.
DATE = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?")
DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
BOOLEANS = frozenset({"true", "false", "yes", "no"})
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
# A code is text that looks like a number: no column with one is numeric, however few they are.
CODE = re.compile(r"[+-]?[0-9]+")
FAMILIES = {
    "int": ("int",),
    "float": ("int", "float"),
    "bool": ("bool",),
    "date": ("date",),
    "datetime": ("date", "datetime"),
}
EXAMPLES = 3
CALENDAR_NAMES = 400  # more are no months, though each has a year
NO_DATE = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class NumberSummary:
    """``std`` is the sample's; the histogram has equal bins from ``min`` to ``max``."""

    min: float
    max: float
    mean: float | None
    std: float | None
    quantiles: dict[str, float]
    histogram: list[int]
    approximate: bool


@dataclass(frozen=True)
class DateSummary:
    min: str
    max: str


@dataclass(frozen=True)
class TextSummary:
    top: list[tuple[str, int]]
    shortest: int
    longest: int


@dataclass(frozen=True)
class ColumnProfile:
    name: str
    type: str
    missing: int
    present: int
    distinct: int
    distinct_is_at_least: bool
    kinds: dict[str, int]
    summary: NumberSummary | DateSummary | TextSummary | None


class Column:
    """What has been seen of one column so far."""

    def __init__(self, name: str, plain: Callable[[str], str] | None) -> None:
        self.name = name
        self.plain = plain
        self.missing = self.present = 0
        self.kinds: Counter[str] = Counter()
        self.values: Counter[str] = Counter()
        self.overflowed = False
        self.numbers = Numbers()
        self.codes = self.impossible_dates = 0
        self.examples: dict[str, list[str]] = {}
        self.dates: set[tuple[datetime, str]] = set()
        self.shortest, self.longest = sys.maxsize, 0

    def add(self, value: str, times: int = 1) -> None:
        """Add a value that is there as often as that."""
        self.add_plain(self.plain(value) if self.plain else value, times)

    def add_plain(self, value: str, times: int) -> None:
        kind = kind_of(value)
        self.add_kind(kind, value, times)
        if kind == "text":
            self.codes += times * (CODE.fullmatch(value) is not None)
            self.impossible_dates += times * is_impossible_date(value)
        self.add_lengths(len(value), len(value))
        if kind in ("int", "float"):
            for _ in range(times):
                self.numbers.add(int(value) if kind == "int" else float(value))
        if kind in ("date", "datetime"):
            self.add_date(value)
        self.count_value(value, times)

    def add_kind(self, kind: str, example: str, times: int) -> None:
        self.present += times
        self.kinds[kind] += times
        if len(examples := self.examples.setdefault(kind, [])) < EXAMPLES:
            examples.append(example if len(example) <= KEPT_CHARS else shorten(example))

    def add_lengths(self, shortest: int, longest: int) -> None:
        self.shortest = min(self.shortest, shortest)
        self.longest = max(self.longest, longest)

    def add_date(self, value: str) -> None:
        seen = {*self.dates, (moment(value), value)}
        self.dates = {min(seen), max(seen)}

    def count_value(self, value: str, times: int) -> None:
        key = value if len(value) <= KEPT_CHARS else shorten(value)
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
        ranked = sorted(self.values.items(), key=lambda pair: (-pair[1], pair[0]))
        is_short = len(self.values) <= CALENDAR_NAMES
        if self.type == "text" and is_short and (names := calendar_order(self.values)):
            ranked = [(name, self.values[name]) for name in names]
        return TextSummary(ranked[:top], self.shortest, self.longest)


class Numbers:
    """Running figures of a numeric column: Welford's mean and spread, a reservoir for the rest."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = self.squares = 0.0
        self.low: float = math.inf
        self.high: float = -math.inf
        self.sample = array("d")
        self.random = random.Random(0)  # the same file must give the same profile

    def add(self, value: float) -> None:
        self.count += 1
        distance = value - self.mean
        self.mean += distance / self.count
        self.squares += distance * (value - self.mean)
        self.low, self.high = min(self.low, value), max(self.high, value)
        self._choose([value])

    def add_many(
        self, values: Sequence[float], mean: float, squares: float, low: float, high: float
    ) -> None:
        """Add values of which these figures are known already."""
        distance = mean - self.mean
        before = self.count
        self.count += len(values)
        self.mean += distance * len(values) / self.count
        self.squares += squares + distance * distance * before * len(values) / self.count
        self.low, self.high = min(self.low, low), max(self.high, high)
        self._choose(values)

    def _choose(self, values: Sequence[float]) -> None:
        """Keep the values, or let each take the place of a kept one with the chance that is due."""
        room = EXACT_NUMBERS - len(self.sample)
        self.sample.extend(values[:room])
        seen = self.count - len(values) + room
        for value in values[room:]:
            seen += 1
            if (place := self.random.randrange(seen)) < EXACT_NUMBERS:
                self.sample[place] = value

    def summarise(self) -> NumberSummary:
        ordered = sorted(self.sample)
        return NumberSummary(
            min=self.low,
            max=self.high,
            mean=finite(self.mean),
            std=finite(math.sqrt(self.squares / (self.count - 1))) if self.count > 1 else None,
            quantiles={f"p{round(p * 100)}": quantile(ordered, p) for p in QUANTILES},
            histogram=histogram(ordered),
            approximate=self.count > len(ordered),
        )


def kind_of(value: str) -> str:
    """The narrowest type that one value has."""
    if INTEGER.fullmatch(value):
        return "int"
    if FLOAT.fullmatch(value):
        return "float" if math.isfinite(float(value)) else "text"
    if value.lower() in BOOLEANS:
        return "bool"
    for kind, pattern in (("date", DATE), ("datetime", DATETIME)):
        if pattern.fullmatch(value):
            return kind if moment(value) != NO_DATE else "text"
    return "text"


def is_impossible_date(value: str) -> bool:
    """A date in shape only, such as 2024-02-30."""
    if value.isalnum():
        return False
    has_shape = DATE.fullmatch(value) or DATETIME.fullmatch(value)
    return has_shape is not None or look_at(value).kind == "no day"


def moment(value: str) -> datetime:
    """A point in time to compare by; without a zone, UTC. ``NO_DATE`` for 2024-02-30."""
    try:
        parsed = datetime.fromisoformat(value if len(value) > len("2024-01") else f"{value}-01")
    except ValueError:
        return NO_DATE
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def shorten(value: str) -> str:
    """Tell long values apart without keeping them."""
    digest = hashlib.blake2b(value.encode(), digest_size=8).hexdigest()
    return f"{value[: KEPT_CHARS - 20]}… [{digest}]"


def quantile(ordered: list[float], share: float) -> float:
    """Linear between the two nearest values: ``method="inclusive"`` of the statistics module."""
    place = (len(ordered) - 1) * share
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] * (1 - (place - below)) + ordered[above] * (place - below)


def histogram(ordered: list[float]) -> list[int]:
    low, width = ordered[0], (ordered[-1] - ordered[0]) / HISTOGRAM_BINS
    if not 0 < width < math.inf:
        return [len(ordered)]
    # In order, so that only the ends of the bins have to be looked for.
    ends = [
        bisect_left(ordered, bin_ + 1, key=lambda value: int((value - low) / width))
        for bin_ in range(HISTOGRAM_BINS - 1)
    ]
    return [end - start for start, end in pairwise([0, *ends, len(ordered)])]


def finite(value: float) -> float | None:
    """JSON knows no infinity."""
    return value if math.isfinite(value) else None
