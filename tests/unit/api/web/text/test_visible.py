from hypothesis import given
from hypothesis import strategies as st

from api.web.text.visible import plain, visible

HIDDEN = "\x00\x07\x1b\x7f\x85\u202a\u202e\u2066\u2069\ud800"


def test_controls_are_shown_as_pictures() -> None:
    assert visible("a\x00b\x1b[1m\x7f") == "a␀b␛[1m␡"


def test_what_turns_text_is_named_instead_of_obeyed() -> None:
    assert visible("photo\u202egpj.exe") == "photo\\u202egpj.exe"


def test_line_ends_of_all_systems_end_lines() -> None:
    assert visible("a\r\nb\rc\td") == "a\nb\nc\td"


@given(st.text(alphabet=st.one_of(st.sampled_from(HIDDEN), st.characters())))
def test_nothing_hidden_is_left_and_all_can_be_sent(text: str) -> None:
    shown = visible(text)
    assert not set(HIDDEN) & set(shown)
    shown.encode()
    assert visible(shown) == shown


def test_plain_text_is_escaped() -> None:
    assert plain("<b>&\x00") == "&lt;b&gt;&amp;␀"
