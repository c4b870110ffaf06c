"""What pictures say."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.web.drawing.words import cut, plain, sign, state_class, took
from workflows.open_values import Unknown
from workflows.states import Status


@given(st.text(max_size=300), st.integers(1, 40))
@example("\u202egpj.exe", 40)
@example("漢" * 30, 5)
@example("a" * 10_000, 3)
def test_a_cut_text_is_narrow_and_holds_nothing_unseen(text: str, most: int) -> None:
    shown = cut(text, most)
    wide = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in shown)
    assert wide <= max(most, 1)
    assert not any(unicodedata.category(char)[0] == "C" for char in shown)


def test_a_short_text_stays_and_a_long_one_says_that_it_is_cut() -> None:
    assert cut("clean the table", 20) == "clean the table"
    assert cut("clean the table", 10) == "clean the…"


def test_marks_of_direction_are_no_part_of_a_plain_text() -> None:
    assert plain("a\u202eb\u2066c\x00d\ne") == "a b c d e"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 ms"),
        (0.0804, "80 ms"),
        (0.9996, "1.0 s"),
        (59.94, "59.9 s"),
        (59.99, "1 m 00 s"),
        (3_599.7, "1 h 00 m"),
        (7_620, "2 h 07 m"),
        (273_600, "3 d 04 h"),
    ],
)
def test_a_length_of_time_is_said_in_its_two_largest_units(seconds: float, said: str) -> None:
    assert took(seconds) == said


def test_every_state_has_a_sign_and_a_class_and_a_new_one_has_those_of_none() -> None:
    assert all(sign(status) and state_class(status) == f"is-{status}" for status in Status)
    assert (sign(Unknown("x y")), state_class(Unknown("x y"))) == ("?", "is-unknown")
