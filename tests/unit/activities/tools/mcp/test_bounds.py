"""What a server may send at all."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from activities.tools.mcp.bounds import Flow, has_too_many_values
from activities.tools.mcp.limits import (
    MAX_MESSAGES_AT_ONCE,
    MAX_MESSAGES_PER_SECOND,
    MAX_VALUES,
)


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize(
    "message",
    [
        b"[" * (MAX_VALUES + 1),
        b"[" + b"[]," * MAX_VALUES,
        b'["",' * MAX_VALUES,
        b"{}," * MAX_VALUES,
    ],
)
def test_many_values_are_too_many(message: bytes) -> None:
    assert has_too_many_values(message)


@pytest.mark.parametrize("text", ["[]," * MAX_VALUES, '"\\\n,' * MAX_VALUES, '\\"[' * MAX_VALUES])
def test_a_text_is_one_value_whatever_it_holds(text: str) -> None:
    assert not has_too_many_values(json.dumps({"text": [text, text]}).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_a_document_with_few_values_is_accepted(value: JsonValue) -> None:
    assert not has_too_many_values(json.dumps(value).encode())


def test_a_server_may_send_many_at_once_and_some_a_second_besides() -> None:
    clock = Clock()
    flow = Flow(clock)
    assert all(flow.has_room() for _ in range(MAX_MESSAGES_AT_ONCE))
    assert not flow.has_room()
    clock.seconds += 1
    assert all(flow.has_room() for _ in range(MAX_MESSAGES_PER_SECOND - 1))
    assert not flow.has_room()


def test_rest_saves_up_no_more_than_what_may_come_at_once() -> None:
    clock = Clock()
    flow = Flow(clock)
    clock.seconds += 3_600
    assert sum(flow.has_room() for _ in range(2 * MAX_MESSAGES_AT_ONCE)) == MAX_MESSAGES_AT_ONCE


def test_answers_are_welcome_however_many_are_asked_for() -> None:
    clock = Clock()
    flow = Flow(clock)
    for _ in range(3 * MAX_MESSAGES_AT_ONCE):
        flow.asked()
    clock.seconds += 1
    assert all(flow.has_room() for _ in range(3 * MAX_MESSAGES_AT_ONCE))
