"""What is counted of the calls of the last while, in buckets, so that a call costs the same however
many there were."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

BUCKETS = 12


@dataclass(slots=True)
class Counts:
    calls: int = 0
    failures: int = 0
    slow: int = 0


@dataclass(slots=True)
class _Bucket(Counts):
    """``number`` counts from the clock's zero; the first call in it ended at ``first_at``."""

    number: int = 0
    first_at: float = 0.0


class Window:
    """The calls of the last ``seconds``, give or take a twelfth. ``clock`` gives seconds."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._width_seconds = seconds / BUCKETS
        self._clock = clock
        self._buckets: deque[_Bucket] = deque()
        self._total = Counts()

    @property
    def counts(self) -> Counts:
        self._forget(self._number())
        return self._total

    @property
    def age_seconds(self) -> float:
        """Since when it counts: how long ago the oldest call ended that is counted."""
        self._forget(self._number())
        return self._clock() - self._buckets[0].first_at if self._buckets else 0.0

    def add(self, *, failed: bool, slow: bool) -> None:
        now = self._clock()
        number = int(now // self._width_seconds)
        if not self._buckets or self._buckets[-1].number != number:
            self._forget(number)
            self._buckets.append(_Bucket(number=number, first_at=now))
        for counts in (self._buckets[-1], self._total):
            counts.calls += 1
            counts.failures += failed
            counts.slow += slow

    def clear(self) -> None:
        self._buckets.clear()
        self._total = Counts()

    def _number(self) -> int:
        return int(self._clock() // self._width_seconds)

    def _forget(self, number: int) -> None:
        while self._buckets and self._buckets[0].number <= number - BUCKETS:
            gone = self._buckets.popleft()
            self._total.calls -= gone.calls
            self._total.failures -= gone.failures
            self._total.slow -= gone.slow
