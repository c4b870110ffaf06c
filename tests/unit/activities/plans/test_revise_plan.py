"""What is told to a planner whose revision will not do."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator
from pydantic import JsonValue

from activities.plans.revise_plan import revise_plan
from activities.store.keys import DEFAULT_TEAM
from activities.store.reading.plans import StoredNode, StoredPlan
from tests.unit.activities.plans.conftest import MakeGround
from workflows.definitions.plan import Node, Plan
from workflows.definitions.plan_checking import dependencies_of
from workflows.states import Permission, Status

TASK = UUID(int=1)
ANY: dict[str, Any] = {"title": "Any", "description": "Do something."}


def node(name: str, **more: Any) -> dict[str, Any]:
    return {**ANY, "id": name, **more}


def stored(number: int, status: Status, document: dict[str, Any], **more: Any) -> StoredNode:
    definition = Node.model_validate(document)
    return StoredNode(
        id=UUID(int=number),
        number=number,
        name=definition.id,
        definition=definition,
        dependencies=tuple(sorted(dependencies_of(definition))),
        status=status,
        child_id=UUID(int=100 + number),
        seq=4,
        is_replaced=more.get("is_replaced", False),
        is_dropped=False,
        error=None,
    )


# `fetch` has run, `clean` has failed, and what waits for it is pending.
NODES = (
    stored(1, Status.COMPLETED, node("fetch", files=["raw.csv"])),
    stored(2, Status.FAILED, node("clean", depends_on=["fetch"], files=["clean.csv"])),
    stored(3, Status.PENDING, node("report", inputs={"x": "${nodes.clean.files['clean.csv']}"})),
    stored(4, Status.PENDING, node("letter", depends_on=["report"])),
    stored(5, Status.FAILED, node("former"), is_replaced=True),
)
PLAN = StoredPlan(
    id=TASK,
    team_id=DEFAULT_TEAM,
    run=1,
    priority=5,
    name="test",
    prompt="Do it.",
    inputs={"sales": "file:1"},
    definition=Plan(),
    started_at=None,
    result=None,
    nodes=NODES,
    revisions=0,
)
FROM_RAW = {"x": "${nodes.fetch.files['raw.csv']}"}
AGAIN = node("clean-2", inputs=FROM_RAW, files=["clean.csv"])
AFTER = node("report", inputs={"x": "${nodes.clean-2.files['clean.csv']}"})


async def problems(
    make_ground: MakeGround,
    arguments: Mapping[str, JsonValue],
    definition: dict[str, Any] | None = None,
) -> list[tuple[str, str]]:
    tool = revise_plan(await make_ground(definition), PLAN)
    return list(await tool.problems({"reason": "It failed.", **arguments}))


SOUND: dict[str, dict[str, Any]] = {
    "another node for the one that failed": {"add": [AGAIN], "rewire": [AFTER]},
    "the rest without it": {"rewire": [node("report", inputs=FROM_RAW)]},
    "nothing of what waits": {"drop": ["report", "letter"]},
    "the end of it made another way": {
        "drop": ["report"],
        "rewire": [node("letter", depends_on=["fetch"])],
    },
    "that nothing can be done": {},
}


@pytest.mark.parametrize("name", SOUND)
async def test_a_sound_revision_has_no_problems(make_ground: MakeGround, name: str) -> None:
    assert await problems(make_ground, SOUND[name]) == []


RELAXED = {"atomicity": "relaxed"}


async def test_a_revision_gives_no_reasons_for_nodes_that_it_leaves_alone(
    make_ground: MakeGround,
) -> None:
    revision = {"drop": ["letter"], "rewire": [node("report", inputs=FROM_RAW, why="It pays.")]}
    assert await problems(make_ground, revision, RELAXED) == []
    plain = {"rewire": [node("letter", depends_on=["fetch"], why="It pays.")], "drop": ["report"]}
    assert await problems(make_ground, plain, RELAXED) == []
    longer = {"rewire": [node("report", inputs=FROM_RAW, why="It pays.")]}
    assert await problems(make_ground, longer, RELAXED) == []


async def test_a_revision_gives_a_reason_for_each_node_that_it_adds_or_rewires(
    make_ground: MakeGround,
) -> None:
    revision = {"add": [AGAIN], "rewire": [AFTER]}
    found = await problems(make_ground, revision, RELAXED)
    assert [places for places, _ in found] == ["/rewire/0/why, /add/0/why"]
    same = {"add": [AGAIN | {"why": "Why not?"}], "rewire": [AFTER | {"why": "Why not?"}]}
    [(place, message)] = await problems(make_ground, same, RELAXED)
    assert (place, message) == ("/add/0/why", "it is the reason of node 'report', word for word")


DROPPED: dict[str, Any] = {"drop": ["report", "letter"]}
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "that nothing can be done, without a why": ({"reason": " "}, "/reason", "say why"),
    "a revision that is no object of lists": ({"drop": "report"}, "/drop", "it must be a list"),
    "a field that there is not": ({"nodes": []}, "/nodes", "unknown field"),
    "four new nodes": (
        {**DROPPED, "add": [node(f"n{number}") for number in range(4)]},
        "/add",
        "4 nodes are more than the 3 allowed",
    ),
    "ten thousand rewired nodes": (
        {"rewire": [node(f"n{number}") for number in range(10_000)]},
        "/rewire",
        "10000 nodes are more than the 8 allowed",
    ),
    "a drop of a finished node": (
        {"drop": ["fetch", "report", "letter"]},
        "/drop/0",
        "node 'fetch' is completed, and only pending ones can be changed: report, letter",
    ),
    "a drop of the failed node": (
        {"drop": ["clean", "report", "letter"]},
        "/drop/0",
        "node 'clean' is failed",
    ),
    "a drop of what there is not": (
        {"drop": ["absent", "report", "letter"]},
        "/drop/0",
        "there is no node 'absent' (pending: report, letter)",
    ),
    "a finished node rewired": (
        {**DROPPED, "rewire": [node("fetch")]},
        "/rewire/0/id",
        "node 'fetch' is completed",
    ),
    "the failed node rewired": (
        {**DROPPED, "rewire": [node("clean")]},
        "/rewire/0/id",
        "node 'clean' is failed",
    ),
    "a node that is dropped and rewired": (
        {**DROPPED, "rewire": [node("letter")]},
        "/rewire/0/id",
        "is dropped as well",
    ),
    "a node that is rewired twice": (
        {"rewire": [node("report"), node("report")]},
        "/rewire/1/id",
        "is rewired twice",
    ),
    "a new node under an old id": (
        {**DROPPED, "add": [node("clean")]},
        "/add/0/id",
        "there was a node 'clean' already",
    ),
    "a new node under the id of one replaced before": (
        {**DROPPED, "add": [node("former")]},
        "/add/0/id",
        "there was a node 'former' already",
    ),
    "a node that goes on waiting for the failed one": (
        {"add": [AGAIN]},
        "",
        "'report' is neither rewired nor dropped: there is no node 'clean'",
    ),
    "a node that goes on waiting for a dropped one": (
        {"drop": ["report"]},
        "",
        "'letter' is neither rewired nor dropped: there is no node 'report'",
    ),
    "a rewired node that waits for the failed one": (
        {"rewire": [node("report", depends_on=["clean"])]},
        "/rewire/0/depends_on/0",
        "there is no node 'clean'",
    ),
    "a circle": (
        {"rewire": [node("report", depends_on=["letter"])]},
        "",
        "in a circle",
    ),
    "an unknown skill": ({**DROPPED, "add": [node("n", skills=["gret"])]}, "/add/0/skills/0", ""),
    "an unknown tool in a rewired node": (
        {"rewire": [node("report", tools=["read_fil"])]},
        "/rewire/0/tools/0",
        "Did you mean read_file?",
    ),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_revision_is_refused_with_the_place_that_is_wrong(
    make_ground: MakeGround, name: str
) -> None:
    arguments, place, message = BAD[name]
    found = await problems(make_ground, arguments)
    assert [at for at, _ in found] == [place], found
    assert message in found[0][1]


async def test_a_revision_does_not_make_a_plan_larger_than_allowed(
    make_ground: MakeGround,
) -> None:
    arguments = {"add": [AGAIN, node("n")], "rewire": [AFTER]}
    found = await problems(make_ground, arguments, {"max_nodes": 4})
    assert found == [("", "5 nodes are more than the 4 allowed; join some")]


async def test_a_revision_waits_for_a_person_where_the_plan_did(make_ground: MakeGround) -> None:
    assert revise_plan(await make_ground(), PLAN).permission is Permission.AUTO
    assert revise_plan(await make_ground({"approve": True}), PLAN).permission is Permission.ASK


@pytest.mark.parametrize("name", SOUND)
async def test_a_sound_revision_fits_the_schema_that_was_sent(
    make_ground: MakeGround, name: str
) -> None:
    schema = revise_plan(await make_ground(), PLAN).schema
    Draft202012Validator(schema).validate({"reason": "", **SOUND[name]})
