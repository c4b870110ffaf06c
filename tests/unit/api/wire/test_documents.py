"""Bodies from strangers: JSON and YAML, and where in them an error lies."""

import json
import math
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from api.errors import MediaTypeRefused
from api.http.bodies import parse, unstorable
from api.wire.errors import BodyMalformed, TooManyValues
from api.wire.growth import MAX_VALUES
from api.wire.json_reader import parse_json
from api.wire.yaml_reader import parse_yaml
from workflows.pointers import pointer, problems_in
from workflows.states import Status

_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | _TEXT,
    lambda children: st.lists(children) | st.dictionaries(_TEXT, children),
    max_leaves=20,
)


@given(_VALUES)
def test_json_is_read_as_it_was_written(value: JsonValue) -> None:
    assert parse_json(json.dumps(value).encode()) == value


@given(st.lists(_VALUES) | st.dictionaries(st.text("abcé", min_size=1), _VALUES))
def test_yaml_is_read_as_it_was_written(value: JsonValue) -> None:
    # Quoted and tagged: what is plain in YAML 1.1, which it writes, may not be so in 1.2.
    assert parse_yaml(yaml.safe_dump(value, allow_unicode=True, default_style='"')) == value


@given(st.binary())
def test_any_bytes_are_a_value_or_a_malformed_body(content: bytes) -> None:
    for kind in ("application/json", "application/yaml"):
        try:
            parse(content, kind)
        except BodyMalformed as error:
            assert int(str(error.fields["line"])) >= 1  # noqa: PT017


@given(st.text())
def test_any_text_is_yaml_or_malformed(text: str) -> None:
    try:
        value = parse_yaml(text)
    except BodyMalformed:
        return
    json.dumps(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("No", "No"),
        ("2024-01-31", "2024-01-31"),
        ("1:30", "1:30"),
        ("007", "007"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("0x1F", 31),
        ("0o17", 15),
        ("-5", -5),
        ("1.5", 1.5),
        ("12e3", 12_000.0),
        ("~", None),
        ("TRUE", True),
        ("'5'", "5"),
        ("9" * 40, "9" * 40),
        ("<<: {a: 1}", {"<<": {"a": 1}}),
        ("{1: 2, true: 3}", {"1": 2, "true": 3}),
    ],
)
def test_plain_words_mean_what_yaml_1_2_says(text: str, value: JsonValue) -> None:
    assert parse_yaml(text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: &x 1\nb: *x", "are not taken"),
        ("a: 1\na: 2", "the key 'a' appears twice"),
        ("? [1]\n: 2", "a key must be text"),
        ("[" * 101 + "]" * 101, "nested deeper than 100 levels"),
        ("!!python/name:os.system x", "tag"),
        ("!!set {a}", "tag"),
        ("!!binary aGk=", "tag"),
        ("!!int abc", "'abc' does not fit its tag !!int"),
        ("!!bool maybe", "'maybe' does not fit its tag !!bool"),
        ("!!map x", "tag"),
        ("a\n---\nb", "second document"),
        ("a: \x07", "control character"),
        ("", "there is nothing in it"),
        ("# later\n", "nothing in it but comments"),
    ],
)
def test_yaml_that_is_not_a_json_value_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BodyMalformed, match=reason):
        parse_yaml(text)


def test_a_small_document_cannot_become_a_huge_one() -> None:
    laughs = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)
    )
    with pytest.raises(BodyMalformed, match=r"aliases .* \(line 2, column 10\)"):
        parse_yaml(laughs)


def _count(value: JsonValue) -> int:
    """Values and keys."""
    if isinstance(value, dict):
        return 1 + len(value) + sum(map(_count, value.values()))
    return 1 + (sum(map(_count, value)) if isinstance(value, list) else 0)


@given(_VALUES, st.sampled_from([None, 2]))
def test_values_are_counted_as_they_are_written(value: JsonValue, indent: int | None) -> None:
    # So many that with one more it would be refused.
    padding = MAX_VALUES - _count(value) - 1
    text = json.dumps([*[0] * padding, value], indent=indent)
    assert parse_json(text.encode()) is not None
    with pytest.raises(TooManyValues):
        parse_json(f"[1, {text}]".encode())


@pytest.mark.parametrize(
    "text",
    ["[" + "1, " * MAX_VALUES + "]", "{" + "a, " * MAX_VALUES + "}", "- a\n" * MAX_VALUES],
)
def test_yaml_of_too_many_values_is_refused(text: str) -> None:
    with pytest.raises(TooManyValues, match=f"more than {MAX_VALUES} values"):
        parse_yaml(text)


def test_marks_within_a_text_are_no_values() -> None:
    text = '[{":,]} \\"' * MAX_VALUES
    assert parse_json(json.dumps(text).encode()) == text


@pytest.mark.parametrize("opening", ["[", '{"a": '])
def test_json_that_is_nested_too_deep_is_refused(opening: str) -> None:
    place = rf"100 levels \(line 1, column {100 * len(opening) + 1}\)"
    with pytest.raises(BodyMalformed, match=place):
        parse_json(opening.encode() * 101)


@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n", "\x85", "\u2028"])
@pytest.mark.parametrize("beginning", ["", "\ufeff", "# a comment", "a", "a\n..."])
def test_yaml_whose_directives_take_minutes_is_refused(line_break: str, beginning: str) -> None:
    directives = line_break.join(f"%TAG !a{number}! x" for number in range(100_000))
    with pytest.raises(BodyMalformed, match="too many %TAG directives"):
        parse_yaml(f"{beginning}{line_break}{directives}{line_break}--- a")


@pytest.mark.parametrize("charset", ["latin-1", '"UTF-16"', "x"])
def test_a_body_in_another_charset_is_not_read_as_if_it_were_utf_8(charset: str) -> None:
    for kind in ("application/json", "application/yaml"):
        with pytest.raises(MediaTypeRefused, match=f"Send {kind} in UTF-8"):
            parse(b"{}", f"{kind}; charset={charset}")
        assert parse(b"{}", f'{kind}; charset="utf-8"') == {}
        assert parse(b"{}", f"{kind}; charset=us-ascii") == {}


@pytest.mark.parametrize("kind", ["text/plain", "text/plain; charset=latin-1", "x" * 5_000])
def test_a_body_of_another_kind_is_told_those_that_are_taken(kind: str) -> None:
    with pytest.raises(
        MediaTypeRefused, match=r"Send application/json or application/yaml\."
    ) as raised:
        parse(b"{}", kind)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/jsonp", "json"])
def test_a_body_that_does_not_say_what_it_is_is_not_guessed_at(kind: str | None) -> None:
    with pytest.raises(MediaTypeRefused):
        parse(b"{}", kind)


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json"]
)
def test_json_goes_by_several_names(kind: str) -> None:
    assert parse(b"{}", kind) == {}


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ({"a": ["x", "y\0"]}, ["/a/1"]),
        ({"a/b": "\ud800"}, ["/a~1b"]),
        ({"a": {"\0": 1}}, ["/a"]),
        ([math.inf, -math.inf, math.nan, 1.5], ["/0", "/1", "/2"]),
        ([2**63, -(2**64), 2**63 - 1, True], ["/0", "/1"]),
        ("\0", [""]),
        ({"a": "ü😀"}, []),
    ],
)
def test_characters_that_cannot_be_stored_are_found(value: JsonValue, places: list[str]) -> None:
    assert sorted(problem.pointer for problem in unstorable(value)) == places


@given(st.lists(st.text() | st.integers(0, 9)))
def test_a_pointer_leads_back_to_its_parts(parts: list[str | int]) -> None:
    made = pointer(parts)
    read = [part.replace("~1", "/").replace("~0", "~") for part in made.split("/")[1:]]
    assert read == [str(part) for part in parts]


class _Inner(BaseModel):
    model_config = {"extra": "forbid"}

    words: list[str] | dict[str, int] = []


class _Outer(BaseModel):
    items: list[_Inner]


@pytest.mark.parametrize(
    ("document", "places"),
    [
        ({}, ["/items"]),
        ({"items": [{}, {"extra~/": 1}]}, ["/items/1/extra~0~1"]),
        ({"items": [{"words": ["a", 1]}]}, ["/items/0/words/1"]),
        ({"items": [{"words": {"a": "x"}}]}, ["/items/0/words/a"]),
        ({"items": [{"words": 5}]}, ["/items/0/words"]),
        ({"items": 5}, ["/items"]),
        (5, [""]),
    ],
)
def test_an_error_is_placed_in_the_document_and_not_in_the_schema(
    document: object, places: list[str]
) -> None:
    with pytest.raises(ValidationError) as caught:
        _Outer.model_validate(document)
    problems = problems_in(caught.value.errors(), document)
    assert [problem.pointer for problem in problems] == places


def test_the_number_of_problems_told_is_limited() -> None:
    document = {"items": [5] * 1_000}
    with pytest.raises(ValidationError) as caught:
        _Outer.model_validate(document)
    assert len(problems_in(caught.value.errors(), document)) == 50


class _Kinds(BaseModel):
    model_config = {"extra": "forbid"}

    text: Annotated[str, Field(min_length=1, max_length=3, pattern="^a")] = "a"
    number: Annotated[int, Field(ge=1, lt=9)] = 1
    share: float = 0.5
    is_on: bool = True
    words: Annotated[list[str], Field(min_length=1, max_length=2)] = ["a"]
    choice: Literal["a", "b"] = "a"
    status: Status = Status.PENDING
    id: UUID | None = None
    moment: datetime | None = None
    wait: timedelta | None = None


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (5, "it must be an object"),
        ({"colour": 1}, "there is no field of this name"),
        ({"text": 5}, "it must be text"),
        ({"text": ""}, "it must have at least 1 character"),
        ({"text": "aaaa"}, "it must have at most 3 characters"),
        ({"text": "b"}, "it must match the pattern ^a"),
        ({"number": "x"}, "it must be a whole number"),
        ({"number": 1.5}, "it must be a whole number"),
        ({"number": 0}, "it must be at least 1"),
        ({"number": 9}, "it must be less than 9"),
        ({"share": "x"}, "it must be a number"),
        ({"is_on": 5}, "it must be true or false"),
        ({"words": "a"}, "it must be a list"),
        ({"words": []}, "it must have at least 1 item"),
        ({"words": ["a"] * 3}, "it must have at most 2 items"),
        ({"choice": "c"}, "it must be 'a' or 'b'"),
        ({"status": "c"}, "it must be 'pending', "),
        ({"id": "c"}, "it must be an id (a UUID)"),
        ({"moment": "c"}, "it must be a date and time, such as "),
        ({"wait": []}, "it must be a duration, such as 90s"),
    ],
)
def test_what_is_wrong_with_a_value_is_told_in_our_words(document: object, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _Kinds.model_validate(document)
    [problem] = problems_in(caught.value.errors(), document)
    assert problem.message.startswith(message)


def test_a_body_that_is_missing_has_no_place() -> None:
    missing: ErrorDetails = {"type": "missing", "loc": ("body",), "msg": "", "input": None}
    assert [problem.pointer for problem in problems_in([missing], None, skip=1)] == [""]
