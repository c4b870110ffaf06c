"""Values that the offline model finds for a JSON schema."""

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.offline_model.filling import Facts, fill, untold_numbers

FACTS = Facts(
    prompt="Clean the data, please.",
    summary="All is done.",
    names=("clean.csv", "report.html"),
    urls=("/a/1", "/a/2"),
    printed={"rows": 12, "ratio": "0.5", "kind": "bar", "is_empty": False, "columns": ["a", "b"]},
)


def of(name: str, schema: Any, facts: Facts = FACTS) -> Any:
    return fill({"properties": {name: schema}, "required": [name]}, facts)[name]


@pytest.mark.parametrize(
    ("name", "schema", "value"),
    [
        ("rows", {"type": "integer"}, 12),
        ("ratio", {"type": "number"}, 0.5),
        ("rows", {"type": "string"}, "12"),
        ("is_empty", {"type": "boolean"}, False),
        ("columns", {"type": "array", "items": {"type": "string"}}, ["a", "b"]),
        ("kind", {"enum": ["line", "bar"]}, "bar"),
    ],
)
def test_a_value_that_a_script_printed_under_the_name_is_used(
    name: str, schema: Any, value: Any
) -> None:
    assert of(name, schema) == value


@pytest.mark.parametrize(
    ("name", "schema", "value"),
    [
        ("files", {"type": "array", "items": {"type": "string"}}, ["clean.csv", "report.html"]),
        ("file_urls", {"type": "array"}, ["/a/1", "/a/2"]),
        ("report", {"type": "string"}, "report.html"),
        ("where", {"type": "string", "format": "uri"}, "/a/2"),
        ("title", {"type": "string", "maxLength": 5}, "Clean"),
        ("conclusion", {"type": "string"}, "All is done."),
    ],
)
def test_texts_are_files_the_prompt_or_the_summary(name: str, schema: Any, value: Any) -> None:
    assert of(name, schema) == value


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": 7}, 7),
        ({"type": "string", "default": "x"}, "x"),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "number", "maximum": -1.5}, -1.5),
        ({"type": "null"}, None),
        ({"type": ["integer", "null"]}, 0),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, 0),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [True, True]),
        ({"type": "object", "properties": {"a": True}, "required": ["a"]}, {"a": "All is done."}),
    ],
)
def test_a_field_without_a_source_gets_a_neutral_value_that_fits(schema: Any, value: Any) -> None:
    assert of("x", schema) == value


def test_numbers_that_nothing_told_are_named() -> None:
    number = {"type": "number"}
    schema = {"properties": {"rows": number, "mass": number}, "required": ["rows", "mass"]}
    assert untold_numbers(schema, FACTS) == ("mass",)


def test_only_required_fields_are_filled_unless_all_are_wanted() -> None:
    schema = {"properties": {"rows": {"type": "integer"}}}
    assert fill(schema, FACTS) == {}
    assert fill(schema, FACTS, is_whole=True) == {"rows": 12}


def test_references_are_followed() -> None:
    schema = {
        "$defs": {"Count": {"type": "integer"}},
        "properties": {"rows": {"$ref": "#/$defs/Count"}},
        "required": ["rows"],
    }
    assert fill(schema, FACTS) == {"rows": 12}


def test_a_schema_that_never_ends_is_filled_to_a_bound() -> None:
    endless = {"properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}, "required": ["a", "b"]}
    assert fill(endless, FACTS)["a"]
    assert fill({"properties": {"a": {"$ref": "#/properties/a"}}, "required": ["a"]}, FACTS)


def _object(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from("abcde"), inner, max_size=4).map(
        lambda properties: {
            "type": "object",
            "properties": properties,
            "required": sorted(properties)[:2],
            "additionalProperties": False,
        }
    )


SIMPLE = st.sampled_from(["string", "integer", "number", "boolean", "null"]).map(
    lambda kind: {"type": kind}
)
CHOICES = st.lists(st.integers(), min_size=1).map(lambda values: {"enum": values})
BOUNDED = st.integers(-9, 9).map(lambda least: {"type": "integer", "minimum": least})
SCHEMAS = st.recursive(
    SIMPLE | CHOICES | BOUNDED | st.just(True),
    lambda inner: (
        _object(inner)
        | st.lists(inner, min_size=1, max_size=3).map(lambda offered: {"anyOf": offered})
        | inner.map(lambda items: {"type": "array", "items": items, "minItems": 1})
    ),
    max_leaves=12,
)


@given(SCHEMAS, st.booleans())
def test_filled_values_fit_the_schema(schema: Any, is_whole: bool) -> None:
    whole = {"type": "object", "properties": {"result": schema}, "required": ["result"]}
    jsonschema.validate(fill(whole, FACTS, is_whole=is_whole), whole)
