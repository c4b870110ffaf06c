"""What is wrong with a value is told in our words, whatever pydantic finds."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticKnownError
from pydantic_core.core_schema import ErrorType

from api.http.idempotency import IdempotencyKey
from api.wire import (
    agent_requests,
    bulk,
    bulk_tasks,
    group_requests,
    memory_requests,
    requests,
    schedule_requests,
)
from api.wire.agent_requests import TEMPLATE_NAME
from workflows.definitions import agent, mcp_server, pipeline, plan, resident, task_request
from workflows.pattern_words import words_of
from workflows.pointers import problems_in
from workflows.validation_messages import WORDS, message_of

# What every type of error may need, to be told.
NUMBERS = (
    *("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "actual_length"),
    *("max_digits", "decimal_places", "whole_digits", "expected_version", "tz_expected"),
)
TEXTS = (
    *("attribute", "class_name", "class", "discriminator", "encoding", "encoding_error", "error"),
    *("expected", "expected_schemes", "expected_tags", "field_type", "method_name", "pattern"),
    "tag",
)
CONTEXT: dict[str, Any] = dict.fromkeys(NUMBERS, 2) | dict.fromkeys(TEXTS, "a")
# They are of programs that use pydantic, and not of values; the words of these are ours.
OF_PROGRAMS = {
    *("no_such_attribute", "needs_python_object", "get_attribute_error", "is_instance_of"),
    *("is_subclass_of", "callable_type", "default_factory_not_called", "missing_sentinel_error"),
    *("ellipsis_error", "value_error", "assertion_error"),
}
TYPES = sorted(set(get_args(ErrorType)) - OF_PROGRAMS)


def error(kind: str) -> ErrorDetails:
    return {"type": kind, "loc": ("a",), "msg": "Input should be", "input": 1, "ctx": CONTEXT}


@pytest.mark.parametrize("kind", TYPES)
def test_each_type_of_error_that_pydantic_knows_has_words_of_ours(kind: str) -> None:
    assert kind in WORDS
    words = message_of(error(kind))
    assert "Input" not in words
    assert not re.search(r"[{}]", words)


def test_an_error_that_nobody_foresaw_is_not_told_in_words_of_others() -> None:
    assert message_of(error("made_up")) == "it is not what belongs here"


def test_the_words_for_too_few_are_right_for_one_and_for_many() -> None:
    told = [message_of({**error("too_short"), "ctx": {"min_length": number}}) for number in (1, 2)]
    assert told == ["it must have at least 1 item", "it must have at least 2 items"]
    assert PydanticKnownError("int_type").type in WORDS


MODELS = sorted(
    {
        each
        for module in (
            *(agent, mcp_server, pipeline, plan, resident, task_request),
            *(agent_requests, bulk, bulk_tasks, group_requests, memory_requests, requests),
            schedule_requests,
        )
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, BaseModel) and each is not BaseModel
    },
    key=lambda model: f"{model.__module__}.{model.__name__}",
)


def patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        yield from (found for item in schema.values() for found in patterns(item))
    elif isinstance(schema, list):
        yield from (found for item in schema for found in patterns(item))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model.__module__}.{model.__name__}")
def test_each_pattern_of_what_people_send_has_words(model: type[BaseModel]) -> None:
    unknown = {each for each in patterns(model.model_json_schema()) if words_of(each) is None}
    assert not unknown


def test_a_pattern_of_a_path_or_header_has_words() -> None:
    [header] = [
        item.pattern
        for each in get_args(IdempotencyKey)[1:]
        for item in each.metadata
        if getattr(item, "pattern", None)
    ]
    assert words_of(TEMPLATE_NAME)
    assert words_of(header)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9_-]{0,62}$")]
    skill: str = ""
    kind: Literal["agent", "plan"] = "agent"
    notice: Literal["task.done", "task.failed"] = "task.done"
    count: Annotated[int, Field(strict=True)] = 1
    share: Annotated[float, Field(strict=True)] = 1.0
    is_on: Annotated[bool, Field(strict=True)] = True
    args: list[str] | dict[str, int] = []
    on: list[Literal["any"] | Annotated[int, Field(strict=True, ge=1)]] = []
    parts: "dict[str, _Part]" = {}


class _Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")

    steps: list[_Part] = Field(min_length=1)
    begin: str = Field(default="", alias="from")


BAD: dict[str, tuple[object, str, str]] = {
    "a misspelt field": ({"skil": "x"}, "skil", "unknown field skil; did you mean skill?"),
    "a field like none": (
        {"colour": 1},
        "colour",
        "unknown field colour; there are id, skill, kind, notice, count, share, is_on, args, on, "
        "parts",
    ),
    "a field of a part": ({"parts": {"x": {"id": "x", "kid": 1}}}, "parts/x/kid", "mean kind?"),
    "a name that cannot be printed": ({"a\nb": 1}, "a\nb", "unknown field 'a\\nb'; there are"),
    "a long name": ({"x" * 99: 1}, "x" * 99, f"unknown field {'x' * 60}...; there are"),
    "a number for text": ({"skill": 1.5}, "skill", 'a number: write it in quotes, "1.5"'),
    "true for text": ({"skill": True}, "skill", 'not true: write it in quotes, "true"'),
    "nothing for text": ({"skill": None}, "skill", "it must be text, not nothing (null)"),
    "a list for text": ({"skill": []}, "skill", "it must be text, not a list"),
    "text for a number": ({"count": "3"}, "count", "not text: write it without quotes, 3"),
    "words for a number": ({"count": "three"}, "count", "it must be a whole number, not text"),
    "half a number": ({"count": 1.5}, "count", "it must be a whole number, not 1.5"),
    "yes for true": ({"is_on": "yes"}, "is_on", "it must be true or false, not text: write true"),
    "off for false": ({"is_on": "Off"}, "is_on", "not text: write false"),
    "a misspelt choice": ({"kind": "agnt"}, "kind", "it must be 'agent' or 'plan'; did you mean"),
    "a choice like none": ({"kind": "xyz"}, "kind", "it must be 'agent' or 'plan'"),
    "a choice with the same beginning": (
        {"notice": "task.fail"},
        "notice",
        "it must be 'task.done' or 'task.failed'; did you mean 'task.failed'?",
    ),
    "a choice that shares only that": (
        {"notice": "task.x"},
        "notice",
        "it must be 'task.done' or 'task.failed'",
    ),
    "none of two forms": ({"args": 5}, "args", "it must be a list or an object, not a number"),
    "one of two forms": ({"args": ["a", 5]}, "args/1", "it must be text, not a number"),
    "a misspelt member": ({"on": ["ayn"]}, "on/0", "'any' or a whole number; did you mean 'any'?"),
    "a member out of range": ({"on": [0]}, "on/0", "it must be at least 1"),
    "a name with a blank": ({"id": "a b"}, "id", "it must begin with a letter, followed by"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_told_with_what_was_found_and_what_to_write(name: str) -> None:
    fields, place, said = BAD[name]
    assert isinstance(fields, dict)
    document = {"steps": [{"id": "a", **fields}]}
    with pytest.raises(ValidationError) as caught:
        _Whole.model_validate(document)
    [problem] = problems_in(caught.value.errors(), document, model=_Whole)
    assert problem.pointer == f"/steps/0/{place}"
    assert said in problem.message


def test_a_field_is_not_said_to_be_missing_whose_name_is_misspelt() -> None:
    document = {"step": [], "form": "x"}
    with pytest.raises(ValidationError) as caught:
        _Whole.model_validate(document)
    problems = problems_in(caught.value.errors(), document, model=_Whole)
    assert [problem.message for problem in problems] == [
        "unknown field step; did you mean steps?",
        "unknown field form; did you mean from?",
    ]


def test_a_field_that_is_missing_is_named() -> None:
    with pytest.raises(ValidationError) as caught:
        _Whole.model_validate({"from": "x"})
    [problem] = problems_in(caught.value.errors(), {"from": "x"}, model=_Whole)
    assert (problem.pointer, problem.message) == ("/steps", "the field steps is required")


def test_a_list_is_not_said_to_be_too_short_of_which_an_item_is_wrong() -> None:
    document = {"steps": [5]}
    with pytest.raises(ValidationError) as caught:
        _Whole.model_validate(document)
    assert [problem.pointer for problem in problems_in(caught.value.errors(), document)] == [
        "/steps/0"
    ]
