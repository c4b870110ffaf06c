"""Tools and skills: what there is, and the team's word on it."""

from typing import Any

import httpx
import pytest

from tests.integration.api_stage import Stage


async def _tool(team: httpx.AsyncClient, name: str) -> dict[str, Any]:
    items = (await team.get("/tools")).json()["items"]
    return next(item for item in items if item["name"] == name)


async def test_tools_come_with_their_arguments(stage: Stage) -> None:
    tool = await _tool(await stage.team(), "read_file")
    assert tool["type"] == "NATIVE"
    assert tool["description"]
    assert "file" in tool["schema"]["required"]
    assert (tool["is_active"], tool["permission_level"]) == (True, "auto")


async def test_a_change_of_a_tool_leaves_the_rest_as_it_was(stage: Stage) -> None:
    team = await stage.team()
    changed = await team.patch("/tools/write_file", json={"permission_level": "ask"})
    assert (changed.json()["is_active"], changed.json()["permission_level"]) == (True, "ask")
    changed = await team.patch("/tools/write_file", json={"is_active": False})
    assert (changed.json()["is_active"], changed.json()["permission_level"]) == (False, "ask")
    unchanged = await team.patch("/tools/write_file", json={})
    assert unchanged.json() == changed.json() == await _tool(team, "write_file")


async def test_a_tool_that_is_switched_off_is_in_no_new_pipeline(stage: Stage) -> None:
    team = await stage.team()
    await team.patch("/tools/list_files", json={"is_active": False})
    step = {"id": "a", "tool": "list_files", "args": {}}
    answer = await team.post("/tasks", json={"pipeline": {"name": "x", "steps": [step]}})
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["pointer"] == "/pipeline/steps/0/tool"
    assert "is disabled or denied" in error["message"]


async def test_an_argument_that_is_still_a_reference_is_taken(stage: Stage) -> None:
    steps = [
        {"id": "a", "code": {"language": "python", "source": "print 5"}},
        {"id": "b", "tool": "read_file", "args": {"file": "x", "limit": "${steps.a.stdout}"}},
    ]
    answer = await stage.http.post("/tasks", json={"pipeline": {"name": "x", "steps": steps}})
    assert answer.status_code == 202, answer.text


async def test_an_unknown_tool_is_not_found(stage: Stage) -> None:
    answer = await stage.http.patch("/tools/nothing", json={"is_active": False})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"is_active": "perhaps"}, "/is_active"),
        ({"is_active": 0}, "/is_active"),
        ({"permission_level": "maybe"}, "/permission_level"),
        ({"name": "other"}, "/name"),
        ([], ""),
    ],
)
async def test_a_bad_change_of_a_tool_is_refused(
    stage: Stage, change: object, pointer: str
) -> None:
    answer = await stage.http.patch("/tools/write_file", json=change)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_skills_come_with_their_scripts(stage: Stage) -> None:
    listed = (await stage.http.get("/skills")).json()
    scripts = {item["name"]: item["scripts"] for item in listed["items"]}
    assert scripts == {
        "greet": ["scripts/hello.py"],
        "mute": [],
        "two": ["scripts/a.py", "scripts/b.py"],
    }


async def test_a_folder_that_is_no_usable_skill_is_reported_with_the_reason(stage: Stage) -> None:
    [refused] = (await stage.http.get("/skills")).json()["refused"]
    assert refused["folder"] == "broken"
    assert "no description" in refused["reason"]


async def test_a_skill_is_shown_with_its_files(stage: Stage) -> None:
    skill = (await stage.http.get("/skills/greet")).json()
    assert skill["files"] == ["SKILL.md", "scripts/hello.py"]
    assert len(skill["digest"]) == 64
    assert skill["warnings"] == []


async def test_an_unknown_skill_is_not_found(stage: Stage) -> None:
    answer = await stage.http.get("/skills/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
