"""Moments on an axis whose idle stretches are folded."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.web.drawing.time_scale import MAX_FOLDS, TimeScale, clock

_MOMENT = st.floats(0, 10_000_000)
_BUSY = st.lists(st.tuples(_MOMENT, _MOMENT).map(lambda pair: (min(pair), max(pair))), max_size=30)


@given(_BUSY, _MOMENT, st.lists(_MOMENT, max_size=20))
@example([], 0.0, [0.0])
@example([(0.0, 0.0)], 86_400.0, [5.0])
@example([(1e7, 1e7)], 1e7, [0.0])
def test_a_later_moment_is_never_further_left(
    busy: list[tuple[float, float]], seconds: float, moments: list[float]
) -> None:
    scale = TimeScale(busy, seconds)
    places = [scale.at(moment) for moment in sorted(moments)]
    assert all(-1e-6 <= place <= 100 + 1e-6 for place in places)
    assert all(right >= left - 1e-6 for left, right in pairwise(places))


@given(_BUSY, _MOMENT)
def test_the_axis_is_covered_once_and_has_few_folds_and_ticks(
    busy: list[tuple[float, float]], seconds: float
) -> None:
    scale = TimeScale(busy, seconds)
    assert scale.stretches[0].left == 0
    assert scale.stretches[-1].right == pytest.approx(100)
    assert all(a.right == b.left and a.end == b.start for a, b in pairwise(scale.stretches))
    assert len(scale.folds) <= MAX_FOLDS
    assert all(b.percent - a.percent >= 9 for a, b in pairwise(scale.ticks()))


@given(_BUSY, _MOMENT)
def test_nothing_that_was_at_work_is_folded(
    busy: list[tuple[float, float]], seconds: float
) -> None:
    for fold in TimeScale(busy, seconds).folds:
        assert not any(start < fold.end and end > fold.start for start, end in busy)


def test_a_night_between_two_short_steps_is_folded() -> None:
    scale = TimeScale([(0, 4), (36_000, 36_004)], 36_004)
    [fold] = scale.folds
    assert (fold.start, fold.end) == (4, 36_000)
    assert scale.at(2) == pytest.approx(24.25)
    assert scale.at(36_002) == pytest.approx(75.75)


def test_short_pauses_are_not_folded() -> None:
    assert not TimeScale([(0, 3), (7, 10)], 10).folds


@pytest.mark.parametrize(
    ("seconds", "step", "label"),
    [
        (0, 0.05, "0.00s"),
        (1.5, 0.5, "1.5s"),
        (15, 5, "15s"),
        (150, 30, "2:30"),
        (3_900, 300, "1:05:00"),
        (183_600, 3_600, "2d 3:00:00"),
    ],
)
def test_a_tick_is_labelled_as_a_clock(seconds: float, step: float, label: str) -> None:
    assert clock(seconds, step) == label
