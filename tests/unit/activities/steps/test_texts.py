"""What becomes of values where a tool wants text."""

import pytest
from pydantic import JsonValue

from activities.steps.texts import texts_where_wanted

TEXT, NUMBER = {"type": "string"}, {"type": "number"}


@pytest.mark.parametrize(
    ("schema", "value", "given"),
    [
        (TEXT, 345, "345"),
        (TEXT, True, "true"),
        (TEXT, [1, "ä"], '[1, "ä"]'),
        ({"anyOf": [TEXT, {"type": "null"}]}, 1.5, "1.5"),
        ({"type": ["string", "null"]}, 1, "1"),
        ({"type": "array", "items": TEXT}, [1, "a"], ["1", "a"]),
        ({"type": "object", "properties": {"x": TEXT}}, {"x": 1, "y": 2}, {"x": "1", "y": 2}),
    ],
)
def test_a_value_becomes_text_where_nothing_else_is_taken(
    schema: JsonValue, value: JsonValue, given: JsonValue
) -> None:
    assert texts_where_wanted({"a": value}, {"properties": {"a": schema}}) == {"a": given}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (NUMBER, 345),
        ({"anyOf": [TEXT, NUMBER]}, 345),
        ({}, 345),
        (True, 345),
        ({"anyOf": ["odd", TEXT]}, 345),
        ({"type": "array", "items": True}, [1]),
        (TEXT, None),
        (TEXT, "345"),
    ],
)
def test_a_value_keeps_its_type_where_that_may_be_wanted(
    schema: JsonValue, value: JsonValue
) -> None:
    assert texts_where_wanted({"a": value}, {"properties": {"a": schema}}) == {"a": value}
    assert texts_where_wanted({"a": value}, {}) == {"a": value}
