"""Agents that have more tools than their model can be shown, on the whole stack."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.doubles.model_server import refusal
from tests.doubles.scripted_models import Conversation, ScriptedModels, asks, finishes
from tests.live import Live

FIND = ("find_tools", {"query": "say a text back"})
ECHO = "mcp__crowd__echo"


@pytest.fixture(scope="module")
async def crowd(agents_live: Live, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[None]:
    """A server of 140 tools; the one that works is last but by its first letter, and is hidden."""
    text = {"type": "string", "description": "What to work on, in as many words as it takes. " * 3}
    schema = {"type": "object", "properties": {"text": text}}
    words = "Works on records in a repository. " * 8
    names = [f"a_{number:03}" for number in range(139)]
    tools = [{"name": name, "description": words, "inputSchema": schema} for name in names]
    tools.append({"name": "echo", "description": "Says a text back.", "inputSchema": schema})
    listed = tmp_path_factory.mktemp("crowd") / "tools.json"
    listed.write_text(json.dumps(tools))
    await agents_live.register_mcp_server("crowd", "--tools", str(listed))
    yield
    (await agents_live.http.delete("/api/v1/tools/mcp.crowd")).raise_for_status()


def shown(talk: Conversation, number: int) -> list[str]:
    return [tool["function"]["name"] for tool in talk.requests[number].body["tools"]]


async def run(live: Live, talk: Conversation, **agent: Any) -> dict[str, Any]:
    return await live.run_agent(talk.prompt(), model="tiny", **agent)


@pytest.mark.usefixtures("crowd")
async def test_an_agent_finds_a_tool_that_it_was_not_shown_and_uses_it_after_a_retry(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(asks(FIND), refusal(401, "no such key"))
    task = await run(agents_live, talk)
    assert task["status"] == "failed"
    assert ECHO not in shown(talk, 0)
    assert "find_tools" in shown(talk, 0)
    assert talk.results()[0].startswith("<output>\nFound: mcp.crowd.echo")
    talk.answers += [asks((ECHO, {"text": "hello there"})), finishes()]
    assert await agents_live.post(task["task_id"], "retry") == 202
    task = await agents_live.ended(task["task_id"])
    assert task["status"] == "completed"
    assert set(talk.models) == {"tiny"}
    assert talk.results()[0] == "<output>\nhello there\n</output>"
    assert [ECHO in shown(talk, number) for number in range(4)] == [False, True, True, True]
    assert shown(talk, 1) == shown(talk, 3)


@pytest.mark.usefixtures("crowd")
async def test_a_tool_that_the_model_was_not_shown_can_be_called_by_its_name(
    agents_live: Live, models: ScriptedModels
) -> None:
    talk = models.conversation(
        asks((ECHO, {"text": "one"}), ("mcp.crowd.echo", {"text": "two"})), finishes()
    )
    task = await run(agents_live, talk)
    assert task["status"] == "completed"
    assert ECHO not in shown(talk, 0)
    assert [result.splitlines()[1] for result in talk.results()] == ["one", "two"]
