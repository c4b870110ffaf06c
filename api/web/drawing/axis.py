"""The scale of a plot."""

from collections.abc import Sequence
from math import floor, log10

LARGEST = 1e100
_SMALLEST = 1e-9
_STEPS = (1, 2, 2.5, 5, 10)


def bounded(value: float) -> float:
    """What can be drawn of a value, which may be anything: neither less than nothing nor a sum
    that is beyond all numbers."""
    return min(value, LARGEST) if value > _SMALLEST else 0.0


def ticks(most: float, count: int = 4) -> Sequence[float]:
    """From 0 to ``most`` or a bit more, in round steps: ``count`` of them at most.

    ``most`` is a sum of values that are ``bounded``.
    """
    if most <= _SMALLEST:
        return (0.0,)
    power = 10.0 ** floor(log10(most / count))
    step = next(each * power for each in _STEPS if each * power * count >= most)
    return [step * place for place in range(count + 1) if step * (place - 1) < most]


def places(count: int, most: int = 5) -> Sequence[int]:
    """Which of ``count`` columns get a label: the first, the last, and some between them."""
    if count <= most:
        return range(count)
    return [round(place * (count - 1) / (most - 1)) for place in range(most)]
