"""Which tools a pipeline may name: those for pipelines, and those of the team's MCP servers."""

from collections.abc import Mapping

import httpx
import pytest

from activities.store.audit import Actor
from activities.store.keys import DEFAULT_TEAM
from activities.store.mcp_servers import register_server
from activities.store.mcp_tools import change_mcp_tool
from activities.store.tools import ToolSettingChange
from activities.tools.mcp.listing import Listing, McpTool
from tests.integration.api_stage import Stage
from workflows.definitions.mcp_server import McpServer

SERVER = McpServer(name="art", transport="stdio", command="draw")
TOOLS = Listing((McpTool("draw", "", {}, False), McpTool("erase", "", {}, False)))


async def problem(http: httpx.AsyncClient, tool: str) -> Mapping[str, str]:
    step = {"id": "a", "tool": tool, "args": {}}
    answer = await http.post("/tasks", json={"pipeline": {"name": "x", "steps": [step]}})
    if answer.status_code == 202:
        return {}
    assert answer.status_code == 422, answer.text
    [error] = answer.json()["errors"]
    assert error["pointer"] == "/pipeline/steps/0/tool"
    return dict(error)


@pytest.mark.parametrize("tool", ["run_code", "load_skill", "ask_human", "finish"])
async def test_a_tool_for_agents_is_refused(stage: Stage, tool: str) -> None:
    assert "there is no tool named" in (await problem(stage.http, tool))["message"]


async def test_a_tool_of_a_registered_server_is_taken(stage: Stage) -> None:
    database = stage.database
    await register_server(
        database, DEFAULT_TEAM, SERVER, TOOLS, description="", permission_level=None
    )
    await change_mcp_tool(
        database, Actor(DEFAULT_TEAM, "test"), "mcp.art.erase", ToolSettingChange(is_active=False)
    )
    assert await problem(stage.http, "mcp.art.draw") == {}
    assert "is disabled or denied" in (await problem(stage.http, "mcp.art.erase"))["message"]
    for unknown in ("mcp.art", "mcp.art.fly", "mcp.other.draw"):
        assert "no tool named" in (await problem(stage.http, unknown))["message"]
    assert "no tool named" in (await problem(await stage.team(), "mcp.art.draw"))["message"]


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [("convert", "Did you mean mcp.near.convert?"), ("zzzzzz", "mcp.near.convert")],
)
async def test_an_unknown_name_of_a_tool_is_told_of_those_of_servers_too(
    stage: Stage, wrong: str, hint: str
) -> None:
    server = McpServer(name="near", transport="stdio", command="near")
    tools = Listing((McpTool("convert", "", {}, False),))
    await register_server(
        stage.database, DEFAULT_TEAM, server, tools, description="", permission_level=None
    )
    assert hint in (await problem(stage.http, wrong))["message"]
    agent = {"type": "agent", "prompt": "x", "agent": {"tools": [wrong]}}
    errors = (await stage.http.post("/tasks", json=agent)).json()["errors"]
    [error] = [item for item in errors if item["pointer"] == "/agent/tools/0"]
    assert hint in error["message"]
