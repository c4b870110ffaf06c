"""Tools and skills: what there is, and the team's word on it."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from activities.skills.catalogue import Catalogue
from api.app import create_app
from tests.integration.api.http.test_mcp_servers import listing, register
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
        {"id": "a", "code": {"language": "shell", "source": "print 5"}},
        {"id": "b", "tool": "read_file", "args": {"file": "x", "limit": "${steps.a.stdout}"}},
    ]
    answer = await stage.http.post("/tasks", json={"pipeline": {"name": "x", "steps": steps}})
    assert answer.status_code == 202, answer.text


async def test_tools_are_found_by_kind_and_by_what_is_said_of_them(
    stage: Stage, tmp_path: Path
) -> None:
    team = await stage.team()
    await register(team, *listing(tmp_path, "one", "two", description="Counts 100% of it"))

    async def names(**query: str) -> list[str]:
        page = (await team.get("/tools", params={"limit": "200", **query})).json()
        return [tool["name"] for tool in page["items"]]

    assert await names(kind="server") == ["mcp.double"]
    assert await names(kind="mcp") == ["mcp.double", "mcp.double.one", "mcp.double.two"]
    assert "mcp.double" not in await names(kind="native")
    assert await names(text="LIST_FILES") == ["list_files"]
    assert await names(text="100%") == ["mcp.double.one", "mcp.double.two"]
    assert await names(text="0%o", kind="mcp") == []
    for query in ({"kind": "other"}, {"text": ""}):
        assert (await team.get("/tools", params=query)).status_code == 422


async def test_one_tool_is_shown_as_it_is_listed(stage: Stage) -> None:
    team = await stage.team()
    await team.patch("/tools/write_file", json={"permission_level": "ask"})
    assert (await team.get("/tools/write_file")).json() == await _tool(team, "write_file")
    for name in ("nothing", "mcp.nothing"):
        answer = await team.get(f"/tools/{name}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


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


async def test_the_text_of_a_skills_file_is_shown(stage: Stage, skills_folder: Path) -> None:
    for path in ("SKILL.md", "scripts/hello.py", "./SKILL.md"):
        answer = await stage.http.get(f"/skills/greet/files/{path}")
        assert answer.json()["text"] == (skills_folder / "greet" / path).read_text()


@pytest.mark.parametrize(
    "path",
    ["nothing", "../mute/SKILL.md", "%2e%2e/mute/SKILL.md", "%2fetc%2fpasswd", "scripts", "a%00b"],
)
async def test_what_is_no_file_of_a_skill_is_not_found(stage: Stage, path: str) -> None:
    answer = await stage.http.get(f"/skills/greet/files/{path}")
    assert (answer.status_code, answer.json()["code"]) in [
        (404, "not-found"),
        (404, "page-not-found"),
    ]


async def test_a_file_that_is_no_text_is_refused_with_the_reason(
    stage: Stage, skills_folder: Path
) -> None:
    folder = skills_folder / f"bytes-{uuid4().hex[:6]}"
    folder.mkdir()
    try:
        (folder / "SKILL.md").write_text(f"---\nname: {folder.name}\ndescription: x\n---\n")
        (folder / "data.bin").write_bytes(b"a\0b")
        (folder / "large.txt").write_bytes(b"x" * (1_048_576 + 1))
        catalogue = Catalogue([skills_folder])
        services = replace(stage.services, catalogue=catalogue)
        transport = httpx.ASGITransport(create_app(services), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url=stage.url) as client:
            headers = (await stage.team()).headers
            for name, reason in (("data.bin", "not text"), ("large.txt", "1048576 bytes")):
                path = f"/api/v1/skills/{folder.name}/files/{name}"
                answer = await client.get(path, headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (422, "skill-file-not-text")
                assert reason in answer.json()["detail"]
    finally:
        shutil.rmtree(folder)
