"""Running figures of a numeric column: Welford's mean and spread, a reservoir for the rest."""

import math
import random
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from column_summary import NumberSummary

if TYPE_CHECKING:
    from polars import Series

EXACT_NUMBERS = 1_000_000  # 8 bytes each
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
HISTOGRAM_BINS = 12


class Numbers:
    """Those of all numbers that have been added."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = self.squares = 0.0
        self.low: float = math.inf
        self.high: float = -math.inf
        self._sample = array("d")
        self._parts: list[Series] = []  # more of the sample
        self.random = random.Random(0)  # the same file must give the same profile

    def add(self, value: float) -> None:
        self.count += 1
        distance = value - self.mean
        self.mean += distance / self.count
        self.squares += distance * (value - self.mean)
        self.low, self.high = min(self.low, value), max(self.high, value)
        self._choose([value])

    def add_many(
        self, values: "Series", mean: float, squares: float, low: float, high: float
    ) -> None:
        """Add values of which these figures are known already."""
        distance = mean - self.mean
        before = self.count
        self.count += len(values)
        self.mean += distance * len(values) / self.count
        self.squares += squares + distance * distance * before * len(values) / self.count
        self.low, self.high = min(self.low, low), max(self.high, high)
        if self.count <= EXACT_NUMBERS:
            self._parts.append(values)
        else:
            self._choose(values.to_list())

    def _choose(self, values: Sequence[float]) -> None:
        """Keep the values, or let each take the place of a kept one with the chance that is due."""
        for part in self._parts:
            self._sample.extend(part.to_list())
        self._parts.clear()
        room = EXACT_NUMBERS - len(self._sample)
        self._sample.extend(values[:room])
        seen = self.count - len(values) + room
        for value in values[room:]:
            seen += 1
            if (place := self.random.randrange(seen)) < EXACT_NUMBERS:
                self._sample[place] = value

    def _ordered(self) -> Sequence[float]:
        if not self._parts:
            return sorted(self._sample)
        # Here, for it is there only if there are parts. It takes a tenth of the time.
        from polars import Float64, Series, concat  # noqa: PLC0415

        parts = [part.cast(Float64) for part in self._parts]
        return concat([Series(self._sample, dtype=Float64), *parts]).sort()

    def summarise(self) -> NumberSummary:
        ordered = self._ordered()
        return NumberSummary(
            min=self.low,
            max=self.high,
            mean=finite(self.mean),
            std=finite(math.sqrt(self.squares / (self.count - 1))) if self.count > 1 else None,
            quantiles={f"p{round(p * 100)}": quantile(ordered, p) for p in QUANTILES},
            histogram=histogram(ordered),
            approximate=self.count > len(ordered),
        )


def quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between the two nearest values: ``method="inclusive"`` of the statistics module."""
    place = (len(ordered) - 1) * share
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] * (1 - (place - below)) + ordered[above] * (place - below)


def histogram(ordered: Sequence[float]) -> list[int]:
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
