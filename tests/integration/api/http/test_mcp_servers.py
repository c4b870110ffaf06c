"""MCP servers over HTTP: registered, listed, switched, changed and removed."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import JsonValue
from sqlalchemy import text

from activities.store.audit import Actor
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.mcp_servers import (
    MAX_SERVERS_PER_TEAM,
    register_server,
    remove_server,
    update_listing,
)
from activities.store.mcp_tools import callable_tools, change_mcp_tool
from activities.store.tools import ToolSettingChange
from activities.tools.mcp.listing import Listing, McpTool
from activities.tools.mcp.policy import McpPolicy
from activities.tools.mcp.pool import McpPool
from activities.tools.mcp.team_tools import TeamTools
from tests.actors import SOMEBODY
from tests.folders import DOUBLES
from tests.integration.api_stage import Stage
from tests.security.processes import alive, mark, until
from workflows.definitions.mcp_server import McpServer
from workflows.errors.mcp import McpServerInvalid
from workflows.errors.tools import ToolDisabled
from workflows.states import Permission

DOUBLE = DOUBLES / "mcp_stdio.py"


def body(*flags: str, name: str = "double", **more: Any) -> dict[str, Any]:
    args = ["-I", str(DOUBLE), *flags]
    given = {"name": name, "transport": "stdio", "command": sys.executable, "args": args}
    return given | more


def listing(folder: Path, *names: str, description: str = "d") -> tuple[str, str]:
    """Flags by which the double has these tools."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    tools = [{"name": n, "description": description, "inputSchema": schema} for n in names]
    path = folder / "tools.json"
    path.write_text(json.dumps(tools))
    return "--tools", str(path)


async def register(team: httpx.AsyncClient, *flags: str, **more: Any) -> dict[str, Any]:
    answer = await team.post("/tools/register", json=body(*flags, **more), timeout=30)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def listed(team: httpx.AsyncClient) -> dict[str, Mapping[str, Any]]:
    """The team's MCP tools by name."""
    items: list[Mapping[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await team.get("/tools", params={"limit": 5, **cursor})).json()
        assert len(page["items"]) <= 5
        items += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    names = [item["name"] for item in items]
    assert names == sorted(set(names))
    assert "read_file" in names
    return {item["name"]: item for item in items if item["type"] == "MCP"}


async def patch(team: httpx.AsyncClient, name: str, **change: Any) -> Mapping[str, Any]:
    answer = await team.patch(f"/tools/{name}", json=change)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_server_is_registered_with_its_tools(stage: Stage, tmp_path: Path) -> None:
    team = await stage.team()
    word = mark()
    flags = (*listing(tmp_path, "one", "a/b.c", "bad name"), "--mark", word)
    made = await register(team, *flags, permission_level="ask", description="For tests.")
    assert made["server"]["name"] == "mcp.double"
    assert made["server"]["description"] == "For tests."
    assert [tool["name"] for tool in made["tools"]] == ["mcp.double.a/b.c", "mcp.double.one"]
    assert made["tools"][0]["schema"]["properties"] == {"a": {"type": "string"}}
    assert {tool["permission_level"] for tool in made["tools"]} == {"ask"}
    assert made["refused"] == ["bad name: a name has at most 128 letters, digits and _ . / -"]
    assert list(await listed(team)) == ["mcp.double", "mcp.double.a/b.c", "mcp.double.one"]
    assert alive(word) == []


async def test_a_team_sees_its_own_servers_only(stage: Stage, tmp_path: Path) -> None:
    mine, theirs = await stage.team(), await stage.team()
    await register(mine, *listing(tmp_path, "one"))
    assert await listed(theirs) == {}
    assert (await theirs.delete("/tools/mcp.double")).status_code == 404
    answer = await theirs.patch("/tools/mcp.double.one", json={"is_active": False})
    assert answer.status_code == 404
    assert (await listed(mine))["mcp.double.one"]["is_active"]


@pytest.mark.parametrize(
    ("change", "status", "code", "words"),
    [
        ({"command": "no-such-program"}, 424, "server-not-usable", "no program"),
        ({"command": "false", "args": []}, 424, "server-not-usable", "exit code 1"),
        ({"env": {"A": "secret:NONE"}}, 422, "mcp-secret-missing", "AGENTOS_SECRET_NONE"),
    ],
)
async def test_a_server_that_cannot_be_used_is_reported_and_nothing_is_stored(
    stage: Stage, change: dict[str, Any], status: int, code: str, words: str
) -> None:
    team = await stage.team()
    answer = await team.post("/tools/register", json=body() | change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert words in answer.json()["detail"]
    assert await listed(team) == {}


async def test_a_url_that_nobody_answers_is_reported(stage: Stage) -> None:
    given = {"name": "a", "transport": "http", "url": "http://127.0.0.1:9/mcp"}
    answer = await stage.http.post("/tools/register", json=given)
    assert (answer.status_code, answer.json()["title"]) == (424, "Failed Dependency")
    assert "Connection refused" in answer.json()["detail"]


async def test_a_host_that_is_not_allowed_is_reported(stage: Stage) -> None:
    given = {"name": "a", "transport": "http", "url": "https://mcp.example/mcp"}
    answer = await stage.http.post("/tools/register", json=given)
    assert (answer.status_code, answer.json()["code"]) == (422, "mcp-not-allowed")
    assert "AGENTOS_MCP_HOSTS" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": "A.B"}, "/name"),
        ({"transport": "smoke"}, "/transport"),
        ({"args": ["secret:X"]}, "/args"),
        ({"env": {"MY_TOKEN": "hunter2hunter2"}}, "/env"),
        ({"url": "http://x"}, ""),
        ({"permission_level": "maybe"}, "/permission_level"),
        ({"more": 1}, "/more"),
    ],
)
async def test_a_bad_registration_is_refused_where_it_is_bad(
    stage: Stage, change: dict[str, Any], pointer: str
) -> None:
    answer = await stage.http.post("/tools/register", json=body() | change)
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert "hunter2" not in answer.text


async def test_registering_again_replaces_the_tools_and_keeps_the_teams_word(
    stage: Stage, tmp_path: Path
) -> None:
    team = await stage.team()
    await register(team, *listing(tmp_path, "kept", "gone"))
    await patch(team, "mcp.double.kept", permission_level="deny")
    await patch(team, "mcp.double.gone", is_active=False)
    flags = listing(tmp_path, "kept", "new", description="changed")
    await register(team, *flags, permission_level="ask")
    tools = await listed(team)
    assert list(tools) == ["mcp.double", "mcp.double.kept", "mcp.double.new"]
    assert tools["mcp.double.kept"]["permission_level"] == "deny"
    assert tools["mcp.double.kept"]["description"] == "changed"
    assert tools["mcp.double.new"]["permission_level"] == "ask"
    await register(team, *listing(tmp_path, "gone"))
    assert not (await listed(team))["mcp.double.gone"]["is_active"]


async def test_a_failed_registration_leaves_the_earlier_one(stage: Stage, tmp_path: Path) -> None:
    team = await stage.team()
    await register(team, *listing(tmp_path, "one"))
    before = await listed(team)
    answer = await team.post("/tools/register", json=body() | {"command": "false"})
    assert answer.status_code == 424
    assert await listed(team) == before


async def test_a_server_is_switched_and_permitted_as_a_whole(stage: Stage, tmp_path: Path) -> None:
    team = await stage.team()
    await register(team, *listing(tmp_path, "a", "b"))
    await patch(team, "mcp.double.a", is_active=False)
    assert not (await patch(team, "mcp.double", is_active=False))["is_active"]
    assert not any(tool["is_active"] for tool in (await listed(team)).values())
    await patch(team, "mcp.double", is_active=True, permission_level="ask")
    tools = await listed(team)
    assert [tool["is_active"] for tool in tools.values()] == [True, False, True]
    assert {tool["permission_level"] for tool in tools.values()} == {"ask"}
    assert (await patch(team, "mcp.double.b", permission_level="auto"))["is_active"]
    assert (await patch(team, "mcp.double.b"))["permission_level"] == "auto"


async def test_a_server_is_removed_with_its_tools_and_no_other(
    stage: Stage, tmp_path: Path
) -> None:
    team = await stage.team()
    flags = listing(tmp_path, "a")
    await register(team, *flags)
    await register(team, *flags, name="double-2")
    assert (await team.delete("/tools/mcp.double")).status_code == 204
    assert list(await listed(team)) == ["mcp.double-2", "mcp.double-2.a"]
    assert (await team.delete("/tools/mcp.double")).status_code == 404


@pytest.mark.parametrize("name", ["read_file", "mcp.double-3.a", "mcp.", "nothing"])
async def test_removing_what_is_not_a_server_is_refused(
    stage: Stage, tmp_path: Path, name: str
) -> None:
    await register(stage.http, *listing(tmp_path, "a"), name="double-3")
    answer = await stage.http.delete(f"/tools/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert "mcp.double-3.a" in await listed(stage.http)


async def test_servers_beyond_the_limit_are_refused_even_when_registered_at_once(
    database: Database,
) -> None:
    def registering(number: int) -> Awaitable[None]:
        server = McpServer(name=f"s-{number}", transport="stdio", command="true")
        return register_server(
            database, SOMEBODY, server, Listing(()), description="", permission_level=None
        )

    for number in range(MAX_SERVERS_PER_TEAM - 1):
        await registering(number)
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with database.writing() as connection, database.reading() as observer:
        await connection.execute(text("LOCK TABLE tools IN EXCLUSIVE MODE"))
        late = [asyncio.ensure_future(registering(number)) for number in range(200, 210)]
        while await observer.scalar(waiting) != len(late):
            await asyncio.sleep(0.01)
    outcomes = await asyncio.gather(*late, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, McpServerInvalid)]
    assert len(refused) == len(late) - 1
    assert "which is the limit" in str(refused[0])


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_a_name_that_no_tool_can_have_is_refused(stage: Stage, method: str) -> None:
    answer = await stage.http.request(method, "/tools/%00", json={"is_active": False})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert "path name" in answer.json()["detail"]


async def test_a_cursor_that_was_not_given_out_is_refused(stage: Stage) -> None:
    answer = await stage.http.get("/tools", params={"cursor": "a\x00"})
    assert answer.status_code == 422


async def test_active_tools_come_with_all_that_a_call_needs(stage: Stage, tmp_path: Path) -> None:
    flags = listing(tmp_path, "a", "b", "c")
    await register(stage.http, *flags, name="callable", timeout_seconds=7)
    await patch(stage.http, "mcp.callable.b", is_active=False)
    await patch(stage.http, "mcp.callable.c", permission_level="deny")
    found = await callable_tools(stage.database, DEFAULT_TEAM)
    mine = {tool.tool: tool for tool in found if tool.server.name == "callable"}
    assert {name: tool.permission for name, tool in mine.items()} == {
        "a": Permission.AUTO,
        "c": Permission.DENY,
    }
    assert mine["a"].server.timeout_seconds == 7
    await patch(stage.http, "mcp.callable", is_active=False)
    assert await callable_tools(stage.database, DEFAULT_TEAM, "mcp.callable.a") == []


async def test_a_listing_that_changed_is_stored_for_the_server_that_it_is_of(
    stage: Stage, tmp_path: Path
) -> None:
    await register(stage.http, *listing(tmp_path, "a"), name="moving", permission_level="ask")
    flags = listing(tmp_path, "a")
    server = McpServer.model_validate(body(*flags, name="moving"))
    other = McpServer.model_validate(body("--babble", name="moving"))
    tools = Listing((McpTool("b", "new", {"type": "object"}, True),))
    await update_listing(stage.database, DEFAULT_TEAM, other, tools)
    assert "mcp.moving.b" not in await listed(stage.http)
    await update_listing(stage.database, DEFAULT_TEAM, server, tools)
    found = await listed(stage.http)
    assert "mcp.moving.a" not in found
    assert found["mcp.moving.b"]["permission_level"] == "ask"


async def test_concurrent_changes_of_a_server_leave_it_consistent(stage: Stage) -> None:
    schema: dict[str, Any] = {"type": "object"}
    one, two = (
        (
            McpServer.model_validate(body(f"--mark={word}", name="contended")),
            Listing(tuple(McpTool(f"{word}{n}", "", schema, False) for n in range(20))),
        )
        for word in ("one", "two")
    )
    database, name = stage.database, "mcp.contended"

    async def register_it(server: McpServer, tools: Listing) -> None:
        level = Permission.AUTO
        await register_server(
            database, SOMEBODY, server, tools, description="", permission_level=level
        )

    await asyncio.gather(
        *(
            change
            for _ in range(10)
            for change in (
                register_it(*one),
                register_it(*two),
                remove_server(database, SOMEBODY, name),
                update_listing(database, DEFAULT_TEAM, *one),
                change_mcp_tool(
                    database,
                    Actor(DEFAULT_TEAM, "test"),
                    name,
                    ToolSettingChange(permission_level=Permission.ASK),
                ),
            )
        )
    )
    await asyncio.gather(register_it(*one), register_it(*two))
    tools = await callable_tools(database, DEFAULT_TEAM)
    mine = [tool for tool in tools if tool.server.name == "contended"]
    [digest] = {tool.server.digest for tool in mine}
    wanted = one if digest == one[0].digest else two
    assert {tool.tool for tool in mine} == {tool.name for tool in wanted[1].tools}
    await stage.http.delete(f"/tools/{name}")


async def test_two_who_first_speak_of_a_native_tool_at_once_are_both_heard(stage: Stage) -> None:
    team = await stage.team()
    for name in ("read_file", "write_file", "list_files"):
        changes = [patch(team, name, permission_level=level) for level in ("ask", "deny") * 4]
        assert {changed["name"] for changed in await asyncio.gather(*changes)} == {name}


async def test_registered_tools_are_offered_and_called_while_enabled(
    stage: Stage,
) -> None:
    await register(stage.http, name="team")
    async with pool_of(stage) as pool:
        tools = TeamTools(stage.database, pool)
        offered = {tool.name: tool for tool in await tools.offered(DEFAULT_TEAM)}
        assert offered["mcp.team.echo"].timeout_seconds == 60
        result = await tools.call(DEFAULT_TEAM, "mcp.team.echo", {"text": "hello"}, 10)
        assert result.text == "hello"
        await patch(stage.http, "mcp.team.echo", is_active=False)
        await patch(stage.http, "mcp.team.parts", permission_level="deny")
        for name in ("mcp.team.echo", "mcp.team.parts", "mcp.team", "mcp.team.none"):
            with pytest.raises(ToolDisabled):
                await tools.call(DEFAULT_TEAM, name, {}, 10)


async def test_a_tool_that_a_server_adds_later_is_stored(stage: Stage) -> None:
    await register(stage.http, name="growing", permission_level="ask")
    async with pool_of(stage) as pool:
        tools = TeamTools(stage.database, pool)
        await tools.call(DEFAULT_TEAM, "mcp.growing.grow", {"name": "later"}, 10)
        async with asyncio.timeout(10):
            while "mcp.growing.later" not in (found := await listed(stage.http)):
                await asyncio.sleep(0.05)
    assert found["mcp.growing.later"]["permission_level"] == "ask"


async def test_a_server_that_is_removed_or_switched_off_ends_after_its_calls(
    stage: Stage, tmp_path: Path
) -> None:
    words = [mark(), mark(), mark()]
    for number, word in enumerate(words):
        await register(stage.http, "--mark", word, name=f"ending-{number}")
    async with pool_of(stage) as pool:
        tools = TeamTools(stage.database, pool)
        files: dict[str, Any] = {key: str(tmp_path / key) for key in ("begun", "cancelled")}
        arguments = files | {"seconds": 2}
        slow = asyncio.create_task(tools.call(DEFAULT_TEAM, "mcp.ending-0.wait", arguments, 60))
        for number in (1, 2):
            await tools.call(DEFAULT_TEAM, f"mcp.ending-{number}.echo", {"text": ""}, 60)
        await until((tmp_path / "begun").exists)
        await stage.http.delete("/tools/mcp.ending-0")
        await patch(stage.http, "mcp.ending-1", is_active=False)
        await tools.offered(DEFAULT_TEAM)
        assert (await slow).text == "waited"
        await until(lambda: not alive(words[0]) and not alive(words[1]))
        assert len(alive(words[2])) == 2


def pool_of(stage: Stage) -> McpPool:
    """A worker's."""
    on_listing = partial(update_listing, stage.database)
    return McpPool(policy=McpPolicy.for_loopback(), on_listing=on_listing)


async def test_the_rows_hold_secrets_by_name_only(stage: Stage, tmp_path: Path) -> None:
    team = await stage.team()
    answer = await team.post(
        "/tools/register", json=body(env={"API_KEY": "Bearer abcdefghijklmnop"})
    )
    assert answer.status_code == 422
    assert "AGENTOS_SECRET_" in answer.text
    async with stage.database.reading() as connection:
        rows = (await connection.execute(text("SELECT row_to_json(tools)::text FROM tools"))).all()
    assert not any("abcdefghijklmnop" in row[0] for row in rows)


async def test_a_tool_that_is_left_out_is_listed_with_its_reason(
    stage: Stage, tmp_path: Path
) -> None:
    team = await stage.team()
    await register(team, *listing(tmp_path, "one", "bad name"))
    reason = "bad name: a name has at most 128 letters, digits and _ . / -"
    assert (await listed(team))["mcp.double"]["refused"] == [reason]
    await register(team, *listing(tmp_path, "one"))
    assert (await listed(team))["mcp.double"]["refused"] == []


async def test_what_is_left_out_is_kept_up_to_date_between_registrations(stage: Stage) -> None:
    server = McpServer.model_validate(body(name="choosy"))
    await offer(stage, server, tool("a"))
    left_out = Listing((tool("a"),), ("b: it is no object",))
    await update_listing(stage.database, DEFAULT_TEAM, server, left_out)
    assert (await listed(stage.http))["mcp.choosy"]["refused"] == ["b: it is no object"]
    await update_listing(stage.database, DEFAULT_TEAM, server, Listing((tool("a"),)))
    assert (await listed(stage.http))["mcp.choosy"]["refused"] == []


async def test_rows_of_tools_that_are_gone_are_removed(stage: Stage) -> None:
    server = McpServer.model_validate(body(name="fleeting"))
    for number in range(5):
        await offer(stage, server, tool(f"t{number}"))
    assert await rows(stage, "fleeting") == ["mcp.fleeting", "mcp.fleeting.t4"]


async def test_a_tool_that_goes_and_comes_back_does_not_lose_what_was_said_of_it(
    stage: Stage,
) -> None:
    server = McpServer.model_validate(body(name="back"))
    await offer(stage, server, tool("a"), tool("b"))
    await patch(stage.http, "mcp.back.a", permission_level="deny")
    await offer(stage, server)
    assert await rows(stage, "back") == ["mcp.back", "mcp.back.a"]
    assert "mcp.back.a" not in await listed(stage.http)
    await offer(stage, server, tool("a"), tool("b"))
    assert (await listed(stage.http))["mcp.back.a"]["permission_level"] == "deny"


@pytest.mark.parametrize(
    "other",
    [
        McpTool("a", "Now deletes.", {"type": "object"}, False),
        McpTool("a", "d", {"type": "object", "required": ["path"]}, False),
        McpTool("a", "d", {"type": "object"}, True),
    ],
)
async def test_a_changed_definition_is_shown_until_the_team_says_something(
    stage: Stage, other: McpTool
) -> None:
    server = McpServer.model_validate(body(name="turncoat"))
    await stage.http.delete("/tools/mcp.turncoat")
    await offer(stage, server, tool("a"))
    await offer(stage, server, tool("a"))
    assert (await listed(stage.http))["mcp.turncoat.a"]["changed"] is None
    await offer(stage, server, other)
    await offer(stage, server, McpTool("a", "And once more.", {"type": "object"}, False))
    changed = (await listed(stage.http))["mcp.turncoat.a"]["changed"]
    assert (changed["description"], changed["schema"]) == ("d", {"type": "object"})
    assert (await patch(stage.http, "mcp.turncoat.a", is_active=True))["changed"] is None


async def test_a_definition_that_the_database_writes_otherwise_has_not_changed(
    stage: Stage,
) -> None:
    numbers: list[JsonValue] = [1e16, -0.0, 10**40, 1.10, 1e-7, 5e-324]
    schema: dict[str, JsonValue] = {"type": "object", "properties": {"b": {"enum": numbers}}}
    for order in (("long-name", "b"), ("b", "long-name")):
        server = McpServer.model_validate(body(name="precise"))
        keyed = {**schema, "$defs": {name: {"default": -0.0} for name in order}}
        await offer(stage, server, McpTool("a", "d", keyed, is_retry_safe=False))
        assert (await listed(stage.http))["mcp.precise.a"]["changed"] is None


def tool(name: str) -> McpTool:
    return McpTool(name, "d", {"type": "object"}, is_retry_safe=False)


async def offer(stage: Stage, server: McpServer, *tools: McpTool) -> None:
    """Register a server, or have it offer other tools."""
    await register_server(
        stage.database,
        SOMEBODY,
        server,
        Listing(tools),
        description="",
        permission_level=None,
    )


async def rows(stage: Stage, server: str) -> list[str]:
    query = text("SELECT name FROM tools WHERE name LIKE :name ORDER BY name")
    async with stage.database.reading(fresh=True) as connection:
        return list(await connection.scalars(query, {"name": f"mcp.{server}%"}))


async def test_resources_of_a_registered_server_are_read_like_a_tool(stage: Stage) -> None:
    args = ["-I", str(DOUBLES / "mcp_odd.py"), "resources"]
    given = {"name": "library", "transport": "stdio", "command": sys.executable, "args": args}
    answer = await stage.http.post("/tools/register", json=given, timeout=30)
    assert answer.status_code == 201, answer.text
    async with McpPool(policy=McpPolicy.for_loopback()) as pool:
        tools = TeamTools(stage.database, pool)
        name = "mcp.library.read_resource"
        result = await tools.call(DEFAULT_TEAM, name, {"uri": "odd://a.txt"}, 60, {})
    assert result.text == "the text of odd://a.txt"


async def check(team: httpx.AsyncClient, name: str) -> dict[str, Any]:
    answer = await team.post(f"/mcp-servers/{name}/check", timeout=30)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_server_that_answers_is_said_to_be_well(stage: Stage, tmp_path: Path) -> None:
    team = await stage.team()
    await register(team, *listing(tmp_path, "one"))
    assert (await _listed_server(team))["checked"] is None
    listing(tmp_path, "one", "two")
    found = await check(team, "double")
    assert found["is_server"]
    assert (found["checked"]["tools"], found["checked"]["error"]) == (2, None)
    assert found["checked"]["duration_ms"] > 0
    assert (await _listed_server(team))["checked"] == found["checked"]
    names = [tool["name"] for tool in (await team.get("/tools")).json()["items"]]
    assert [name for name in names if name.startswith("mcp.")] == [
        "mcp.double",
        "mcp.double.one",
        "mcp.double.two",
    ]


async def test_a_server_that_is_away_is_said_to_be_so_and_keeps_its_tools(
    stage: Stage, tmp_path: Path
) -> None:
    team, program = await stage.team(), tmp_path / "server.py"
    program.write_bytes(DOUBLE.read_bytes())
    args = ["-I", str(program), *listing(tmp_path, "one")]
    await register(team, args=args)
    program.unlink()
    checked = (await check(team, "double"))["checked"]
    assert "MCP server double" in checked["error"]
    assert checked["tools"] == 0
    names = [tool["name"] for tool in (await team.get("/tools")).json()["items"]]
    assert "mcp.double.one" in names


@pytest.mark.parametrize("name", ["none", "read_file", "double.one", "mcp.double"])
async def test_what_is_no_server_of_the_team_cannot_be_checked(
    stage: Stage, tmp_path: Path, name: str
) -> None:
    team, other = await stage.team(), await stage.team()
    await register(team, *listing(tmp_path, "one"))
    assert (await team.post(f"/mcp-servers/{name}/check")).status_code == 404
    assert (await other.post("/mcp-servers/double/check")).status_code == 404


async def _listed_server(team: httpx.AsyncClient) -> dict[str, Any]:
    items = (await team.get("/tools", params={"limit": 200})).json()["items"]
    return next(item for item in items if item["is_server"])
