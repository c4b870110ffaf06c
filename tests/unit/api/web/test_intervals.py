"""Durations of the API, as pages write them."""

import pytest

from api.web.filters import interval


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("600s", "10 min"),
        ("5400s", "1 h 30 min"),
        ("90m", "1 h 30 min"),
        ("86400s", "1 d"),
        ("90061s", "1 d 1 h 1 min 1 s"),
        ("0s", "0 s"),
    ],
)
def test_an_interval_is_written_in_the_units_that_it_has(text: str, shown: str) -> None:
    assert interval(text) == shown
