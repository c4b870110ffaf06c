"""Pauses between attempts: they grow up to a limit, and are not the same for everybody."""

import random
from itertools import islice

import pytest

from workflows.backoff import Backoff


def middle(low: float, high: float) -> float:
    return (low + high) / 2


def test_pauses_double_up_to_the_longest_and_do_not_end() -> None:
    pauses = Backoff(0.5, longest_seconds=3.0).pauses(middle)
    assert list(islice(pauses, 6)) == [0.5, 1.0, 2.0, 3.0, 3.0, 3.0]


def test_a_backoff_has_as_many_pauses_as_configured() -> None:
    assert list(Backoff(0.1, factor=3.0, times=3).pauses(middle)) == pytest.approx([0.1, 0.3, 0.9])


def test_the_first_pause_is_no_longer_than_the_longest() -> None:
    assert next(Backoff(60.0, longest_seconds=30.0).pauses(middle)) == 30.0


def test_a_new_run_of_failures_begins_with_the_first_pause() -> None:
    backoff = Backoff(1.0)
    assert list(islice(backoff.pauses(middle), 3)) == [1.0, 2.0, 4.0]
    assert next(backoff.pauses(middle)) == 1.0


def test_pauses_are_spread_by_a_quarter_either_way() -> None:
    drawn = [next(Backoff(1.0).pauses(random.Random(seed).uniform)) for seed in range(200)]
    assert 0.75 <= min(drawn) < 0.8
    assert 1.2 < max(drawn) <= 1.25
