"""The pauses between attempts at a step. That they are Temporal's is shown on a true server."""

from datetime import timedelta

import pytest

from workflows import policies


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 1), (2, 2), (5, 16), (9, 256), (10, 300), (21, 300)]
)
def test_the_pause_doubles_up_to_a_limit(attempt: int, seconds: int) -> None:
    assert policies.step_pause(attempt) == timedelta(seconds=seconds)


@pytest.mark.parametrize("attempt", [1, 21])
def test_a_pause_that_is_asked_for_is_taken(attempt: int) -> None:
    assert policies.step_pause(attempt, 1_000.5) == timedelta(seconds=1_000.5)
    assert policies.step_pause(attempt, 0.0) == policies.step_pause(attempt)


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (3, 4), (6, 32), (17, 60)])
def test_the_pause_before_a_model_is_asked_again_doubles(attempt: int, seconds: int) -> None:
    assert policies.think_pause(attempt) == timedelta(seconds=seconds)
    assert policies.think_pause(attempt, 7.5) == timedelta(seconds=7.5)
