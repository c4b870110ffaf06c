"""Tool calls as servers really send them."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.llm.assembly import Assembly
from activities.llm.base import ChatMessage, ToolRequest, Usage
from activities.llm.calls import MAX_REQUESTS
from activities.llm.wire import request_body
from tests.doubles.model_server import Json, call, delta
from tests.growth import is_about_linear

OWN_ID = re.compile(r"[0-9a-f]{9}")


def assembled(*pieces: Json) -> tuple[ToolRequest, ...]:
    assembly = Assembly()
    for piece in pieces:
        assembly.add(delta(tool_calls=[piece]))
    return assembly.requests()


FIRST, SECOND = ToolRequest("c1", "one", '{"a": 1}'), ToolRequest("c2", "two", '{"b": 2}')


@pytest.mark.parametrize(
    "pieces",
    {
        "openai": [
            call(0, id="c1", name="one", arguments=""),
            call(0, arguments='{"a"'),
            call(0, arguments=": 1}"),
            call(1, id="c2", name="two", arguments=""),
            call(1, arguments='{"b": 2}'),
        ],
        "interleaved": [
            call(0, id="c1", name="one", arguments='{"a'),
            call(1, id="c2", name="two", arguments='{"b'),
            call(0, arguments='": 1}'),
            call(1, arguments='": 2}'),
        ],
        "whole": [
            call(0, id="c1", name="one", arguments='{"a": 1}'),
            call(1, id="c2", name="two", arguments='{"b": 2}'),
        ],
        "the index is always 0": [
            call(0, id="c1", name="one", arguments='{"a": 1}'),
            call(0, id="c2", name="two", arguments='{"b": 2}'),
        ],
        "no index": [
            call(id="c1", name="one", arguments='{"a": 1}'),
            call(id="c2", name="two", arguments='{"b": 2}'),
        ],
        "no index, in pieces": [
            call(id="c1", name="one", arguments='{"a"'),
            call(arguments=": 1}"),
            call(id="c2", name="two", arguments='{"b": 2'),
            call(arguments="}"),
        ],
        "name and id repeated": [
            call(0, id="c1", name="one", arguments='{"a"'),
            call(0, id="c1", name="one", arguments=": 1}"),
            call(0, id="c1", name="one", arguments=""),
            call(1, id="c2", name="two", arguments='{"b": 2}'),
        ],
        "name repeated without id": [
            call(0, id="c1", name="one", arguments='{"a"'),
            call(0, name="one", arguments=": 1}"),
            call(0, name="one", arguments=""),
            call(1, id="c2", name="two", arguments='{"b": 2}'),
        ],
        "a new id for every piece": [
            call(0, id="c1", name="one", arguments='{"a"'),
            call(0, id="x1", arguments=": 1}"),
            call(1, id="c2", name="two", arguments='{"b"'),
            call(1, id="x2", arguments=": 2}"),
        ],
        "the name comes later": [
            call(0, id="c1"),
            call(0, name="one"),
            call(0, arguments='{"a": 1}'),
            call(1, id="c2", name="two", arguments='{"b": 2}'),
        ],
        "arguments that are no text": [
            call(0, id="c1", name="one", arguments={"a": 1}),
            call(1, id="c2", name="two", arguments={"b": 2}),
        ],
        "the index is a text": [
            {"index": "0"} | call(id="c1", name="one", arguments='{"a": 1}'),
            {"index": "1"} | call(id="c2", name="two", arguments='{"b": 2}'),
        ],
    }.items(),
    ids=lambda item: item[0],
)
def test_calls_are_told_apart_however_they_are_sent(pieces: tuple[str, list[Json]]) -> None:
    assert assembled(*pieces[1]) == (FIRST, SECOND)


def test_whole_calls_in_one_chunk_are_told_apart() -> None:
    assembly = Assembly()
    both = [call(0, id=r.id, name=r.name, arguments=r.arguments) for r in (FIRST, SECOND)]
    assembly.add(delta(tool_calls=both))
    assert assembly.requests() == (FIRST, SECOND)


@pytest.mark.parametrize("index", [0, None])
def test_calls_without_ids_are_told_apart_and_get_some(index: int | None) -> None:
    pieces = [call(index, name=r.name, arguments=r.arguments) for r in (FIRST, SECOND)]
    one, two = assembled(*pieces)
    assert (one.name, one.arguments) == (FIRST.name, FIRST.arguments)
    assert (two.name, two.arguments) == (SECOND.name, SECOND.arguments)
    assert OWN_ID.fullmatch(one.id)
    assert OWN_ID.fullmatch(two.id)
    assert one.id != two.id


def test_the_same_tool_called_twice_without_ids_is_two_calls() -> None:
    pieces = [call(0, name="one", arguments=text) for text in ('{"a": 1}', '{"a": 2}')]
    assert [request.arguments for request in assembled(*pieces)] == ['{"a": 1}', '{"a": 2}']


def test_an_id_that_is_used_twice_is_replaced() -> None:
    one, two = assembled(call(0, id="c", name="a"), call(1, id="c", name="b"))
    assert one.id == "c"
    assert OWN_ID.fullmatch(two.id)


def test_ids_stay_the_same_when_asked_again() -> None:
    assembly = Assembly()
    assembly.add(delta(tool_calls=[call(0, name="one")]))
    assert assembly.requests() == assembly.requests()


@pytest.mark.parametrize("arguments", [{}, {"arguments": ""}, {"arguments": None}])
def test_no_arguments_are_an_empty_object_for_the_server(arguments: Json) -> None:
    requests = assembled(call(0, id="c", name="one", **arguments))
    said: Any = request_body([ChatMessage("assistant", "", requests)], ())["messages"]
    assert said[0]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_a_call_without_a_name_is_kept_so_that_the_model_can_be_told() -> None:
    (request,) = assembled(call(0, id="c", arguments="{}"))
    assert request.name == ""


def test_too_many_calls_are_too_long_an_answer() -> None:
    assembly = Assembly()
    assembly.add(delta(tool_calls=[call(i, name="one") for i in range(MAX_REQUESTS + 1)]))
    assert assembly.is_too_long
    assert len(assembly.requests()) == MAX_REQUESTS


@given(
    arguments=st.lists(
        st.dictionaries(st.text(max_size=5), st.text(max_size=10), max_size=3).map(json.dumps),
        min_size=1,
        max_size=4,
    ),
    data=st.data(),
)
def test_pieces_of_any_size_make_the_same_calls(arguments: list[str], data: st.DataObject) -> None:
    pieces = []
    for index, text in enumerate(arguments):
        cut = data.draw(st.integers(0, len(text)))
        pieces.append(call(index, id=f"c{index}", name="one", arguments=text[:cut]))
        pieces += [call(index, arguments=character) for character in text[cut:]]
    assert [request.arguments for request in assembled(*pieces)] == arguments


def test_long_arguments_in_small_pieces_take_time_by_their_length() -> None:
    chunk = delta(tool_calls=[call(0, name="write_file", id="1", arguments="abcd")])

    def write(pieces: int) -> None:
        assembly = Assembly()
        for _ in range(pieces):
            assembly.add(chunk)
        assert len(assembly.requests()[0].arguments) == 4 * pieces

    assert is_about_linear(write, 120_000)


def test_parts_of_text_and_refusals_are_text() -> None:
    assembly = Assembly()
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "Yes"}]
    assert assembly.add(delta(content=parts)) == "Yes"
    assert assembly.add(delta(refusal=", but no")) == ", but no"
    assert assembly.text == "Yes, but no"


def test_text_is_made_fit_to_be_stored() -> None:
    assembly = Assembly()
    assert assembly.add(delta(content="a\0b\ud83dc")) == "a\ufffdb?c"
    (request,) = assembled(call(0, id="\0", name="n\ud83d", arguments='{"\0'))
    assert request == ToolRequest("\ufffd", "n?", '{"\ufffd')


@pytest.mark.parametrize(
    ("counted", "usage"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 0}, Usage(3, 0, is_estimate=False)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, None),
        ({"prompt_tokens": 3, "completion_tokens": -1}, None),
        ({"prompt_tokens": "3", "completion_tokens": 1}, None),
        ({"prompt_tokens": 2**40, "completion_tokens": 1}, None),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 1,
                "prompt_tokens_details": {"cached_tokens": 8},
            },
            Usage(9, 1, is_estimate=False, cached_tokens=8),
        ),
        ({"prompt_tokens": None, "completion_tokens": None}, None),
        ({}, None),
        (None, None),
    ],
)
def test_usage_counts_only_when_it_makes_sense(counted: object, usage: Usage | None) -> None:
    assembly = Assembly()
    assembly.add({"choices": [], "usage": counted})
    assert assembly.usage == usage


def test_the_last_usage_counts() -> None:
    assembly = Assembly()
    for tokens in (1, 2, 3):
        assembly.add({"usage": {"prompt_tokens": 9, "completion_tokens": tokens}})
    assembly.add(delta())
    assert assembly.usage == Usage(9, 3, is_estimate=False)


FIELDS = (
    *("choices", "delta", "message", "finish_reason", "content", "tool_calls", "function"),
    *("index", "id", "name", "arguments", "usage", "prompt_tokens", "completion_tokens"),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(chunks=st.lists(anything, max_size=5))
def test_no_chunk_is_too_strange(chunks: list[object]) -> None:
    assembly = Assembly()
    for chunk in chunks:
        assembly.add(chunk)
    assert isinstance(assembly.text, str)
    assert all(isinstance(request.arguments, str) for request in assembly.requests())
