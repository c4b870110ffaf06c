"""Bodies from strangers: JSON and YAML, and where in them an error lies."""

import json
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, JsonValue, ValidationError

from api.errors import MediaTypeRefused
from api.http.bodies import parse, unstorable
from api.wire.errors import BodyMalformed
from api.wire.json_reader import parse_json
from api.wire.yaml_reader import parse_yaml
from workflows.pointers import pointer, problems_in

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
        ("", None),
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
        ("a: &x 1\nb: *x", "aliases are not taken"),
        ("a: 1\na: 2", "the key 'a' appears twice"),
        ("? [1]\n: 2", "a key must be text"),
        ("[" * 101 + "]" * 101, "nested deeper than 100 levels"),
        ("!!python/name:os.system x", "tag"),
        ("!!set {a}", "tag"),
        ("!!binary aGk=", "tag"),
        ("!!int abc", "'abc' is no int"),
        ("!!bool maybe", "'maybe' is no bool"),
        ("!!map x", "tag"),
        ("a\n---\nb", "another document"),
        ("a: \x07", "control characters"),
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
