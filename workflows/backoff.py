"""How long to pause between attempts at something that fails."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from math import inf

# A part of each pause, either way.
_SPREAD = 0.25


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that grow by ``factor``, from ``first_seconds`` to ``longest_seconds``.

    There are ``times`` of them, or no end of them. A new run of failures begins with new pauses.
    """

    first_seconds: float
    longest_seconds: float = inf
    factor: float = 2.0
    times: int | None = None

    def pauses(self, uniform: Callable[[float, float], float]) -> Iterator[float]:
        """Each spread by a quarter either way, so that the many who wait for one service do not
        come back as one.

        ``uniform(a, b)`` draws a number between the two: that of the module ``random``, or in
        workflow code that of ``workflow.random()``.
        """
        seconds = min(self.first_seconds, self.longest_seconds)
        for _ in count() if self.times is None else range(self.times):
            yield seconds * uniform(1 - _SPREAD, 1 + _SPREAD)
            seconds = min(seconds * self.factor, self.longest_seconds)
