"""Where on an axis a moment stands, when nothing happened for long stretches.

A stretch in which nothing was at work is folded if it would push all else together: on the axis it
takes a small, fixed width, whatever its length.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

MAX_FOLDS = 8
FOLD_PERCENT = 3.0
_LEAST_FOLDED_SECONDS = 5.0
# Of the time that is not folded.
_LEAST_FOLDED_PART = 0.2
_TICKS = 6
_BETWEEN_TICKS_PERCENT = 9.0
_LAST_TICK_PERCENT = 95.0
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200)
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``start`` to ``end``, in seconds, at ``left`` to ``right`` percent of the axis."""

    start: float
    end: float
    left: float
    right: float
    is_folded: bool

    def at(self, seconds: float) -> float:
        length = self.end - self.start
        part = (seconds - self.start) / length if length > 0 else 0.0
        return self.left + min(1.0, max(0.0, part)) * (self.right - self.left)


@dataclass(frozen=True, slots=True)
class Tick:
    percent: float
    label: str


class TimeScale:
    """An axis of ``seconds``; ``busy`` is when something was at work."""

    def __init__(self, busy: Sequence[tuple[float, float]], seconds: float) -> None:
        self._seconds = max(seconds, 0.001)
        folds = sorted(_folds(_gaps(busy, self._seconds), self._seconds))
        self._open_seconds = self._seconds - sum(end - start for start, end in folds)
        self.stretches = tuple(self._stretches(folds))
        self._starts = [stretch.start for stretch in self.stretches]

    @property
    def folds(self) -> Sequence[Stretch]:
        return [stretch for stretch in self.stretches if stretch.is_folded]

    def at(self, seconds: float) -> float:
        """The place of a moment, in percent."""
        return self.stretches[max(0, bisect_right(self._starts, seconds) - 1)].at(seconds)

    def ticks(self) -> Sequence[Tick]:
        """A few round moments that do not stand too close to each other."""
        step = _step(self._open_seconds / _TICKS)
        ticks: list[Tick] = []
        for seconds in self._round_moments(step):
            percent = self.at(seconds)
            is_free = not ticks or percent - ticks[-1].percent >= _BETWEEN_TICKS_PERCENT
            if is_free and percent <= _LAST_TICK_PERCENT:
                ticks.append(Tick(percent, clock(seconds, step)))
        return ticks

    def _round_moments(self, step: float) -> Iterator[float]:
        for stretch in self.stretches:
            if stretch.is_folded:
                continue
            number = ceil(stretch.start / step)
            while number * step < stretch.end:
                yield number * step
                number += 1

    def _stretches(self, folds: Sequence[tuple[float, float]]) -> Iterator[Stretch]:
        rate = (100.0 - FOLD_PERCENT * len(folds)) / self._open_seconds
        at, left = 0.0, 0.0
        for start, end in folds:
            right = left + (start - at) * rate
            if start > at:
                yield Stretch(at, start, left, right, is_folded=False)
            yield Stretch(start, end, right, right + FOLD_PERCENT, is_folded=True)
            at, left = end, right + FOLD_PERCENT
        if at < self._seconds:
            yield Stretch(at, self._seconds, left, 100.0, is_folded=False)


def clock(seconds: float, step: float) -> str:
    """``0.25s``, ``15s``, ``2:30``, ``1:05:00``, ``2d 3:00:00``, as exact as ``step`` asks for."""
    if step < 1 and seconds < 60:
        digits = 1 if step >= 0.1 else 2 if step >= 0.01 else 3
        return f"{seconds:.{digits}f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    days, rest = divmod(whole, _DAY)
    hours, minutes = divmod(rest // 60, 60)
    if not days and not hours:
        return f"{minutes}:{rest % 60:02}"
    return f"{f'{days}d ' if days else ''}{hours}:{minutes:02}:{rest % 60:02}"


def _gaps(busy: Sequence[tuple[float, float]], seconds: float) -> Iterator[tuple[float, float]]:
    at = 0.0
    for start, end in sorted(busy):
        if start > at:
            yield at, min(start, seconds)
        at = max(at, end)
        if at >= seconds:
            return
    if at < seconds:
        yield at, seconds


def _folds(gaps: Iterator[tuple[float, float]], seconds: float) -> Iterator[tuple[float, float]]:
    """The longest ones, as long as they take much of what is not folded yet."""
    left = seconds
    for start, end in sorted(gaps, key=lambda gap: gap[0] - gap[1])[:MAX_FOLDS]:
        length = end - start
        is_long = length > max(_LEAST_FOLDED_SECONDS, _LEAST_FOLDED_PART * left)
        if not is_long or left - length < 0.001:
            return
        left -= length
        yield start, end


def _step(seconds: float) -> float:
    """A round length of time, at least this."""
    if seconds <= 0.5:
        unit = 0.001
        while True:
            for factor in (1, 2, 5):
                if unit * factor >= seconds:
                    return unit * factor
            unit *= 10
    found = next((step for step in _STEPS if step >= seconds), None)
    return found or _DAY * ceil(seconds / _DAY)
