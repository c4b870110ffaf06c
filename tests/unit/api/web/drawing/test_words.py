"""What pictures say."""

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from api.web.drawing.words import cut, plain


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
