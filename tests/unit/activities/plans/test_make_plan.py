"""What is told to a planner whose plan will not do, before anything runs."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import JsonValue

from activities.plans.make_plan import make_plan
from activities.plans.node_schema import ABOUT
from tests.unit.activities.plans.conftest import MakeGround
from workflows.definitions.plan import Node
from workflows.states import Permission

ANY: dict[str, Any] = {"title": "Any", "description": "Do something."}
GREETS = {"id": "hello", "skill": "greet"}


def node(name: str = "a", **more: Any) -> dict[str, Any]:
    return {**ANY, "id": name, **more}


def piped(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "a", "title": "Any", "kind": "pipeline", "steps": list(steps), **more}


async def problems(
    make_ground: MakeGround,
    arguments: Mapping[str, JsonValue],
    definition: dict[str, Any] | None = None,
    **more: Any,
) -> list[tuple[str, str]]:
    return list(await make_plan(await make_ground(definition, **more)).problems(arguments))


SOUND: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "one that is atomic": ({"atomic": True, "reason": "It is small."}, {}),
    "one that is said not to be atomic": ({"atomic": False, "nodes": [node()]}, {}),
    "branches and a join": (
        {
            "nodes": [
                node("left", skills=["greet"], files=["left.md"]),
                node("right", tools=["read_file", "write_file", "mcp.time.*"], files=["right.md"]),
                node(
                    "join",
                    depends_on=["left"],
                    inputs={
                        "left": "${nodes.left.files['left.md']}",
                        "right": "${nodes.right.files['right.md']}",
                        "sales": "${inputs.sales}",
                    },
                    output_schema={"type": "object"},
                    size="large",
                ),
            ],
            "reason": "Two halves.",
        },
        {},
    ),
    "a pipeline over a skill": ({"nodes": [piped(GREETS)]}, {}),
    "reasoning": ({"nodes": [node(kind="reasoning")]}, {"agent": {"tools": []}}),
    "a plan within a plan": ({"nodes": [node(kind="plan", skills=["greet"])]}, {"depth": 2}),
    "what is below all that its agents may use": (
        {"nodes": [node(tools=["mcp.time.*", "mcp.git.log", "finish"])]},
        {"agent": {"tools": ["mcp.*"]}},
    ),
    "a reason for the second node": (
        {"nodes": [node(), node("b", why="It reads another million words meanwhile.")]},
        {"atomicity": "relaxed"},
    ),
}


@pytest.mark.parametrize("name", SOUND)
async def test_a_sound_plan_has_no_problems(make_ground: MakeGround, name: str) -> None:
    arguments, definition = SOUND[name]
    assert await problems(make_ground, arguments, definition) == []


BAD: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "nothing at all": ({}, {}, "/nodes", "at least one node"),
    "no nodes": ({"nodes": []}, {}, "/nodes", "at least one node"),
    "nodes that are no list": ({"nodes": "[{}]"}, {}, "/nodes", "it must be a list"),
    "a node that is no object": ({"nodes": ["a"]}, {}, "/nodes/0", "it must be an object"),
    "a node without an id": ({"nodes": [ANY]}, {}, "/nodes/0/id", "required"),
    "a malformed id": ({"nodes": [node("1 a")]}, {}, "/nodes/0/id", "must begin with a letter"),
    "a field that there is not": (
        {"nodes": [node(dependencies=[])]},
        {},
        "/nodes/0/dependencies",
        "unknown field",
    ),
    "a kind that there is not": ({"nodes": [node(kind="robot")]}, {}, "/nodes/0/kind", "agent"),
    "ten thousand nodes": (
        {"nodes": [node(f"n{number}") for number in range(10_000)]},
        {},
        "/nodes",
        "10000 nodes are more than the 8 allowed; join some",
    ),
    "one node too many": (
        {"nodes": [node(), node("b")]},
        {"max_nodes": 1},
        "/nodes",
        "2 nodes are more than the 1 allowed",
    ),
    "atomic with nodes": ({"atomic": True, "nodes": [node()]}, {}, "/atomic", "leave one out"),
    "one id twice": ({"nodes": [node(), node()]}, {}, "/nodes/1/id", "also the id of node 0"),
    "a circle": (
        {"nodes": [node(depends_on=["b"]), node("b", depends_on=["a"])]},
        {},
        "/nodes",
        "in a circle",
    ),
    "a node that waits for itself": (
        {"nodes": [node(depends_on=["a"])]},
        {},
        "/nodes/0/depends_on/0",
        "cannot wait for itself",
    ),
    "an input that no node makes": (
        {"nodes": [node(files=["a.md"]), node("b", inputs={"x": "${nodes.a.files['b.md']}"})]},
        {},
        "/nodes/1/inputs/x",
        "does not say that it makes 'b.md'",
    ),
    "an input that the task does not have": (
        {"nodes": [node(inputs={"x": "${inputs.costs}"})]},
        {},
        "/nodes/0/inputs/x",
        "the task has no input 'costs' (inputs: sales)",
    ),
    "a plan that may not be split": (
        {"nodes": [node(kind="plan")]},
        {},
        "/nodes/0/kind",
        "cannot be split once more",
    ),
    "an unknown skill": ({"nodes": [node(skills=["gret"])]}, {}, "/nodes/0/skills/0", "greet"),
    "a skill that its agents may not use": (
        {"nodes": [node(skills=["count"])]},
        {"agent": {"skills": ["greet"]}},
        "/nodes/0/skills/0",
        "There is no skill named 'count'",
    ),
    "a skill of agents that cannot load it": (
        {"nodes": [node(skills=["count"])]},
        {"agent": {"tools": ["read_file"]}},
        "/nodes/0/skills/0",
        "no tool that uses skills",
    ),
    "an unknown tool": (
        {"nodes": [node(tools=["read_fil"])]},
        {},
        "/nodes/0/tools/0",
        "Did you mean read_file?",
    ),
    "a tool of a server without its server": (
        {"nodes": [node(tools=["convert"])]},
        {},
        "/nodes/0/tools/0",
        "Did you mean mcp.time.convert?",
    ),
    "a server that there is not": (
        {"nodes": [node(tools=["mcp.mail.*"])]},
        {},
        "/nodes/0/tools/0",
        "there is no tool named 'mcp.mail.*'",
    ),
    "a tool that its agents may not use": (
        {"nodes": [node(tools=["run_code"])]},
        {"agent": {"tools": ["read_file"]}},
        "/nodes/0/tools/0",
        "agents of this plan may not use 'run_code'",
    ),
    "all of a server of which its agents may use some": (
        {"nodes": [node(tools=["mcp.time.*"])]},
        {"agent": {"tools": ["mcp.time.now"]}},
        "/nodes/0/tools/0",
        "may use some of mcp.time.* only",
    ),
    "an output schema that is none": (
        {"nodes": [node(output_schema={"type": "text"})]},
        {},
        "/nodes/0/output_schema/type",
        'it must be "array", "boolean"',
    ),
    "the name under which results are kept": (
        {"nodes": [node(files=["output.json"])]},
        {},
        "/nodes/0/files/0",
        "take another name",
    ),
    "a file in another folder": (
        {"nodes": [node(files=["../a.md"])]},
        {},
        "/nodes/0/files/0",
        "write it as in report.md",
    ),
    "a file that looks like an option": (
        {"nodes": [node(files=["-rf"])]},
        {},
        "/nodes/0/files/0",
        "begins with a hyphen",
    ),
    "files to read for an agent without tools": (
        {"nodes": [node(inputs={"x": "${inputs.sales}"})]},
        {"agent": {"tools": []}},
        "/nodes/0/inputs",
        "without tools its agent reads no files",
    ),
    "files to make for an agent without tools": (
        {"nodes": [node(tools=[], files=["a.md"])]},
        {},
        "/nodes/0/files",
        "without tools its agent makes no files",
    ),
    "files to read for one who only reasons": (
        {"nodes": [node(kind="reasoning", inputs={"x": "${inputs.sales}"})]},
        {},
        "/nodes/0/inputs",
        "reads no files",
    ),
    "two inputs that would be one variable": (
        {"nodes": [node(inputs={"x": "${inputs.sales}", "X": "${inputs.sales}"})]},
        {},
        "/nodes/0/inputs/X",
        "would both be INPUT_X",
    ),
    "a pipeline over an unknown skill": (
        {"nodes": [piped({"id": "hello", "skill": "gret"})]},
        {},
        "/nodes/0/steps/0/skill",
        "greet",
    ),
    "a pipeline over a script that there is not": (
        {"nodes": [piped({**GREETS, "script": "scripts/absent.py"})]},
        {},
        "/nodes/0/steps/0/script",
        "absent.py",
    ),
    "a pipeline over a skill that its agents may not use": (
        {"nodes": [piped(GREETS)]},
        {"agent": {"skills": ["count"]}},
        "/nodes/0/steps/0/skill",
        "may not use the skill 'greet'",
    ),
    "a pipeline that runs code which its agents may not": (
        {"nodes": [piped({"id": "x", "code": {"language": "python", "source": "1"}})]},
        {"agent": {"tools": ["read_file"]}},
        "/nodes/0/steps/0/code",
        "agents of this plan may not run code",
    ),
    "a node without a reason where each has to have one": (
        {"nodes": [node(), node("b", why=" ")]},
        {"atomicity": "relaxed"},
        "/nodes/1/why",
        "say what is gained",
    ),
    "one reason for all nodes": (
        {"nodes": [node(), node("b", why="It is faster."), node("c", why="it  is faster.")]},
        {"atomicity": "relaxed"},
        "/nodes/2/why",
        "it is the reason of node 'b'",
    ),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_plan_is_refused_with_the_place_that_is_wrong(
    make_ground: MakeGround, name: str
) -> None:
    arguments, definition, place, message = BAD[name]
    found = await problems(make_ground, arguments, definition)
    assert [at for at, _ in found] == [place], found
    assert message in found[0][1]


async def test_all_that_is_wrong_is_told_at_once_and_the_same_thing_in_one_line(
    make_ground: MakeGround,
) -> None:
    nodes = [node(f"n{number}", tools=["absent"]) for number in range(5)]
    nodes += [node("n0", skills=["gret"], depends_on=["n9"]), node("n6", files=["output.json"])]
    found = dict(await problems(make_ground, {"nodes": nodes}))
    assert found.keys() == {
        "/nodes/5/id",
        "/nodes/5/depends_on/0",
        "/nodes/0/tools/0, /nodes/1/tools/0, /nodes/2/tools/0 and 2 more places",
        "/nodes/5/skills/0",
        "/nodes/6/files/0",
    }


async def test_of_very_many_problems_a_model_is_told_how_many_more_there_are(
    make_ground: MakeGround,
) -> None:
    nodes = [node(f"n{number}", tools=[f"absent{number}", "x" * number]) for number in range(1, 9)]
    found = await problems(make_ground, {"nodes": nodes})
    assert len(found) == 10
    assert found[-1] == ("", "there are 7 more problems")


async def test_a_plan_waits_for_a_person_only_where_it_is_asked_for(
    make_ground: MakeGround,
) -> None:
    assert make_plan(await make_ground()).permission is Permission.AUTO
    assert make_plan(await make_ground({"approve": True})).permission is Permission.ASK


async def test_the_schema_of_a_plan_is_plain_enough_for_every_provider(
    make_ground: MakeGround,
) -> None:
    schema = make_plan(await make_ground()).schema
    Draft202012Validator.check_schema(schema)
    kept = {"type", "properties", "required", "additionalProperties", "items", "enum"}
    assert set(_keywords(schema)) <= kept | {"anyOf", "description"}
    assert ABOUT.keys() == Node.model_fields.keys()


async def test_the_schema_has_only_what_the_plan_allows(make_ground: MakeGround) -> None:
    usual = _node_of(make_plan(await make_ground()).schema)
    assert "plan" not in usual["kind"]["enum"]
    assert "why" not in usual
    other = _node_of(make_plan(await make_ground({"depth": 2, "atomicity": "relaxed"})).schema)
    assert "plan" in other["kind"]["enum"]
    assert "why" in other


@pytest.mark.parametrize("name", SOUND)
async def test_what_is_sound_fits_the_schema_that_was_sent(
    make_ground: MakeGround, name: str
) -> None:
    arguments, definition = SOUND[name]
    schema = make_plan(await make_ground(definition)).schema
    Draft202012Validator(schema).validate({"reason": "", **arguments})


_KEYS = st.sampled_from(
    [*Node.model_fields, "nodes", "atomic", "reason", "skill", "tool", "code", "args"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(arguments=st.dictionaries(_KEYS, _JSON, max_size=4))
@settings(
    max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
async def test_whatever_a_model_writes_is_judged(
    make_ground: MakeGround, arguments: dict[str, JsonValue]
) -> None:
    found = await problems(make_ground, arguments)
    assert len(found) <= 10
    if not found:
        assert arguments.get("atomic") or arguments.get("nodes")


def _node_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["properties"]["nodes"]["items"]["properties"]
    return found


def _keywords(schema: Any) -> list[str]:
    if not isinstance(schema, dict):
        return []
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    inner += [schema.get("items"), schema.get("additionalProperties")]
    return [*schema, *(word for part in inner for word in _keywords(part))]
