"""How an agent ends: the schema of ``finish``, and what does not fit it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from jsonschema import Draft202012Validator
from pydantic import JsonValue

from activities.tools.finish import MAX_SUMMARY_CHARACTERS, finish_problems, finish_schema
from activities.tools.schemas import (
    MAX_INSTANCE_BYTES,
    MAX_PROBLEMS,
    MAX_SCHEMA_BYTES,
    MAX_SCHEMA_DEPTH,
    check_instance,
    schema_problems,
)
from workflows.pointers import Problem

TREE: dict[str, JsonValue] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://example.com/tree",
    "type": "object",
    "properties": {
        "root": {"$ref": "#/$defs/node"},
        "default": {"$ref": "#/$defs/node"},
        "note": {"const": {"$ref": "not a reference, but data"}},
    },
    "required": ["root"],
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["value"],
        }
    },
}


def nested(depth: int) -> dict[str, JsonValue]:
    schema: dict[str, JsonValue] = {}
    for _ in range(depth):
        schema = {"not": schema}
    return schema


async def test_finish_without_a_schema_takes_only_a_summary() -> None:
    assert list(finish_schema(None)["properties"]) == ["summary"]
    assert await finish_problems(None, {"summary": "Done."}) == ()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, Problem("", "'summary' is missing")),
        ({"summary": ""}, Problem("/summary", "it is empty")),
        ({"summary": 3}, Problem("/summary", "it must be text")),
        ({"summary": "x", "result": 1}, Problem("", "'result' is not an argument")),
        (
            {"summary": "x" * (MAX_SUMMARY_CHARACTERS + 1)},
            Problem("/summary", f"it has more than {MAX_SUMMARY_CHARACTERS} characters"),
        ),
    ],
)
async def test_a_summary_that_does_not_do_is_reported(
    arguments: dict[str, JsonValue], problem: Problem
) -> None:
    assert await finish_problems(None, arguments) == (problem,)


async def test_a_result_that_fits_is_no_problem() -> None:
    root: JsonValue = {"value": 1, "children": [{"value": 2}]}
    assert await finish_problems(TREE, {"summary": "x", "result": {"root": root}}) == ()


async def test_a_result_that_does_not_fit_is_reported_with_pointers() -> None:
    root: JsonValue = {"value": 1, "children": [{"value": "two"}]}
    problems = await finish_problems(TREE, {"summary": "", "result": {"root": root}})
    assert problems == (
        Problem("/summary", "it is empty"),
        Problem("/result/root/children/0/value", "it must be a whole number, not text"),
    )
    assert await finish_problems(TREE, {"summary": "x"}) == (Problem("", "'result' is missing"),)


async def test_a_place_in_a_result_is_reported_whatever_the_names_on_the_way() -> None:
    schema: dict[str, JsonValue] = {"additionalProperties": {"items": {"type": "integer"}}}
    [problem] = await finish_problems(schema, {"summary": "x", "result": {"a/b~c": [1, "two"]}})
    assert problem.pointer == "/result/a~1b~0c/1"


def test_references_still_lead_to_their_targets_inside_the_schema_of_finish() -> None:
    schema = finish_schema(TREE)
    assert schema_problems(schema) == ()
    result = schema["properties"]["result"]
    assert result["$defs"]["node"]["properties"]["children"]["items"] == {
        "$ref": "#/properties/result/$defs/node"
    }
    assert result["properties"]["default"] == {"$ref": "#/properties/result/$defs/node"}
    assert result["properties"]["note"] == {"const": {"$ref": "not a reference, but data"}}
    assert not {"$id", "$schema"} & result.keys()
    validator = Draft202012Validator(schema)
    assert validator.is_valid({"summary": "x", "result": {"root": {"value": 1}}})
    assert not validator.is_valid({"summary": "x", "result": {"root": {"value": "x"}}})


@pytest.mark.parametrize("schema", [{}, {"type": "array", "items": {"$ref": "#"}}, TREE])
def test_a_sound_schema_has_no_problems(schema: dict[str, JsonValue]) -> None:
    assert schema_problems(schema) == ()


@pytest.mark.parametrize(
    ("schema", "pointer", "said"),
    [
        ({"type": "strin"}, "/type", "did you mean"),
        (
            {"properties": {"a": {"minimum": "1"}}},
            "/properties/a/minimum",
            "it must be a number, not text",
        ),
        ({"$ref": "https://example.com/x"}, "/$ref", "only references within"),
        ({"$ref": "file:///etc/passwd"}, "/$ref", "only references within"),
        ({"properties": {"const": {"$ref": "x"}}}, "/properties/const/$ref", "only references"),
        ({"$ref": "#/$defs/gone"}, "/$ref", "leads nowhere"),
        ({"$ref": "#/type", "type": "object"}, "/$ref", "leads nowhere"),
        ({"$dynamicRef": "#x"}, "/$dynamicRef", "write references as"),
        ({"items": {"$anchor": "x"}}, "/items/$anchor", "write references as"),
        ({"items": {"$id": "https://example.com"}}, "/items/$id", "$id of its own"),
        ({"pattern": "("}, "", "not a regular expression"),
        ({"patternProperties": {"a/(": {}}}, "", "not a regular expression"),
        ({"a~/b": {"$ref": "x"}}, "/a~0~1b/$ref", "only references"),
        ({"title": "x" * MAX_SCHEMA_BYTES}, "", "bytes, more than"),
        (nested(MAX_SCHEMA_DEPTH + 1), "", "levels deep"),
        ({"pattern": "(" * 6_000 + ")" * 6_000}, "", "not a regular expression"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_with_a_pointer(
    schema: dict[str, JsonValue], pointer: str, said: str
) -> None:
    [problem, *_] = schema_problems(schema)
    assert problem.pointer == pointer
    assert said in problem.message


async def test_the_number_and_the_length_of_problems_are_bounded() -> None:
    schema: dict[str, JsonValue] = {"items": {"type": "integer"}}
    problems = await check_instance(schema, ["x" * 9_000] * (MAX_PROBLEMS + 5))
    assert len(problems) == MAX_PROBLEMS
    assert problems[0].message.endswith("it must be a whole number, not text")
    assert len(problems[0].message) < 400


async def test_a_result_that_is_too_large_is_not_checked_at_all() -> None:
    [problem] = await check_instance({}, "x" * (MAX_SCHEMA_BYTES + MAX_INSTANCE_BYTES))
    assert "write it to a file" in problem.message


@pytest.mark.parametrize(
    ("schema", "instance"),
    [
        ({"pattern": "^(a+)+$"}, "a" * 60 + "b"),
        (
            {
                "$defs": {
                    f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 4} for n in range(30)
                }
                | {"d30": False},
                "$ref": "#/$defs/d0",
            },
            1,
        ),
    ],
)
async def test_a_check_without_end_is_stopped(
    schema: dict[str, JsonValue], instance: JsonValue
) -> None:
    assert schema_problems(schema) == ()
    async with asyncio.timeout(60):
        [problem] = await check_instance(schema, instance, seconds=0.5)
    assert "could not be checked within" in problem.message


async def test_a_schema_that_refers_to_itself_for_ever_is_reported() -> None:
    [problem] = await check_instance({"$ref": "#"}, 1)
    assert "nested too deeply" in problem.message


@asynccontextmanager
async def listening(called: list[bool]) -> AsyncIterator[int]:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append(True)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_reference_to_elsewhere_makes_no_connection() -> None:
    called: list[bool] = []
    async with listening(called) as port:
        schema: dict[str, JsonValue] = {"$ref": f"http://127.0.0.1:{port}/schema.json"}
        [problem] = await check_instance(schema, 1)
    assert "outside of it" in problem.message
    assert called == []
