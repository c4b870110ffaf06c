"""Agents that stay over HTTP: created, listed, changed, ended with their children; templates."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from activities.residents.options import ResidentOptions
from activities.store.audit import Actor
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.reading.residents import ResidentFilter, list_residents
from api.residents import defining, templates
from api.residents.errors import AgentRefused
from api.residents.template_files import TemplateFiles
from api.wire.agent_requests import AgentRequest
from tests.actors import SOMEBODY
from tests.integration.api_stage import Stage
from tests.integration.residents import Residents
from tests.pressure import allowed
from workflows.definitions.resident import DEFAULT_CHILDREN, MAX_DEPTH, ResidentLimits
from workflows.states import AgentState

MANY = 10_000
_NOBODY = "00000000-0000-4000-8000-00000000000f"


def unique() -> str:
    return f"agent {uuid4()}"


async def listed(residents: Residents, **query: Any) -> list[str]:
    answer = await residents.http.get("/agents", params={"limit": 200, **query})
    assert answer.status_code == 200, answer.text
    return [agent["id"] for agent in answer.json()["items"]]


async def test_a_new_agent_is_idle_and_has_the_defaults_and_its_own_name(
    residents: Residents,
) -> None:
    name = unique()
    answer = await residents.http.post("/agents", json={"name": name})
    assert answer.status_code == 201
    agent = answer.json()
    assert answer.headers["Location"].endswith(f"/agents/{agent['id']}")
    assert (agent["name"], agent["profile"]["name"], agent["state"]) == (name, name, "idle")
    assert agent["limits"] == ResidentLimits().model_dump(mode="json")
    assert (agent["skills"], agent["tools"], agent["model"]) == (None, None, None)
    assert (agent["unread"], agent["tokens"], agent["cost_usd"], agent["depth"]) == (0, 0, 0, 0)
    assert (await residents.http.get(f"/agents/{agent['id']}")).json() == agent


async def test_an_agent_that_is_created_twice_with_a_key_is_one_agent(
    residents: Residents,
) -> None:
    headers, body = {"Idempotency-Key": str(uuid4())}, {"name": unique()}
    made = await asyncio.gather(
        *(residents.http.post("/agents", json=body, headers=headers) for _ in range(5))
    )
    assert {each.status_code for each in made} == {201}
    assert len({each.json()["id"] for each in made}) == 1
    for other in ({"name": unique()}, {**body, "skills": None}, {**body, "limits": {"turns": 50}}):
        refused = await residents.http.post("/agents", json=other, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (409, "idempotency-conflict")


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": None}, "/name"),
    "empty name": ({"name": ""}, "/name"),
    "name with blanks around it": ({"name": " a"}, "/name"),
    "name with a line break": ({"name": "a\nb"}, "/name"),
    "name that is an id": ({"name": _NOBODY}, "/name"),
    "name that is an option": ({"name": "-a"}, "/name"),
    "name of whoever is no agent": ({"name": "User"}, "/name"),
    "name that is too long": ({"name": "x" * 101}, "/name"),
    "unknown field": ({"prompt": "x"}, "/prompt"),
    "unknown skill": ({"skills": ["greet", "grete"]}, "/skills/1"),
    "unknown tool": ({"tools": ["read_fil"]}, "/tools/0"),
    "unknown profile field": ({"profile": {"age": 7}}, "/profile/age"),
    "parent that is no id": ({"parent_id": "x"}, "/parent_id"),
    "unknown template": ({"template": "none"}, "/template"),
    "template that is a path": ({"template": "../none"}, "/template"),
    "no turns": ({"limits": {"turns": 0}}, "/limits/turns"),
    "unknown limit": ({"limits": {"hours": 1}}, "/limits/hours"),
    "too many children": ({"limits": {"children": 101}}, "/limits/children"),
    "no hops": ({"limits": {"hops": 0}}, "/limits/hops"),
    "no daily tokens": ({"limits": {"daily_tokens": 0}}, "/limits/daily_tokens"),
    "daily cost without prices": ({"limits": {"daily_cost_usd": 1}}, "/limits/daily_cost_usd"),
    "cost without prices": ({"limits": {"cost_usd": 1}}, "/limits/cost_usd"),
}


@pytest.mark.parametrize("case", BAD)
async def test_an_agent_that_is_not_valid_is_refused_with_the_place(
    residents: Residents, case: str
) -> None:
    body, pointer = BAD[case]
    name = unique()
    answer = await residents.http.post("/agents", json={"name": name, **body})
    assert answer.status_code == 422, answer.text
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert await listed(residents, name=name) == []


async def test_no_agent_is_created_beyond_the_limit_of_the_team(
    residents: Residents, residents_stage: Stage
) -> None:
    services = residents_stage.services
    options = replace(services.options, residents=ResidentOptions(most=1))
    limited = replace(services, options=options)
    await residents.create()
    with pytest.raises(AgentRefused, match="AGENTOS_MAX_AGENTS"):
        await defining.create(limited, SOMEBODY, AgentRequest(name=unique()), None)


async def test_a_parent_must_be_there_and_has_so_many_children_and_levels(
    residents: Residents,
) -> None:
    parent = await residents.create(limits={"children": 1})
    child = await residents.create(parent_id=parent)
    shown = await residents.show(child)
    assert (shown["parent_id"], shown["depth"]) == (parent, 1)
    for parent_id, reason in ((parent, "as many as it may"), (_NOBODY, "no agent")):
        body = {"name": unique(), "parent_id": parent_id}
        refused = await residents.http.post("/agents", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "agent-refused")
        assert reason in refused.json()["detail"]
    deepest = child
    for _ in range(MAX_DEPTH - 2):
        deepest = await residents.create(parent_id=deepest)
    too_deep = await residents.http.post("/agents", json={"name": unique(), "parent_id": deepest})
    assert too_deep.status_code == 409
    path = f"/agents/{parent}/children"
    children = (await residents.http.get(path)).json()["items"]
    assert [each["id"] for each in children] == [child]


async def test_the_parent_of_another_team_is_no_parent(residents: Residents) -> None:
    team = await residents.stage.team()
    theirs = (await team.post("/agents", json={"name": "theirs"})).json()["id"]
    body = {"name": unique(), "parent_id": theirs}
    assert (await residents.http.post("/agents", json=body)).status_code == 409


# Change.


async def test_a_change_leaves_what_it_does_not_name_as_it_is(residents: Residents) -> None:
    agent_id = await residents.create(
        profile={"role": "clerk", "tone": "dry"}, limits={"turns": 7}, skills=["greet"]
    )
    body = {"profile": {"tone": "warm"}, "limits": {"tokens": 9}, "tools": [], "skills": None}
    changed = await residents.http.patch(f"/agents/{agent_id}", json=body)
    assert changed.status_code == 200, changed.text
    agent = changed.json()
    assert (agent["profile"]["role"], agent["profile"]["tone"]) == ("clerk", "warm")
    assert (agent["limits"]["turns"], agent["limits"]["tokens"]) == (7, 9)
    assert (agent["tools"], agent["skills"]) == ([], None)
    assert agent["limits"]["children"] == DEFAULT_CHILDREN


async def test_a_renamed_agent_speaks_under_its_new_name_unless_it_has_one_of_its_own(
    residents: Residents,
) -> None:
    plain = await residents.create()
    spoken = await residents.create(profile={"name": "Ada"})
    for agent_id, says in ((plain, None), (spoken, "Ada")):
        name = unique()
        changed = await residents.http.patch(f"/agents/{agent_id}", json={"name": name})
        agent = changed.json()
        assert (agent["name"], agent["profile"]["name"]) == (name, says or name)


async def test_the_name_of_another_agent_is_refused_and_ones_own_is_not(
    residents: Residents,
) -> None:
    name = unique()
    agent_id, other = await residents.create(name=name), await residents.create()
    taken = await residents.http.patch(f"/agents/{other}", json={"name": name})
    assert (taken.status_code, taken.json()["code"]) == (409, "agent-name-taken")
    assert (await residents.http.patch(f"/agents/{agent_id}", json={"name": name})).is_success


async def test_changes_at_once_are_all_made_or_refused_and_none_is_lost(
    residents: Residents,
) -> None:
    agent_id = await residents.create()
    wanted = {"role": "a", "goal": "b", "tone": "c"}
    answers = await asyncio.gather(
        *(
            residents.http.patch(f"/agents/{agent_id}", json={"profile": {field: value}})
            for field, value in wanted.items()
        )
    )
    profile = (await residents.show(agent_id))["profile"]
    for (field, value), answer in zip(wanted.items(), answers, strict=True):
        assert answer.status_code in (200, 409)
        assert profile[field] == (value if answer.is_success else None)


# Lists.


async def test_agents_are_listed_by_state_name_and_parent(residents: Residents) -> None:
    by_state = {state: await residents.in_state(state) for state in AgentState}
    for state, agent_id in by_state.items():
        found = await listed(residents, state=state.value)
        assert agent_id in found
        assert not {*by_state.values()} - {agent_id} & {*found}
    name = unique()
    agent_id = await residents.create(name=name)
    assert await listed(residents, name=name) == [agent_id]
    assert await listed(residents, text=name[8:].upper()) == [agent_id]
    assert await listed(residents, text="100%_") == []
    child = await residents.create(parent_id=agent_id)
    assert await listed(residents, parent_id=agent_id) == [child]


@pytest.mark.parametrize("query", ["state=busy", "parent_id=x", "cursor=x", "who=me", "limit=0"])
async def test_a_filter_of_agents_that_means_nothing_is_refused(
    residents: Residents, query: str
) -> None:
    assert (await residents.http.get(f"/agents?{query}")).status_code == 422


async def test_what_an_agent_has_used_is_listed_with_it(residents: Residents) -> None:
    agent_id = await residents.create()
    await residents.stage.execute(
        "INSERT INTO agent_usage (agent_id, day, team_id, tokens, cost_usd) VALUES"
        " (:id, CAST(now() AT TIME ZONE 'UTC' AS date), :team, 7, 0.5), (:id, '2020-01-01', :team,"
        " 10, 1.25)",
        id=UUID(agent_id),
        team=DEFAULT_TEAM,
    )
    shown = await residents.show(agent_id)
    assert (shown["tokens"], shown["cost_usd"], shown["tokens_today"]) == (17, 1.75, 7)
    assert shown["cost_today_usd"] == 0.5


async def test_pages_of_ten_thousand_agents_come_fast_whatever_they_are_filtered_by(
    residents: Residents,
) -> None:
    database, team_id = residents.stage.database, uuid4()
    await residents.stage.execute(
        "INSERT INTO teams (id, name) VALUES (:id, :name)", id=team_id, name=str(team_id)
    )
    await residents.stage.execute(
        "INSERT INTO agents (id, team_id, name, depth, definition, message_seq, told_seq,"
        " exchanges) SELECT gen_random_uuid(), :team, 'agent ' || n, 0, '{}', 0, 0, 0"
        " FROM generate_series(1, :many) AS n",
        team=team_id,
        many=MANY,
    )
    await residents.stage.execute("ANALYZE agents")
    for wanted, count in (
        (ResidentFilter(), 50),
        (ResidentFilter(states=[AgentState.IDLE]), 50),
        (ResidentFilter(states=[AgentState.ERROR]), 0),
        (ResidentFilter(text="none of them"), 0),
        (ResidentFilter(name="agent 5000"), 1),
    ):
        began = time.monotonic()
        items, _ = await list_residents(database, team_id, wanted, None, 50)
        assert time.monotonic() - began < allowed(0.5), wanted
        assert len(items) == count, wanted


async def test_an_agent_is_known_by_its_name_however_far_a_replica_lags_behind(
    residents: Residents,
) -> None:
    """Nobody lets us in to this one."""
    url = residents.stage.database.url
    away = make_url(url).set(username="stranger").render_as_string(hide_password=False)
    lagging = Database(url, read_url=away)
    agent_id = await residents.create(name=(name := unique()))
    found, _ = await list_residents(lagging, DEFAULT_TEAM, ResidentFilter(name=name), None, 50)
    assert [str(agent.id) for agent in found] == [agent_id]
    with pytest.raises(DBAPIError):
        await list_residents(lagging, DEFAULT_TEAM, ResidentFilter(), None, 50)
    await lagging.close()


# Children.


async def test_children_end_with_their_parent_or_are_handed_over(residents: Residents) -> None:
    parent = await residents.create()
    child = await residents.create(parent_id=parent)
    grandchild = await residents.create(parent_id=child)
    await residents.send(grandchild)
    body = {"children": "hand_over"}
    answer = await residents.http.post(f"/agents/{child}/terminate", json=body)
    assert (answer.status_code, answer.json()["state"]) == (200, "terminated")
    kept = await residents.show(grandchild)
    assert (kept["parent_id"], kept["depth"], kept["state"]) == (parent, 1, "running")
    await residents.http.post(f"/agents/{parent}/terminate")
    assert (await residents.show(grandchild))["state"] == "terminated"


async def test_who_would_have_too_many_children_is_handed_none_over(residents: Residents) -> None:
    parent = await residents.create(limits={"children": 1})
    child = await residents.create(parent_id=parent)
    for _ in range(2):
        await residents.create(parent_id=child)
    body = {"children": "hand_over"}
    answer = await residents.http.post(f"/agents/{child}/terminate", json=body)
    assert answer.status_code == 409
    assert "may have 1 in all; terminate some of them first" in answer.text
    assert (await residents.show(child))["state"] == "idle"


@pytest.mark.parametrize("body", [{"children": "eat"}, {"kids": "x"}, []], ids=str)
async def test_a_way_to_end_that_does_not_exist_is_refused(residents: Residents, body: Any) -> None:
    agent_id = await residents.create()
    answer = await residents.http.post(f"/agents/{agent_id}/terminate", json=body)
    assert answer.status_code == 422
    assert (await residents.show(agent_id))["state"] == "idle"


# Templates.


async def test_an_agent_is_made_of_a_template_with_its_own_fields_laid_over(
    residents: Residents,
) -> None:
    template = {
        "description": "For tests",
        "profile": {"role": "clerk", "tone": "dry"},
        "skills": ["greet"],
        "limits": {"turns": 7, "hops": 3},
    }
    put = await residents.http.put("/agent-templates/clerk", json=template)
    assert (put.status_code, put.json()["source"]) == (200, "team")
    answer = await residents.http.post(
        "/agents",
        json={
            "name": unique(),
            "template": "clerk",
            "profile": {"tone": "warm"},
            "limits": {"turns": 9},
        },
    )
    agent = answer.json()
    assert (agent["template"], agent["skills"]) == ("clerk", ["greet"])
    assert (agent["profile"]["role"], agent["profile"]["tone"]) == ("clerk", "warm")
    assert (agent["limits"]["turns"], agent["limits"]["hops"]) == (9, 3)
    assert (await residents.http.delete("/agent-templates/clerk")).status_code == 204
    assert (await residents.http.delete("/agent-templates/clerk")).status_code == 404
    assert (await residents.show(agent["id"]))["profile"]["role"] == "clerk"


async def test_a_template_of_another_team_is_not_there(residents: Residents) -> None:
    team = await residents.stage.team()
    await team.put("/agent-templates/theirs", json={})
    assert (await residents.http.get("/agent-templates/theirs")).status_code == 404
    listing = (await residents.http.get("/agent-templates")).json()
    assert "theirs" not in [each["name"] for each in listing["items"]]
    body = {"name": unique(), "template": "theirs"}
    assert (await residents.http.post("/agents", json=body)).status_code == 422


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"skills": ["none"]}, "/skills/0"),
        ({"name": "x"}, "/name"),
        ({"limits": {"turns": 0}}, "/limits/turns"),
        ({"description": "x" * 1_001}, "/description"),
    ],
    ids=["skill", "field", "limit", "description"],
)
async def test_a_template_that_is_not_valid_is_refused(
    residents: Residents, body: Any, pointer: str
) -> None:
    answer = await residents.http.put("/agent-templates/bad", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_templates_in_folders_are_found_and_what_cannot_be_used_is_told(
    residents_stage: Stage, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    (first / "clerk.yaml").write_text("profile: {role: first}\nlimits: {turns: 7}\n")
    (second / "clerk.yaml").write_text("profile: {role: second}\n")
    (second / "writer.json").write_text('{"description": "Writes"}')
    (second / "broken.yaml").write_text("profile: {role: [\n")
    (second / "wrong.yaml").write_text("profile: {age: 7}\nlimits: {turns: 0}\n")
    (second / "no name.yaml").write_text("{}\n")
    (second / "latin.yaml").write_bytes(b"description: caf\xe9\n")
    (second / "large.yaml").write_text("#" * 300_000)
    (second / "list.yaml").write_text("- a\n")
    (second / "notes.txt").write_text("not one of them")
    files = TemplateFiles([first, second, tmp_path / "missing"])
    services = replace(residents_stage.services, templates=files)
    team_id = uuid4()
    found = await templates.list_templates(services, team_id)
    assert [(each.name, each.profile.role, each.source) for each in found.items] == [
        ("clerk", "first", "file"),
        ("writer", None, "file"),
    ]
    reasons = {Path(each.file).name: each.reason for each in found.refused}
    assert reasons.keys() == {
        *("broken.yaml", "wrong.yaml", "no name.yaml", "latin.yaml", "large.yaml", "list.yaml")
    }
    assert "line" in reasons["broken.yaml"]
    assert "/profile/age" in reasons["wrong.yaml"]
    assert "/limits/turns" in reasons["wrong.yaml"]
    actor = Actor(SOMEBODY.team_id, "x")
    made = await defining.create(
        services, actor, AgentRequest(name=unique(), template="clerk"), None
    )
    assert (made.definition.profile.role, made.definition.limits.turns) == ("first", 7)
