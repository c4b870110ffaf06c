"""What the benchmarks print of their bounds."""

import pytest

from tests.benchmarks.judgement import Bound, Pair, Verdict
from tests.benchmarks.report import (
    Figure,
    compare,
    conclude,
    console,
    judge,
    judge_median,
    show_figures,
    show_rounds,
    spread,
)

AT_MOST = Bound(most=1.3)


@pytest.mark.parametrize(
    ("ratios", "verdict", "said"),
    [
        ([1.0, 1.1] * 5, Verdict.KEPT, "<= 1.3: kept"),
        ([1.0, 1.6] * 5, Verdict.UNDECIDED, "<= 1.3: undecided"),
        ([1.4, 1.6] * 5, Verdict.NOT_KEPT, "<= 1.3: NOT KEPT"),
    ],
)
def test_a_comparison_shows_median_interval_pairs_and_verdict(
    ratios: list[float], verdict: Verdict, said: str
) -> None:
    pairs = [Pair(ratio * 10, 10.0) for ratio in ratios]
    with console.capture() as printed:
        assert compare("T", pairs, baseline_name="b", unit="ms", bound=AT_MOST) is verdict
    words = " ".join(printed.get().replace("│", " ").split())
    middle = sum(ratios[:2]) / 2
    assert f"{middle:.2f}, 95% interval {ratios[0]:.2f} to {ratios[1]:.2f}, 10 pairs" in words
    assert said in words


def test_a_median_is_judged_with_its_interval() -> None:
    with console.capture() as printed:
        verdict = judge_median("It comes later by", [40.0, 50.0] * 5, "ms", Bound(most=100))
    assert verdict is Verdict.KEPT
    said = "It comes later by: 45.0 ms, 95% interval 40.0 to 50.0, 10 values (bound <= 100: kept)"
    assert " ".join(printed.get().split()) == said


@pytest.mark.parametrize(("kept", "verdict"), [(True, Verdict.KEPT), (False, Verdict.NOT_KEPT)])
def test_a_figure_without_noise_is_never_undecided(kept: bool, verdict: Verdict) -> None:
    assert judge("12 events", kept=kept, bound="<= 12") is verdict


def test_a_bound_that_is_undecided_is_named_and_no_failure() -> None:
    with console.capture() as printed:
        assert conclude({"one": Verdict.KEPT, "two": Verdict.UNDECIDED})
    assert printed.get() == "undecided: two\n"


def test_a_bound_that_is_not_kept_is_named_and_a_failure() -> None:
    verdicts = {"one": Verdict.NOT_KEPT, "two": Verdict.UNDECIDED, "three": Verdict.NOT_KEPT}
    with console.capture() as printed:
        assert not conclude(verdicts)
    assert printed.get() == "undecided: two\nNOT KEPT: one, three\n"


def test_a_spread_is_the_median_between_the_least_and_the_most() -> None:
    assert spread([4.0, 1.0, 2.5]) == "2.5 [1.0 - 4.0]"
    assert spread([4.0, 1.0], 0) == "2 [1 - 4]"


def test_parts_are_shown_side_by_side_with_the_spread_of_their_rounds() -> None:
    with console.capture() as printed:
        show_rounds("T", {"one": [{"API": 1.0}, {"API": 3.0}], "other": [{"API": 5.0}]})
    words = " ".join(printed.get().replace("│", " ").split())
    assert "API 2.0 [1.0 - 3.0] 5.0 [5.0 - 5.0]" in words


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        (Bound(most=1.1, goal=0.9), "<= 1.1, goal 0.9"),
        (Bound(least=0.75, goal=0.9), ">= 0.75, goal 0.9"),
        (Bound(most=2.0, least=1.0), "<= 2 and >= 1"),
    ],
)
def test_a_bound_says_its_goal_as_well(bound: Bound, said: str) -> None:
    assert str(bound) == said


@pytest.mark.parametrize(("value", "said"), [(0.85, "kept"), (1.0, "kept"), (1.2, "NOT KEPT")])
def test_the_table_says_plainly_which_bound_is_not_kept(value: float, said: str) -> None:
    figure = Figure.of("3 steps", [value] * 6, Bound(most=1.1, goal=0.9))
    with console.capture() as printed:
        show_figures([figure])
    words = " ".join(printed.get().replace("│", " ").split())
    assert f"3 steps {value:.2f} x {value:.2f} to {value:.2f} <= 1.1, goal 0.9 {said}" in words


def test_a_goal_that_is_missed_breaks_no_bound() -> None:
    assert Figure.of("", [1.0] * 6, Bound(most=1.1, goal=0.9)).judgement.verdict is Verdict.KEPT
