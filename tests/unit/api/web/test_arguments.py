"""Arguments of calls as a person reads and edits them."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from api.web.arguments import arguments_of, digest_of, json_text

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
VALUE: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
UNSEEN = "\u202e\u2066\x1b\x00\u200b\u2028"


@given(VALUE)
def test_what_is_edited_is_the_same_document(value: JsonValue) -> None:
    assert json.loads(json_text(value)) == value


@given(st.dictionaries(TEXT, VALUE, max_size=4))
def test_nothing_that_turns_or_hides_text_is_shown_as_it_is(value: dict[str, JsonValue]) -> None:
    shown = arguments_of({**value, UNSEEN: UNSEEN, "code": f"a\n{UNSEEN}"}, is_whole=True)
    for piece in shown.pieces:
        assert not set(piece.name + piece.text) & set(UNSEEN)
    assert not set(shown.text) & set(UNSEEN)


def test_all_arguments_are_shown_and_long_ones_only_where_they_are_looked_at_alone() -> None:
    value: JsonValue = {"a": "x" * 50_000, "b": "y"}
    cut, whole = (arguments_of(value, is_whole=is_whole) for is_whole in (False, True))
    assert (cut.is_cut, whole.is_cut) == (True, False)
    assert len("".join(piece.text for piece in cut.pieces)) < 5_000
    assert [piece.name for piece in whole.pieces] == ["a", "b"]
    assert "x" * 50_000 in whole.pieces[0].text


def test_a_text_that_has_gone_through_a_field_of_a_form_is_the_same() -> None:
    assert digest_of('{\r\n  "a": 1\r\n}\r\n') == digest_of('{\n  "a": 1\n}')
    assert digest_of('{"a": "x  y"}') != digest_of('{"a": "x y"}')


def test_code_is_shown_as_it_is_and_what_is_short_in_one_line() -> None:
    shown = arguments_of({"source": "print(1)\nprint(2)", "args": ["a", 1]}, is_whole=False)
    assert [piece.text for piece in shown.pieces] == ["print(1)\nprint(2)", '["a", 1]']
