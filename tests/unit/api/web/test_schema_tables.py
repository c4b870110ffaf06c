"""Arguments of tools as rows."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from activities.tools.registry import Registry
from api.web.schema_tables import MAX_DEPTH, MAX_ROWS, Row, rows_of

keys = st.sampled_from(
    ["type", "properties", "items", "anyOf", "$ref", "required", "enum", "description", "a", "b"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=30,
)


@given(st.dictionaries(keys, values, max_size=6))
@example({"properties": {"a": {"$ref": "#"}}})
@example({"properties": {"a": {"$ref": "#/properties/a"}}})
@example({"properties": {"a": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}})
@example({"properties": {"a": {"items": {"$ref": "#"}}}})
@example({"properties": [], "required": 5})
def test_any_schema_gives_a_few_rows(schema: dict[str, Any]) -> None:
    rows = rows_of(schema)
    assert len(rows) <= MAX_ROWS
    for row in rows:
        assert row.depth < MAX_DEPTH
        assert max(len(text) for text in (row.name, row.type, row.description, row.rules)) <= 500


def test_a_schema_that_is_wide_at_each_level_is_cut() -> None:
    wide: dict[str, Any] = {"properties": {f"a{n}": {"$ref": "#"} for n in range(50)}}
    assert len(rows_of(wide)) == MAX_ROWS


def test_texts_of_a_megabyte_are_cut() -> None:
    long = "x" * 1_000_000
    [row] = rows_of({"properties": {long: {"type": long, "description": long, "enum": [long]}}})
    assert len(row.name + row.type + row.description) <= 1_500


def test_a_row_says_what_a_field_may_be() -> None:
    schema = {
        "properties": {
            "limit": {"type": "integer", "minimum": 1, "default": 5, "description": "how many"},
            "kind": {"enum": ["a", 2, None]},
            "names": {"type": "array", "items": {"type": "string"}},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "why"},
        },
        "required": ["limit"],
    }
    assert rows_of(schema) == [
        Row("limit", "integer", True, "how many", "at least 1; 5 unless given", 0),
        Row("kind", '"a" | 2 | null', False, "", "", 0),
        Row("names", "list of string", False, "", "", 0),
        Row("note", "string", False, "why", "", 0),
    ]


def test_what_is_within_a_field_comes_below_it() -> None:
    schema = {
        "$defs": {"Place": {"type": "object", "properties": {"street": {"type": "string"}}}},
        "properties": {"places": {"type": "array", "items": {"$ref": "#/$defs/Place"}}, "z": {}},
    }
    assert [(row.name, row.depth) for row in rows_of(schema)] == [
        ("places", 0),
        ("street", 1),
        ("z", 0),
    ]


def test_each_of_our_own_tools_has_a_row_for_each_argument() -> None:
    for tool in Registry().tools.values():
        names = [row.name for row in rows_of(tool.schema) if row.depth == 0]
        assert names == list(tool.schema.get("properties", {})), tool.name
        assert all(row.type != "any" for row in rows_of(tool.schema) if row.depth == 0), tool.name
