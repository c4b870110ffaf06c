import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.llm.unwrapping import unwrapped
from tests.growth import is_about_linear

WRAPPERS = {
    "nothing": "{}",
    "an empty object before": "{{}}{}",
    "null before": "null{}",
    "a fence": "```json\n{}\n```",
    "a token after": "{}<|im_end|>",
    "a token before": "<|message|>{}",
    "tags": "<tool_call>\n{}\n</tool_call>",
    "mistral's mark": "[TOOL_CALLS]{}",
    "a list": "[{}]",
    "a brace too many": "{}}}",
    "blanks": " \n{}\n ",
}
objects = st.dictionaries(
    st.text(max_size=5),
    st.text(max_size=20) | st.integers() | st.none() | st.lists(st.text(max_size=5), max_size=3),
    min_size=1,
    max_size=4,
)
wrappers = st.sampled_from(sorted(WRAPPERS.values()))


@given(value=objects, wrapper=wrappers)
def test_what_is_around_one_object_is_taken_off(value: dict[str, object], wrapper: str) -> None:
    assert json.loads(unwrapped(wrapper.format(json.dumps(value)))) == value


@given(value=objects, times=st.integers(1, 3))
def test_a_string_of_json_is_the_object_in_it(value: dict[str, object], times: int) -> None:
    text = json.dumps(value)
    for _ in range(times):
        text = json.dumps(text)
    assert json.loads(unwrapped(text)) == value


@given(value=objects, wrapper=wrappers, data=st.data())
def test_text_that_is_cut_off_never_becomes_an_object(
    value: dict[str, object], wrapper: str, data: st.DataObject
) -> None:
    before = wrapper.format("\0").index("\0")
    text = json.dumps(value)
    cut = data.draw(st.integers(1, len(text) - 1))
    given_text = wrapper.format(text)[: before + cut]
    assert unwrapped(given_text) == given_text


@given(value=objects, wrapper=wrappers, data=st.data())
def test_a_wrapper_around_text_that_is_cut_off_does_not_make_it_whole(
    value: dict[str, object], wrapper: str, data: st.DataObject
) -> None:
    text = json.dumps(value)
    cut = data.draw(st.integers(1, len(text) - 1))
    for given_text in (wrapper.format(text[:cut]), json.dumps(text[:cut])):
        found = unwrapped(given_text)
        # A brace of the wrapper may close an object whose last one was cut off: it was whole.
        assert found == given_text or json.loads(found) == value


@given(text=st.text(max_size=60) | st.text(alphabet='{}[]":,a1<|>`null\\ ', max_size=40))
def test_any_text_is_an_object_or_left_as_it_is(text: str) -> None:
    found = unwrapped(text)
    assert found == text or isinstance(json.loads(found), dict)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}{"b": 2}',
        'Sure: {"a": 1}',
        '{"a": 1}, "b": 2}',
        "[1]",
        "[]",
        '[{"a": 1}, {"b": 2}]',
        '"a"',
        "3",
        "true",
        "nul",
        "",
        "<|im_end|>",
        "[" * 100_000,
        '"' * 1_001,
    ],
)
def test_what_is_not_one_object_is_left_as_it_is(text: str) -> None:
    assert unwrapped(text) == text


@pytest.mark.parametrize("text", ["null", '"null"', '""', "{}{}", " null\n"])
def test_nothing_in_other_words_is_an_empty_object(text: str) -> None:
    assert unwrapped(text) == "{}"


def test_an_object_is_left_as_it_was_written() -> None:
    assert unwrapped('{ "b":1,  "a": 2 }') == '{ "b":1,  "a": 2 }'


@pytest.mark.parametrize("sign", [" ", "{}", "<a>", "}", "```"])
def test_long_wrappers_take_time_by_their_length(sign: str) -> None:
    def unwrap(times: int) -> None:
        assert "x" in unwrapped(sign * times + "x")

    assert is_about_linear(unwrap, 100_000)
