"""What is said of a value that does not fit a JSON schema, whatever that holds."""

import pytest
from pydantic import JsonValue

from activities.tools.schemas import check_instance, schema_problems
from workflows.validation_messages import shown

CITIES: list[JsonValue] = [f"city {number:04}" for number in range(600)]
LONG = "x" * 5_000


async def said(schema: dict[str, JsonValue], instance: JsonValue) -> list[str]:
    assert schema_problems(schema) == ()
    return [problem.message for problem in await check_instance(schema, instance)]


async def test_of_many_choices_the_first_are_told_and_that_there_are_more() -> None:
    [few] = await said({"enum": CITIES[:20]}, "Rome")
    [more] = await said({"enum": CITIES[:21]}, 3)
    [many] = await said({"enum": CITIES}, "Rome")
    assert few.endswith('"city 0018" or "city 0019"')
    assert more.endswith('"city 0019" or another of the schema\'s')
    assert many == more


async def test_choices_within_forms_may_be_many_as_well() -> None:
    schema: dict[str, JsonValue] = {"anyOf": [{"enum": CITIES}, {"type": "integer"}]}
    [message] = await said(schema, "Rome")
    assert message.startswith('it must be "city 0000", "city 0001"')


@pytest.mark.parametrize(
    ("schema", "beginning"),
    [
        ({"const": LONG}, 'it must be "xxx'),
        ({"const": [LONG]}, 'it must be ["xxx'),
        ({"pattern": LONG}, 'it must match the pattern "xxx'),
        ({"enum": [LONG, 1]}, 'it must be "xxx'),
        ({"enum": [{"a": LONG}]}, 'it must be {"a": "xxx'),
    ],
    ids=["text", "list", "pattern", "choice", "object"],
)
async def test_of_a_long_value_that_is_wanted_the_beginning_is_told(
    schema: dict[str, JsonValue], beginning: str
) -> None:
    [message] = await said(schema, "y")
    assert message.startswith(beginning)


@pytest.mark.parametrize("name", ["what is a dog", 'it\'s a "b" is a c', "", "\n", "é\\"])
async def test_a_missing_field_is_told_whatever_its_name(name: str) -> None:
    def told(name: str) -> str:
        return f"the field {shown(name)} is required"

    names: list[JsonValue] = ["a", name, "b"]
    assert await said({"required": names}, {"a": 1}) == [told(name), told("b")]
    needed: dict[str, JsonValue] = {"dependentRequired": {"a": names, "other": ["c"]}}
    assert await said(needed, {"a": 1}) == [told(name), told("b")]
