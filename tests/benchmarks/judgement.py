"""Whether a bound is kept: by pairs of measurements, and as many of them as that takes.

A machine's noise moves single figures by a third, but it moves both of a pair alike. So a bound is
held against the confidence interval of the pairs' median ratio, never against the median itself.
While the interval straddles the bound more pairs are measured, up to a limit.
"""

import math
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

CONFIDENCE = 0.95
RESAMPLES = 1_000
SEED = 20_260_101
# With five pairs or fewer even the least and the greatest enclose the truth less often than that.
LEAST_PAIRS = 6
# Each look at the figures is a chance to stop at a wrong one. Half as many pairs again until the
# next keep looks few.
GROWTH = 1.5

Measure = Callable[[], Awaitable[float]]
"""Does the work once; gives what came of it, above 0, in whatever unit both sides of a pair use."""


class Verdict(IntEnum):
    """The worst of several is their ``max``."""

    KEPT = 0
    UNDECIDED = 1
    NOT_KEPT = 2

    @classmethod
    def of(cls, kept: bool) -> "Verdict":
        """Of a figure without noise, such as a number of events."""
        return cls.KEPT if kept else cls.NOT_KEPT

    def __str__(self) -> str:
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Bound:
    """What a figure must keep to: ``most``, ``least``, or both. ``goal`` is where it ought to come
    to; whether it does is nobody's verdict."""

    most: float = math.inf
    least: float = -math.inf
    goal: float | None = None

    def verdict(self, interval: Interval) -> Verdict:
        if self.least <= interval.low and interval.high <= self.most:
            return Verdict.KEPT
        if interval.low > self.most or interval.high < self.least:
            return Verdict.NOT_KEPT
        return Verdict.UNDECIDED

    def __str__(self) -> str:
        parts = [f"<= {self.most:g}"] if self.most < math.inf else []
        parts += [f">= {self.least:g}"] if self.least > -math.inf else []
        return " and ".join(parts) + ("" if self.goal is None else f", goal {self.goal:g}")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What ``count`` values say of their median: about where it lies, and of its bound."""

    median: float
    interval: Interval
    count: int
    verdict: Verdict

    @classmethod
    def of(cls, values: Sequence[float], bound: Bound) -> "Judgement":
        """Raises ``StatisticsError`` when there are no values."""
        interval = median_interval(values)
        verdict = bound.verdict(interval) if len(values) >= LEAST_PAIRS else Verdict.UNDECIDED
        return cls(statistics.median(values), interval, len(values), verdict)


@dataclass(frozen=True, slots=True)
class Pair:
    """The same work by AgentOS and by its baseline, one right after the other."""

    ours: float
    baseline: float

    @property
    def ratio(self) -> float:
        return self.ours / self.baseline


@dataclass(frozen=True, slots=True)
class Effort:
    """How many pairs are measured: ``least``, then more until the bound is decided, up to ``most``.

    No pair begins once ``seconds`` have passed, even if there are fewer than ``least``.
    """

    most: int
    seconds: float
    least: int = LEAST_PAIRS


async def measure(
    ours: Measure,
    baseline: Measure,
    bound: Bound,
    effort: Effort,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Sequence[Pair]:
    """Pairs, as many as it takes to judge their ratio. They begin with either side in turns."""
    began = clock()
    pairs: list[Pair] = []
    wanted = effort.least
    while not pairs or (len(pairs) < effort.most and clock() - began < effort.seconds):
        if len(pairs) == wanted:
            if Judgement.of([pair.ratio for pair in pairs], bound).verdict != Verdict.UNDECIDED:
                break
            wanted = math.ceil(wanted * GROWTH)
        pairs.append(await _pair(ours, baseline, baseline_first=len(pairs) % 2 == 1))
    return pairs


async def _pair(ours: Measure, baseline: Measure, *, baseline_first: bool) -> Pair:
    if baseline_first:
        base = await baseline()
        return Pair(await ours(), base)
    mine = await ours()
    return Pair(mine, await baseline())


def median_interval(values: Sequence[float]) -> Interval:
    """The confidence interval of the median, by the percentiles of a bootstrap.

    The same values give the same interval. Raises ``StatisticsError`` when there are none.
    """
    draw = random.Random(SEED)
    medians = sorted(
        statistics.median(draw.choices(values, k=len(values))) for _ in range(RESAMPLES)
    )
    tail = round(RESAMPLES * (1 - CONFIDENCE) / 2)
    return Interval(medians[tail], medians[-1 - tail])
