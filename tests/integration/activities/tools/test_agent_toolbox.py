"""What an agent is offered by what its team says, and calls of tools of MCP servers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import JsonValue

from activities.store.audit import Actor
from activities.store.tools import ToolSetting, ToolSettingChange, set_native_tool
from activities.tools.finish import FINISH
from activities.tools.mcp.questions import Replies
from activities.tools.mcp.results import McpFile, McpResult
from activities.tools.offered import OfferedTool
from activities.tools.own.loading import modules
from activities.tools.registry import Registry
from activities.tools.toolbox import Toolbox
from tests.integration.agent_desk import Desk
from workflows.definitions.agent import Agent
from workflows.errors.mcp import McpFilesLost, McpTimedOut, McpToolFailed
from workflows.errors.tools import ToolDisabled, ToolNotFound
from workflows.states import Permission

SKILL_TOOLS = {"list_skills", "load_skill", "read_skill_file", "run_skill_script"}
DRAW = OfferedTool("mcp.art.draw", "Draws.", {"type": "object"}, Permission.ASK)
GONE = OfferedTool("mcp.art.gone", "Denied.", {"type": "object"}, Permission.DENY)


@dataclass
class ArtServer:
    """The tools of one server, which draws a picture, fails or hangs as the subject wants."""

    team_id: UUID
    called: list[tuple[str, Mapping[str, JsonValue], float]] = field(default_factory=list)

    more: Sequence[OfferedTool] = ()

    async def offered(self, team_id: UUID) -> Sequence[OfferedTool]:
        return [DRAW, GONE, *self.more] if team_id == self.team_id else []

    async def call(
        self,
        team_id: UUID,
        name: str,
        arguments: Mapping[str, JsonValue],
        timeout_seconds: float,
        replies: Replies,
    ) -> McpResult:
        self.called.append((name, arguments, timeout_seconds))
        if arguments["subject"] == "nothing":
            raise McpTimedOut(server="art", tool="draw", seconds=timeout_seconds)
        if arguments["subject"] == "mist":
            return McpResult("too vague", is_error=True)
        if arguments["subject"] == "a house in a folder":  # that is not there
            return McpResult("a house", (McpFile("no/house.png", "image/png", b"\x89PNG"),))
        return McpResult("a cat", (McpFile("cat.png", "image/png", b"\x89PNG"),))


@pytest.fixture
def art(desk: Desk) -> ArtServer:
    art = ArtServer(desk.team_id)
    desk.toolbox = Toolbox(Registry(), desk.database, mcp=art)
    return art


def agent(**definition: object) -> Agent:
    return Agent.model_validate(definition)


async def test_every_tool_that_is_not_forbidden_is_offered(desk: Desk, art: ArtServer) -> None:
    offered = await desk.toolbox.offered(desk.team_id, agent())
    tools = Registry().tools
    native = {name for name in tools if not tools[name].is_for_residents} - {"web_search"}
    assert "find_tools" in native
    assert set(offered) == native | {"mcp.art.draw", FINISH}
    assert list(offered)[-1] == FINISH
    assert offered["mcp.art.draw"] == DRAW
    assert offered["run_code"].timeout_seconds > 600
    assert offered["run_code"].is_retry_safe


async def test_web_search_is_offered_where_a_provider_is_configured(desk: Desk) -> None:
    toolbox = Toolbox(Registry(), desk.database, has_search=True)
    assert "web_search" in await toolbox.offered(desk.team_id, agent())


async def test_an_agent_is_offered_what_it_names_and_finish(desk: Desk, art: ArtServer) -> None:
    toolbox, team = desk.toolbox, desk.team_id
    assert set(await toolbox.offered(team, agent(tools=[]))) == {FINISH}
    offered = await toolbox.offered(team, agent(tools=["mcp.art.*"]))
    assert set(offered) == {"mcp.art.draw", "find_tools", FINISH}
    named = agent(tools=["read_file"], skills=["x"])
    assert set(await toolbox.offered(team, named)) == {"read_file", FINISH, *SKILL_TOOLS}
    without_skills = await toolbox.offered(team, agent(skills=[]))
    assert not SKILL_TOOLS & set(without_skills)
    assert "run_code" in without_skills


async def test_the_search_for_tools_is_offered_where_there_are_some_to_find(
    desk: Desk, art: ArtServer
) -> None:
    toolbox, team = desk.toolbox, desk.team_id
    assert "find_tools" in await toolbox.offered(team, agent(tools=["mcp.art.draw"]))
    assert "find_tools" not in await toolbox.offered(team, agent(tools=["mcp.none.*"]))
    assert "find_tools" not in await toolbox.offered(team, agent(tools=["read_file"]))
    assert "find_tools" not in await toolbox.offered(UUID(int=7), agent())


async def test_tools_are_found_by_what_they_do_and_by_their_names(
    desk: Desk, art: ArtServer
) -> None:
    big = {"type": "object", "properties": {"color": {"type": "string", "description": "Any."}}}
    art.more = [OfferedTool("mcp.art.paint", "Paints a wall.\nTwice. " * 40, big)]
    await desk.begin()
    found = (await desk.call("find_tools", query="paint the walls")).text
    assert found.startswith("Found: mcp.art.paint\n- mcp.art.paint: Paints a wall. Twice.")
    assert len(found) < 400
    both = (await desk.call("find_tools", query="")).text
    assert both.startswith("Found: mcp.art.draw, mcp.art.paint\n")
    assert (await desk.call("find_tools", query="", limit=1)).text.startswith(
        "Found: mcp.art.draw\n"
    )
    for name in ("mcp.art.paint", "mcp__art__paint"):
        whole = (await desk.call("find_tools", query=name)).text
        assert whole.startswith("Found: mcp.art.paint\nPaints a wall.\nTwice.")
        assert whole.endswith(f"Arguments, as a JSON schema:\n{json.dumps(big)}")


async def test_a_search_finds_no_tool_that_must_not_be_called(desk: Desk, art: ArtServer) -> None:
    await desk.begin()
    assert "gone" not in (await desk.call("find_tools", query="gone denied")).text
    none = await desk.call("find_tools", query="bake a cake")
    assert none.text == (
        "No tool fits this. Servers and their numbers of tools: art (1). Try other words."
    )
    desk.agent = agent(tools=["mcp.none.*"])
    assert "draw" not in (await desk.call("find_tools", query="draws")).text


async def test_finish_asks_for_what_the_agent_is_to_give(desk: Desk) -> None:
    schema = {"type": "object", "properties": {"rows": {"type": "integer"}}}
    offered = await desk.toolbox.offered(desk.team_id, agent(output_schema=schema))
    assert offered[FINISH].schema["properties"]["result"] == schema
    assert offered[FINISH].schema["required"] == ["summary", "result"]


async def test_the_teams_settings_for_a_tool_apply(desk: Desk) -> None:
    database, team = desk.database, desk.team_id
    for name, change in (
        ("run_code", ToolSettingChange(permission_level=Permission.DENY)),
        ("list_files", ToolSettingChange(is_active=False)),
        ("read_file", ToolSettingChange(permission_level=Permission.ASK)),
    ):
        await set_native_tool(database, Actor(team, "test"), name, ToolSetting(), change)
    offered = await desk.toolbox.offered(team, agent())
    assert not {"run_code", "list_files"} & set(offered)
    assert offered["read_file"].permission is Permission.ASK
    assert offered["write_file"].permission is Permission.AUTO
    for name in ("run_code", "list_files"):
        result = await desk.toolbox.call(desk.context(), name, {})
        assert isinstance(result.error, ToolDisabled)


async def test_permissions_and_servers_of_another_team_do_not_apply(
    desk: Desk, art: ArtServer
) -> None:
    other = UUID(int=7)
    offered = await desk.toolbox.offered(other, agent())
    assert "mcp.art.draw" not in offered
    assert "run_code" in offered


async def test_a_picture_becomes_a_file_of_the_task(desk: Desk, art: ArtServer) -> None:
    await desk.begin()
    result = await desk.call("mcp.art.draw", subject="cat")
    assert (result.text, result.error, result.exit_code) == ("a cat", None, 0)
    assert list(desk.made) == ["cat.png"]
    assert art.called == [("mcp.art.draw", {"subject": "cat"}, DRAW.timeout_seconds)]


async def test_mistakes_in_arguments_are_known_before_anybody_is_asked(
    desk: Desk, art: ArtServer
) -> None:
    offered = await desk.toolbox.offered(desk.team_id, agent())
    [(pointer, _)] = await offered["ask_human"].problems({})
    assert pointer == "/question"
    assert await offered["ask_human"].problems({"question": "Which?"}) == []
    assert await offered["mcp.art.draw"].problems({"anything": "goes"}) == []


async def test_a_call_whose_files_cannot_be_written_is_not_said_to_have_failed_before_it_was_made(
    desk: Desk, art: ArtServer
) -> None:
    """Else it would be made again, and this one may not be."""
    await desk.begin()
    drawn = await desk.call("mcp.art.draw", subject="a house in a folder")
    assert isinstance(drawn.error, McpFilesLost)
    assert (drawn.text, drawn.error.retryable) == ("a house", False)


async def test_a_failure_of_a_server_is_the_result_of_the_call(desk: Desk, art: ArtServer) -> None:
    await desk.begin()
    failed = await desk.call("mcp.art.draw", subject="mist")
    assert isinstance(failed.error, McpToolFailed)
    assert failed.text == "too vague"
    hung = await desk.call("mcp.art.draw", subject="nothing")
    assert isinstance(hung.error, McpTimedOut)


async def test_a_denied_or_unknown_tool_of_a_server_is_not_called(
    desk: Desk, art: ArtServer
) -> None:
    await desk.begin()
    assert isinstance((await desk.call("mcp.art.gone", subject="x")).error, ToolDisabled)
    assert isinstance((await desk.call("mcp.art.fly", subject="x")).error, ToolNotFound)
    assert art.called == []


async def test_an_agent_is_offered_a_tool_of_the_house_which_reads_its_files(
    desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / "counting.py").write_text(
        "from activities.tools.context import ToolContext\n"
        "from activities.tools.files import opened\n"
        "from activities.tools.registry import tool\n"
        "@tool(is_retry_safe=True, reads='data')\n"
        "async def count_bytes(context: ToolContext, file: str) -> int:\n"
        '    """Count the bytes of a file."""\n'
        "    async with opened(context, file) as path:\n"
        "        return path.stat().st_size\n"
    )
    await desk.begin(sales=b"12345")
    desk.toolbox = Toolbox(Registry(modules([tmp_path])), desk.database)
    offered = (await desk.toolbox.offered(desk.team_id, agent()))["count_bytes"]
    assert offered.description == "Count the bytes of a file."
    assert offered.is_retry_safe
    assert (await desk.call("count_bytes", file="sales")).text == "5"
    refused = await desk.call("count_bytes", file="none")
    assert refused.error is not None
    assert "no file 'none'" in str(refused.error)


async def test_an_agent_reads_what_a_tool_of_the_house_raised(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(
        "from activities.tools.registry import tool\n"
        "@tool()\n"
        "def ring(times: int) -> str:\n"
        '    """Ring."""\n'
        "    raise ValueError(f'{times} times is too often')\n"
    )
    await desk.begin()
    desk.toolbox = Toolbox(Registry(modules([tmp_path])), desk.database)
    result = await desk.call("ring", times=7)
    assert result.error is not None
    assert result.error.code == "tool-failed"
    assert "failing.py, line 5" in str(result.error)
    assert result.text == "ValueError: 7 times is too often"
