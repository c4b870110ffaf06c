"""What changes while an agent lives counts from its next exchange on."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.agents.roles.table import roles_of
from activities.agents.turn import TurnOptions, Turns
from activities.llm.base import ModelOptions
from activities.llm.models import Models
from activities.skills import catalogue
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.mcp_servers import register_server, remove_server
from activities.store.options import S3Options
from activities.tools.mcp.policy import McpPolicy
from activities.tools.mcp.pool import McpPool
from activities.tools.mcp.team_tools import TeamTools
from activities.tools.registry import Registry
from activities.tools.toolbox import Toolbox
from tests.actors import SOMEBODY
from tests.doubles.mcp_http import Double, Exchange, doubled
from tests.doubles.model_server import ModelServer, model_server, text
from tests.equipment import TOKENS, equipment, installed
from tests.integration.residents import RowAgent, row_agent
from workflows.agent_contracts import ThinkCall
from workflows.definitions.mcp_server import McpServer

# Nothing is ever asked of it: no connection is made before it is needed.
BLOBS = Blobs(S3Options("http://127.0.0.1:1", "bucket", "key", "secret"))


class Life:
    """An agent that answers a message at a time; a model that notes what it is sent."""

    def __init__(self, agent: RowAgent, turns: Turns, server: ModelServer, pool: McpPool) -> None:
        self.agent = agent
        self._turns = turns
        self._server = server
        self.pool = pool

    async def next(self) -> dict[str, Any]:
        """What the model is sent in the first turn of another exchange."""
        await self.agent.post()
        task_id = await self.agent.begin()
        self._server.answers(text("Hello."))
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, workflow_run_id="run")
        call = ThinkCall(task_id=task_id, run=1, turn=1, seq=0)
        thought = await environment.run(self._turns.make, call)
        assert thought.finished
        await self.agent.end(task_id, "Hello.")
        return self._server.requests[-1].body

    async def tools(self) -> str:
        """The definitions of tools that the model is sent in another exchange."""
        return json.dumps((await self.next())["tools"])

    async def register(self, double: Double) -> None:
        server = McpServer.model_validate({"name": "other", "transport": "http", "url": double.url})
        listing = await self.pool.probe(DEFAULT_TEAM, server)
        await register_server(
            self.agent.database, SOMEBODY, server, listing, description="", permission_level=None
        )


@asynccontextmanager
async def living(
    database: Database, folder: Path, skills: Path | None = None
) -> AsyncIterator[Life]:
    async with model_server() as server, McpPool(policy=McpPolicy.for_loopback()) as pool:
        models = Models(ModelOptions(("first",), server.url), TOKENS)
        equipped = equipment(database, BLOBS, folder, skills=skills, models=models)
        toolbox = Toolbox(Registry(), database, mcp=TeamTools(database, pool))
        roles = roles_of(equipped, toolbox, installed(equipped))
        turns = Turns(equipped, roles, TurnOptions())
        yield Life(await row_agent(database), turns, server, pool)
        await models.close()


@pytest.fixture
async def life(database: Database, tmp_path: Path) -> AsyncIterator[Life]:
    async with living(database, tmp_path) as life:
        yield life


def lists(*names: str) -> Double:
    """A server of tools with these names."""

    async def act(exchange: Exchange) -> None:
        tools = [{"name": name, "inputSchema": {"type": "object"}} for name in names]
        await exchange.result({"tools": tools})

    return Double(acts={"tools/list": act})


async def test_a_server_that_is_registered_is_there_at_the_next_exchange(life: Life) -> None:
    assert "weather" not in await life.tools()
    async with doubled(lists("weather")) as double:
        await life.register(double)
        assert "weather" in await life.tools()
        double.acts |= lists("tides").acts
        await life.register(double)
        found = await life.tools()
        assert "tides" in found
        assert "weather" not in found
        assert await remove_server(life.agent.database, SOMEBODY, "mcp.other")
        assert "tides" not in await life.tools()


async def test_a_definition_that_is_changed_counts_from_the_next_exchange_on(life: Life) -> None:
    before = await life.next()
    await life.agent.execute(
        "UPDATE agents SET definition = CAST(:definition AS jsonb)",
        definition=json.dumps(
            {"profile": {"name": "Ann"}, "tools": ["remember"], "model": "second"}
        ),
    )
    after = await life.next()
    assert (before["model"], after["model"]) == ("first", "second")
    assert "You are Ann" in after["messages"][0]["content"]
    assert [tool["function"]["name"] for tool in after["tools"]] == ["remember"]
    assert len(before["tools"]) > 1
    # What was said before is there all the same.
    assert [message["content"] for message in after["messages"][1:]] == ["hello", "Hello.", "hello"]


async def test_a_skill_that_comes_and_goes_is_seen_at_the_next_exchange(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "SCAN_INTERVAL_SECONDS", 0.0)
    skills = tmp_path / "skills"
    await asyncio.to_thread(skills.mkdir)

    def install() -> None:
        (skills / "tides").mkdir()
        words = "---\nname: tides\ndescription: Tells the tides.\n---\n"
        (skills / "tides" / "SKILL.md").write_text(words)

    async def system(life: Life) -> str:
        return str((await life.next())["messages"][0]["content"])

    async with living(database, tmp_path, skills) as life:
        assert "Tells the tides." not in await system(life)
        await asyncio.to_thread(install)
        assert "Tells the tides." in await system(life)
        await asyncio.to_thread(rmtree, skills / "tides")
        assert "Tells the tides." not in await system(life)
