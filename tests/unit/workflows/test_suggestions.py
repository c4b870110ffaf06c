"""What somebody may have meant who wrote a name that nothing has."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pressure import allowed
from workflows.suggestions import nearest

KNOWN = ("csv-clean", "csv-profile", "csv-join", "chart", "report", "text-extract")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("csv-claen", "csv-clean"),
        ("csvclean", "csv-clean"),
        ("csv_join", "csv-join"),
        ("text_extract", "text-extract"),
        ("charts", "chart"),
        ("reprot", "report"),
        ("xyz", None),
        ("", None),
    ],
)
def test_the_name_that_is_most_like_one_is_suggested(name: str, meant: str | None) -> None:
    assert nearest(name, KNOWN) == meant


def test_a_name_among_a_thousand_that_are_alike_is_found_at_once() -> None:
    """What compares them all as closely as it goes takes most of a second."""
    letters = random.Random(1)
    known = ["".join(letters.choices("abcde-", k=64)) for _ in range(1_000)]
    started = time.process_time()
    assert nearest(f"{known[7][:-1]}z", known) == known[7]
    assert nearest("abcde-" * 17, known) is None
    assert time.process_time() - started < allowed(0.2)


@given(st.text(max_size=150), st.lists(st.text(max_size=150), max_size=30))
def test_a_suggestion_is_one_of_those_that_there_are(name: str, known: list[str]) -> None:
    assert nearest(name, known) in (None, *known)
