"""Text that is wrapped by words, whole or as it is written."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from api.cli.chat.flow import Flow, wrapped

TEXTS = st.text(st.sampled_from("ab  \n日é\t\r\x1b[m"), max_size=80)


def flowed(pieces: list[str], columns: int) -> list[str]:
    flow = Flow()
    return [line for piece in pieces for line in flow.feed(piece, columns)] + [flow.rest]


def test_lines_break_between_words() -> None:
    assert wrapped("the quick brown fox", 10) == ["the quick", "brown fox"]
    assert wrapped("  code stays\nwhere it is", 20) == ["  code stays", "where it is"]
    assert wrapped("a\n\nb", 10) == ["a", "", "b"]


def test_a_word_that_is_longer_than_a_line_is_cut() -> None:
    assert wrapped("see https://example.org/abc", 10) == ["see", "https://ex", "ample.org/", "abc"]


def test_wide_characters_take_two_columns() -> None:
    assert wrapped("日本語日本語", 7) == ["日本語", "日本語"]


def test_what_a_terminal_would_obey_is_shown_instead() -> None:
    text = "\x1b[2Jgone\x07 \x1b]0;title\x07 \u202e"
    assert wrapped(text, 80) == ["\\x1b[2Jgone\\x07 \\x1b]0;title\\x07 \\u202e"]
    # Also where it comes in pieces.
    assert "".join(flowed(list(text), 80)) == "".join(wrapped(text, 80))


@given(TEXTS, st.integers(2, 12))
def test_no_line_is_wider_than_the_terminal(text: str, columns: int) -> None:
    assert all(cell_len(line) <= columns for line in wrapped(text, columns))


@given(TEXTS, st.lists(st.integers(0, 80), max_size=6), st.integers(2, 12))
def test_pieces_give_the_lines_of_the_whole(text: str, cuts: list[int], columns: int) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in pairwise(places)]
    if not text.endswith("\r"):  # Whether that ends a line is not known yet.
        assert flowed(pieces, columns) == wrapped(text, columns)
