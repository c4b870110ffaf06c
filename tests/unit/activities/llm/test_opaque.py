"""State that goes back to a model: how it is put together, and its bounds."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.llm.opaque import MAX_OPAQUE_CHARACTERS, Gathered, Opaque
from tests.growth import is_about_linear


def gathered(*messages: dict[str, Any], calls: list[list[dict[str, Any]]] | None = None) -> Any:
    state = Gathered()
    for message in messages:
        state.take(message)
    return state.opaque("m", calls or [])


def fields(*messages: dict[str, Any]) -> dict[str, Any]:
    found = gathered(*messages)
    assert isinstance(found, Opaque)
    return dict(found.fields)


def test_an_answer_without_state_has_none() -> None:
    assert gathered({"role": "assistant", "content": "Yes", "refusal": None}) is None
    assert gathered({"reasoning_content": "", "reasoning_details": []}) is None


def test_fields_that_are_no_state_do_not_go_back() -> None:
    assert fields({"reasoning": "Hm.", "annotations": [{"url": "x"}], "audio": {}}) == {
        "reasoning": "Hm."
    }


def test_a_signature_that_comes_twice_is_there_once() -> None:
    signed = {"extra_content": {"google": {"thought_signature": "AA"}}}
    assert fields(signed, signed) == signed


def test_whole_thoughts_with_signatures_of_their_own_stay_apart() -> None:
    blocks = [
        {"type": "thinking", "thinking": "a", "signature": "s1"},
        {"type": "thinking", "thinking": "b", "signature": "s2"},
    ]
    assert fields({"thinking_blocks": blocks}) == {"thinking_blocks": blocks}
    apart = [{"thinking_blocks": [block]} for block in blocks]
    assert fields(*apart) == {"thinking_blocks": blocks}


def test_the_state_of_a_call_stands_in_its_place() -> None:
    found = gathered({}, calls=[[], [{"extra_content": {"a": 1}}], []])
    assert found.calls == (None, {"extra_content": {"a": 1}}, None)


def test_state_beyond_its_bound_is_not_kept() -> None:
    text = "x" * (MAX_OPAQUE_CHARACTERS - 100)
    assert gathered({"reasoning": text}) is not None
    assert gathered({"reasoning": text}, {"reasoning": "x" * 200}) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_state_that_cannot_be_stored_is_not_kept(value: object) -> None:
    assert gathered({"reasoning_details": [{"score": value}]}) is None
    deep: Any = "x"
    for _ in range(100):
        deep = [deep]
    assert gathered({"reasoning_details": deep}) is None


@given(text=st.text(min_size=1), data=st.data())
def test_thoughts_in_pieces_of_any_size_are_the_same(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    said = [
        {"reasoning": piece, "reasoning_details": [{"type": "reasoning.text", "text": piece}]}
        for piece in pieces
    ]
    assert fields(*said) == {
        "reasoning": text,
        "reasoning_details": [{"type": "reasoning.text", "text": text}],
    }


NAMES = ("content", "reasoning", "reasoning_details", "extra_content", "type", "text", "index")
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(messages=st.lists(st.dictionaries(st.sampled_from(NAMES), anything), max_size=4))
def test_no_state_is_too_strange(messages: list[dict[str, Any]]) -> None:
    found = gathered(*messages)
    if found is not None:
        json.dumps([found.fields, found.calls], allow_nan=False)


def test_long_thoughts_in_small_pieces_take_time_by_their_length() -> None:
    def think(pieces: int) -> None:
        piece = {"reasoning": "ab", "reasoning_details": [{"type": "t", "text": "a"}]}
        assert gathered(*[piece] * pieces) is not None

    assert is_about_linear(think, 20_000)
