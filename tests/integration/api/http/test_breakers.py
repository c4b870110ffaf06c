"""Breakers over HTTP and from the command line: listed, opened and closed by hand."""

import asyncio
import json
import re
import shlex
import sys
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from activities.breakers.breakers import Breakers
from activities.breakers.errors import BreakerOpen
from activities.breakers.options import BreakerOptions
from activities.breakers.watched import of_model, of_tool
from activities.llm.base import ModelOptions
from activities.llm.endpoint import Endpoint
from activities.store.keys import DEFAULT_TEAM
from tests.folders import DOUBLES
from tests.integration.api_stage import Stage
from tests.integration.cli_runs import agentos
from workflows.errors.models import ModelOverloaded


async def deeds(stage: Stage, target: str) -> list[tuple[str, str, str]]:
    rows = await stage.database.execute(
        text(
            "SELECT action, actor, note FROM audit_log WHERE target = :target ORDER BY created_at"
        ),
        {"target": target},
    )
    return [(row.action, row.actor, row.note) for row in rows]


async def test_a_breaker_is_opened_by_hand_for_all_workers_until_it_is_closed(
    stage: Stage,
) -> None:
    breakers = Breakers(stage.database)
    answer = await stage.http.post("/breakers/tool:read_file/open", json={"note": "it lies"})
    assert answer.status_code == 200, answer.text
    opened = answer.json()
    assert (opened["state"], opened["until"], opened["note"]) == ("open", None, "it lies")
    assert opened["opened_at"] is not None
    await breakers.refresh()
    with pytest.raises(BreakerOpen, match=r"opened by hand \(it lies\).*agentos breakers close"):
        async with breakers.guard(DEFAULT_TEAM, of_tool("read_file")):
            raise AssertionError
    items = (await stage.http.get("/breakers")).json()["items"]
    assert opened in items
    closed = (await stage.http.post("/breakers/tool:read_file/close")).json()
    assert (closed["state"], closed["opened"]) == ("closed", 1)
    await breakers.refresh()
    async with breakers.guard(DEFAULT_TEAM, of_tool("read_file")):
        pass
    listed = (await stage.http.get("/breakers")).json()["items"]
    assert closed in listed, "it opened within the last day"
    assert await deeds(stage, "tool:read_file") == [
        ("breaker.opened", "local user", "it lies"),
        ("breaker.closed", "local user", ""),
    ]


async def test_a_breaker_that_is_kept_closed_does_not_open_meanwhile(stage: Stage) -> None:
    breakers = Breakers(stage.database, BreakerOptions(calls=2))
    answer = await stage.http.post("/breakers/model:kept/close", json={"seconds": 600})
    assert answer.json()["until"] is not None
    for _ in range(5):
        with pytest.raises(ModelOverloaded):
            async with breakers.guard(DEFAULT_TEAM, of_model("kept")):
                raise ModelOverloaded(model="kept", reason="429")
        await breakers.close()
        await breakers.refresh()
    answer = await stage.http.post("/breakers/model:kept/open", json={"seconds": 600})
    assert answer.json()["state"] == "open"


async def test_a_breaker_of_another_team_can_be_neither_seen_nor_opened(stage: Stage) -> None:
    team = await stage.team()
    assert (await team.post("/breakers/model:shared/open")).status_code == 200
    names = [item["name"] for item in (await stage.http.get("/breakers")).json()["items"]]
    assert "model:shared" not in names
    await stage.http.post("/breakers/model:shared/close")
    [theirs] = (await team.get("/breakers")).json()["items"]
    assert theirs["state"] == "open"


async def test_a_server_of_another_team_has_no_breaker_here(stage: Stage) -> None:
    team = await stage.team()
    owner = await stage.database.execute(
        text("SELECT team_id FROM api_keys ORDER BY created_at DESC LIMIT 1"), {}
    )
    await stage.execute(
        "INSERT INTO tools (id, team_id, name, type, description, schema, config, is_active,"
        " permission_level) VALUES (:id, :team, 'mcp.theirs', 'MCP', '', '{}', '{}', true, 'auto')",
        id=uuid4(),
        team=UUID(str(owner[0].team_id)),
    )
    assert (await team.post("/breakers/mcp:theirs/open")).status_code == 200
    refused = await stage.http.post("/breakers/mcp:theirs/open")
    assert (refused.status_code, refused.json()["code"]) == (404, "breaker-not-found")


@pytest.mark.parametrize(
    "name", ["tool:nothing", "mcp:nowhere", "read_file", "tool:", "cache:x", f"model:{'m' * 201}"]
)
async def test_what_is_no_tool_server_or_model_has_no_breaker(stage: Stage, name: str) -> None:
    for verb in ("open", "close"):
        answer = await stage.http.post(f"/breakers/{name}/{verb}")
        assert (answer.status_code, answer.json()["code"]) == (404, "breaker-not-found")


async def test_a_model_that_is_never_asked_has_no_breaker(stage: Stage) -> None:
    team = await stage.team()
    before = stage.services.models
    assert (await team.post("/breakers/model:earlier/open")).status_code == 200
    object.__setattr__(stage.services, "models", ModelOptions(models=("asked", "next")))
    try:
        for name in ("asked", "next", "earlier"):
            assert (await team.post(f"/breakers/model:{name}/open")).status_code == 200
        refused = await team.post("/breakers/model:askd/open")
        assert (refused.status_code, refused.json()["code"]) == (404, "breaker-not-found")
        assert "Models: asked, next." in refused.text
        # Nobody can say which it would be: its server is away.
        away = ModelOptions(base_url="http://127.0.0.1:9/v1")
        object.__setattr__(stage.services, "models", away)
        assert (await team.post("/breakers/model:any/open")).status_code == 200
    finally:
        object.__setattr__(stage.services, "models", before)


async def test_the_model_that_a_server_lists_has_a_breaker(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def models(_: Endpoint) -> list[str]:
        return ["listed"]

    monkeypatch.setattr(Endpoint, "models", models)
    before = stage.services.models
    local = ModelOptions(base_url="http://127.0.0.1:9/v1")
    object.__setattr__(stage.services, "models", local)
    try:
        assert (await stage.http.post("/breakers/model:listed/close")).status_code == 200
        assert (await stage.http.post("/breakers/model:typo/open")).status_code == 404
    finally:
        object.__setattr__(stage.services, "models", before)


@pytest.mark.parametrize(
    "body",
    [
        {"seconds": 0},
        {"seconds": -1},
        {"seconds": 1e9},
        {"seconds": "60"},
        {"note": "x" * 2_001},
        {"note": "\x00"},
        {"reason": "x"},
    ],
    ids=lambda body: next(iter(body)) + str(len(str(body))),
)
async def test_a_decision_that_makes_no_sense_is_refused(
    stage: Stage, body: dict[str, object]
) -> None:
    answer = await stage.http.post("/breakers/model:m/open", json=body)
    assert answer.status_code == 422, answer.text


async def test_breakers_come_in_pages(stage: Stage) -> None:
    team = await stage.team()
    for name in ("model:c", "model:a", "model:B"):
        assert (await team.post(f"/breakers/{name}/open")).status_code == 200
    first = (await team.get("/breakers", params={"limit": 2})).json()
    assert [item["name"] for item in first["items"]] == ["model:B", "model:a"]
    cursor = {"cursor": first["next_cursor"]}
    second = (await team.get("/breakers", params=cursor)).json()
    assert [item["name"] for item in second["items"]] == ["model:c"]
    assert (await team.get("/breakers", params={"cursor": "\x00"})).status_code == 422


async def test_a_team_has_as_many_breakers_as_are_kept(stage: Stage) -> None:
    team = await stage.team()
    assert (await team.post("/breakers/model:first/open")).status_code == 200
    await stage.execute(
        "INSERT INTO breakers (team_id, name, state, times, opened, failures, calls, reason, note)"
        " SELECT team_id, 'model:' || n, 'open', 1, 1, 1, 1, '', ''"
        " FROM breakers, generate_series(1, 999) AS n WHERE name = 'model:first'"
    )
    refused = await team.post("/breakers/model:last/open")
    assert (refused.status_code, refused.json()["code"]) == (409, "too-many-breakers")
    assert (await team.post("/breakers/model:first/close")).status_code == 200
    await stage.execute("DELETE FROM breakers WHERE name LIKE 'model:%'")


async def test_metrics_tell_what_is_open_and_how_often_it_opened(stage: Stage) -> None:
    await stage.http.post("/breakers/model:measured/open")

    async def measured() -> str:
        body = (await stage.http.get(f"{stage.url}/metrics")).text
        return "\n".join(line for line in body.splitlines() if "model:measured" in line)

    for _ in range(200):
        if found := await measured():
            break
        await asyncio.sleep(0.1)
    assert re.search(r'agentos_breakers\{name="model:measured",state="open"\} 1\.0', found)
    assert 'agentos_breaker_openings_total{name="model:measured"} 1.0' in found
    assert str(DEFAULT_TEAM) not in found


async def test_breakers_are_listed_opened_and_closed_from_the_command_line(stage: Stage) -> None:
    words = ("breakers", "open", "model:cli", "--seconds", "60", "--note", "too dear")
    printed = await agentos(stage.url, *words)
    assert printed.code == 0, printed.stderr
    assert "too dear" in printed.stdout
    listed = await agentos(stage.url, "breakers", "ls", "-o", "json")
    items = {item["name"]: item for item in json.loads(listed.stdout)["items"]}
    assert items["model:cli"]["state"] == "open"
    assert "model:cli" in (await agentos(stage.url, "breakers", "ls")).stdout
    closed = await agentos(stage.url, "breakers", "close", "model:cli", "-o", "json")
    assert json.loads(closed.stdout)["state"] == "closed"
    assert (await agentos(stage.url, "breakers", "open", "tool:nothing")).code == 5
    assert (await agentos(stage.url, "breakers", "open", "model:a", "--seconds", "0")).code == 2


async def test_a_team_declares_what_answers_in_place_of_a_tool(stage: Stage) -> None:
    team = await stage.team()
    fallback = {"tool": "list_files", "arguments": {}}
    answer = await team.patch("/tools/read_file", json={"fallback": fallback})
    assert answer.status_code == 200, answer.text
    assert answer.json()["fallback"] == fallback
    await team.patch("/tools/read_file", json={"is_active": True})
    [tool] = [t for t in (await team.get("/tools")).json()["items"] if t["name"] == "read_file"]
    assert tool["fallback"] == fallback
    answer = await team.patch("/tools/read_file", json={"fallback": None})
    assert answer.json()["fallback"] is None


@pytest.mark.parametrize(
    ("fallback", "pointer", "reason"),
    [
        ({"tool": "nothing"}, "/fallback/tool", "no active tool"),
        ({"tool": "read_file"}, "/fallback/tool", "leads back"),
        ({"tool": "ask_human"}, "/fallback/tool", "asks a person"),
        ({"tool": "write_file"}, "/fallback", "no argument 'file'"),
        ({"tool": "x", "arguments": []}, "/fallback/arguments", "object"),
    ],
    ids=["unknown", "itself", "person", "arguments", "type"],
)
async def test_a_fallback_that_cannot_answer_is_refused(
    stage: Stage, fallback: dict[str, object], pointer: str, reason: str
) -> None:
    answer = await stage.http.patch("/tools/read_file", json={"fallback": fallback})
    assert answer.status_code == 422
    problems = [(each["pointer"], each["message"]) for each in answer.json()["errors"]]
    assert any(at == pointer and reason in message for at, message in problems), problems


async def test_a_tool_that_there_is_not_has_no_fallback(stage: Stage) -> None:
    answer = await stage.http.patch("/tools/nothing", json={"fallback": {"tool": "read_file"}})
    assert answer.status_code == 404


async def test_fallbacks_are_declared_from_the_command_line(stage: Stage) -> None:
    line = shlex.join([sys.executable, "-I", str(DOUBLES / "mcp_stdio.py")])
    for name in ("one", "two"):
        words = ("tools", "register", name, "--command", line)
        assert (await agentos(stage.url, *words)).code == 0
    words = ("tools", "fallback", "mcp.one.echo", "mcp.two.echo", "-o", "json")
    printed = await agentos(stage.url, *words, "--argument", "text=${text}", "--argument", "n=1")
    assert printed.code == 0, printed.stderr
    fallback = json.loads(printed.stdout)["fallback"]
    assert fallback == {"tool": "mcp.two.echo", "arguments": {"text": "${text}", "n": 1}}
    assert (await agentos(stage.url, "tools", "register", "one", "--command", line)).code == 0
    listed = await agentos(stage.url, "tools", "ls")
    assert "while its breaker is open, mcp.two.echo answers" in " ".join(listed.stderr.split())
    refused = await agentos(stage.url, "tools", "fallback", "mcp.one", "mcp.two.echo")
    assert "each of its tools may have a fallback" in " ".join(refused.stderr.split())
    gone = await agentos(stage.url, "tools", "fallback", "mcp.one.echo", "-o", "json")
    assert json.loads(gone.stdout)["fallback"] is None
    for name in ("one", "two"):
        assert (await agentos(stage.url, "tools", "remove", name)).code == 0
