"""How the benchmarks judge their bounds."""

import itertools
import random
import statistics
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.judgement import (
    CONFIDENCE,
    LEAST_PAIRS,
    Bound,
    Effort,
    Interval,
    Judgement,
    Measure,
    Verdict,
    measure,
    median_interval,
)

AT_MOST = Bound(most=1.3)
PLENTY = Effort(most=40, seconds=60)
positive = st.floats(min_value=1e-3, max_value=1e6)


def gives(values: Iterable[float]) -> Measure:
    """A measure whose figures are these, in order."""
    figures = iter(values)

    async def one() -> float:
        return next(figures)

    return one


def always(value: float) -> Measure:
    return gives(itertools.repeat(value))


def noise(seed: int, *, median: float = 1.0, sigma: float = 0.2) -> Callable[[], float]:
    draw = random.Random(seed)
    return lambda: median * draw.lognormvariate(0.0, sigma)


@pytest.mark.parametrize("count", [LEAST_PAIRS, 15, 40])
def test_the_interval_contains_the_truth_about_as_often_as_it_says(count: int) -> None:
    samples = 200
    found = 0
    for seed in range(samples):
        sample = noise(seed, median=1.4)
        found += 1.4 in median_interval([sample() for _ in range(count)])
    assert found / samples == pytest.approx(CONFIDENCE, abs=0.04)


@given(st.lists(positive, min_size=1, max_size=30))
def test_the_interval_lies_among_the_values_and_is_the_same_each_time(values: list[float]) -> None:
    interval = median_interval(values)
    assert min(values) <= interval.low <= interval.high <= max(values)
    assert median_interval(values) == interval


@given(positive, st.integers(min_value=1, max_value=50))
def test_values_without_noise_have_an_interval_without_width(value: float, count: int) -> None:
    assert median_interval([value] * count) == Interval(value, value)


def test_no_values_have_no_interval() -> None:
    with pytest.raises(statistics.StatisticsError):
        median_interval([])


@pytest.mark.parametrize(
    ("bound", "low", "high", "verdict"),
    [
        (Bound(most=1.3), 1.2, 1.3, Verdict.KEPT),
        (Bound(most=1.3), 1.2, 1.31, Verdict.UNDECIDED),
        (Bound(most=1.3), 1.3, 1.4, Verdict.UNDECIDED),
        (Bound(most=1.3), 1.31, 1.4, Verdict.NOT_KEPT),
        (Bound(least=0.9), 0.9, 1.0, Verdict.KEPT),
        (Bound(least=0.9), 0.89, 1.0, Verdict.UNDECIDED),
        (Bound(least=0.9), 0.8, 0.89, Verdict.NOT_KEPT),
        (Bound(least=0.9, most=1.1), 0.95, 1.05, Verdict.KEPT),
        (Bound(least=0.9, most=1.1), 0.8, 1.2, Verdict.UNDECIDED),
        (Bound(least=0.9, most=1.1), 1.2, 1.3, Verdict.NOT_KEPT),
    ],
)
def test_a_bound_is_decided_by_the_whole_interval(
    bound: Bound, low: float, high: float, verdict: Verdict
) -> None:
    assert bound.verdict(Interval(low, high)) is verdict


@given(positive, positive, positive)
def test_no_interval_keeps_a_bound_and_breaks_it(one: float, other: float, most: float) -> None:
    interval = Interval(min(one, other), max(one, other))
    opposite = {
        Verdict.KEPT: Verdict.NOT_KEPT,
        Verdict.NOT_KEPT: Verdict.KEPT,
        Verdict.UNDECIDED: Verdict.UNDECIDED,
    }
    if most not in (interval.low, interval.high):
        verdict = Bound(most=most).verdict(interval)
        assert Bound(least=most).verdict(interval) is opposite[verdict]


def test_a_bound_says_what_it_asks_for() -> None:
    assert str(Bound(most=1.3)) == "<= 1.3"
    assert str(Bound(least=0.75)) == ">= 0.75"
    assert str(Bound(most=1.1, least=0.9)) == "<= 1.1 and >= 0.9"


def test_too_few_values_decide_nothing() -> None:
    assert Judgement.of([1.0] * (LEAST_PAIRS - 1), AT_MOST).verdict is Verdict.UNDECIDED
    assert Judgement.of([1.0] * LEAST_PAIRS, AT_MOST).verdict is Verdict.KEPT


def test_the_worst_verdict_is_the_greatest() -> None:
    assert max(Verdict.KEPT, Verdict.UNDECIDED) is Verdict.UNDECIDED
    assert max(Verdict.NOT_KEPT, Verdict.UNDECIDED) is Verdict.NOT_KEPT


@pytest.mark.parametrize("ratio", [1.0, 2.0], ids=["kept", "not kept"])
async def test_a_bound_that_is_decided_asks_for_no_more_pairs(ratio: float) -> None:
    pairs = await measure(always(ratio * 10), always(10.0), AT_MOST, PLENTY)
    assert [pair.ratio for pair in pairs] == [ratio] * LEAST_PAIRS


async def test_an_interval_that_straddles_its_bound_asks_for_more_pairs_up_to_the_limit() -> None:
    ours = gives(itertools.cycle([1.0, 1.6]))
    pairs = await measure(ours, always(1.0), AT_MOST, PLENTY)
    assert len(pairs) == PLENTY.most
    assert Judgement.of([pair.ratio for pair in pairs], AT_MOST).verdict is Verdict.UNDECIDED


async def test_more_pairs_end_as_soon_as_they_decide() -> None:
    ours = gives([*[1.0, 1.6] * (LEAST_PAIRS // 2), *[1.0] * PLENTY.most])
    pairs = await measure(ours, always(1.0), AT_MOST, PLENTY)
    assert LEAST_PAIRS < len(pairs) < PLENTY.most
    assert Judgement.of([pair.ratio for pair in pairs], AT_MOST).verdict is Verdict.KEPT


async def test_no_pair_begins_after_the_time_is_up() -> None:
    now = itertools.count(step=10).__next__  # Each look at the clock is 10 s later.
    pairs = await measure(always(1.0), always(1.0), AT_MOST, Effort(most=9, seconds=35), clock=now)
    assert len(pairs) == 4


async def test_there_is_a_pair_even_when_there_is_no_time() -> None:
    pairs = await measure(always(1.0), always(1.0), AT_MOST, Effort(most=9, seconds=0))
    assert len(pairs) == 1


async def test_pairs_begin_with_either_side_in_turns() -> None:
    order: list[str] = []

    def noted(name: str) -> Measure:
        async def one() -> float:
            order.append(name)
            return 1.0

        return one

    await measure(noted("ours"), noted("bare"), AT_MOST, Effort(most=4, seconds=60, least=4))
    assert order == ["ours", "bare", "bare", "ours", "ours", "bare", "bare", "ours"]


async def test_noise_seldom_breaks_a_bound_that_the_truth_keeps() -> None:
    verdicts = []
    for seed in range(60):
        ours, bare = noise(seed, median=1.2), noise(-1 - seed)
        pairs = await measure(
            gives(iter(ours, None)), gives(iter(bare, None)), AT_MOST, Effort(most=20, seconds=60)
        )
        ratios = [pair.ratio for pair in pairs]
        verdicts.append(Judgement.of(ratios, AT_MOST).verdict)
    assert verdicts.count(Verdict.NOT_KEPT) <= 2
