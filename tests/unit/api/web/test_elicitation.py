"""Forms of servers as fields of a page, and what is filled in as an answer."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.datastructures import FormData

from activities.tools.mcp.questions import Question
from api.web.elicitation import answer_in, fields_of_form, words_of
from api.wire.responses.approvals import Approval
from workflows.pointers import Problem

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def asked(properties: dict[str, Any], *required: str) -> Approval:
    form = {"properties": properties, "required": list(required)}
    words = Question("Well?", form).shown
    return Approval(kind="answer", question=words, form=form, asked_at=NOW, expires_at=NOW)


@pytest.mark.parametrize(
    ("part", "control"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "format": "email"}, "email"),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": "string", "format": "date-time"}, "text"),
        ({"type": "integer"}, "number"),
        ({"type": "number"}, "number"),
        ({"type": "boolean"}, "select"),
        ({"enum": ["a", "b"]}, "select"),
        ({"type": "array", "items": {"enum": ["a"]}}, "several"),
        ({"type": "array"}, "text"),
        ({"type": ["odd"]}, "text"),
        ("nonsense", "text"),
    ],
)
def test_each_kind_of_field_has_its_control(part: Any, control: str) -> None:
    [field] = fields_of_form(asked({"x": part}))
    assert field.control == control


@pytest.mark.parametrize(
    ("part", "filled", "value"),
    [
        ({"type": "integer"}, ["3"], 3),
        ({"type": "boolean"}, ["no"], False),
        ({"oneOf": [{"const": "e", "title": "Economy"}]}, ["e"], "e"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, ["a", "b"], ["a", "b"]),
        ({"type": "array"}, ["a, b"], ["a", "b"]),
        ({"type": "string"}, [" as it is "], " as it is "),
    ],
)
def test_what_is_filled_in_is_what_the_server_is_given(
    part: dict[str, Any], filled: list[str], value: Any
) -> None:
    question = asked({"<script>": part})
    note = answer_in(question, FormData([("field-0", each) for each in filled]))
    assert Question("", question.form).content(note) == {"<script>": value}


def test_what_is_left_empty_is_left_out_and_a_default_stands_there_at_first() -> None:
    question = asked({"a": {"type": "integer", "default": 3}, "b": {"type": "string"}}, "a", "b")
    first, second = fields_of_form(question)
    assert (first.value, first.is_required) == ("3", False)
    assert (second.value, second.is_required) == ("", True)
    given = FormData([("field-0", ""), ("field-1", "x"), ("field-7", "y")])
    assert json.loads(answer_in(question, given)) == {"b": "x"}


def test_a_problem_stands_beside_the_field_that_it_names() -> None:
    question = asked({"a": {"type": "integer"}, "aa": {"type": "integer"}})
    problems = [Problem("/note", "'aa' is a whole number")]
    fields = fields_of_form(question, FormData([("field-1", "x")]), problems)
    assert [field.problem for field in fields] == ["", "'aa' is a whole number"]
    assert fields[1].value == "x"


def test_the_question_is_shown_without_the_words_for_a_terminal() -> None:
    assert words_of(asked({"a": {"type": "integer"}})) == "Well?"


def test_limits_of_a_field_are_those_of_its_control() -> None:
    part = {"type": "integer", "minimum": 1, "maximum": 9, "minLength": "x"}
    [field] = fields_of_form(asked({"a": part}))
    assert dict(field.attributes) == {"step": "1", "min": "1", "max": "9"}
