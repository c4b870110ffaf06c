"""Lengths of time on the command line."""

import pytest

from api.cli.commands.intervals import interval


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("60s", "1m"),
        ("3600s", "1h"),
        ("5400s", "90m"),
        ("86400s", "1d"),
        ("2592000s", "30d"),
        ("95s", "95s"),
        ("0s", "0s"),
        ("0.5s", "0.5s"),
    ],
)
def test_an_interval_is_shown_as_people_write_it(text: str, written: str) -> None:
    assert interval(text) == written
