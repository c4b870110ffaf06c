"""Durations as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.definitions.durations import duration_text, read_duration

LEAST, MOST = timedelta(seconds=1), timedelta(days=2)


def read(value: object) -> object:
    return read_duration(value, LEAST, MOST, "at least 1s, at most 2d")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("1h", 3_600),
        ("1d", 86_400),
        ("1500ms", 1.5),
        (2, 2),
        ("1.5 m", 90),
    ],
)
def test_a_number_has_a_unit_or_is_one_of_seconds(text: object, seconds: float) -> None:
    assert read(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "1h30", "-1s", "1 week", "often", "1e3", "PT1H", "٣s"])
def test_what_is_no_duration_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        read(text)


@pytest.mark.parametrize("text", ["0.9s", "3d", "0", "9" * 400])
def test_what_is_out_of_bounds_is_told_with_them(text: str) -> None:
    with pytest.raises(ValueError, match="at least 1s, at most 2d"):
        read(text)


@given(st.integers(1, 172_800))
def test_what_is_written_is_read_as_the_same(seconds: int) -> None:
    assert read(duration_text(timedelta(seconds=seconds))) == timedelta(seconds=seconds)
