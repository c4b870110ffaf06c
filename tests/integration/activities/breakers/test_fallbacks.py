"""A tool that answers while the breaker of another is open."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from pydantic import JsonValue
from sqlalchemy import text
from temporalio.testing import ActivityEnvironment

from activities.agents.observations import Shown, observation
from activities.breakers.breakers import Breakers
from activities.breakers.errors import BreakerOpen
from activities.breakers.options import BreakerOptions
from activities.steps.adapter import Steps
from activities.store import tasks
from activities.store.reading.traces import find_trace
from activities.tools.context import ToolResult
from activities.tools.mcp.questions import Replies
from activities.tools.mcp.results import McpResult
from activities.tools.offered import OfferedTool
from activities.tools.registry import Registry
from activities.tools.toolbox import Toolbox
from tests.integration.agent_desk import Desk
from tests.integration.new_tasks import first_call, new_task
from workflows.definitions.agent import Agent
from workflows.definitions.fallback import Fallback
from workflows.definitions.pipeline import Pipeline
from workflows.errors.mcp import McpAsks, McpToolFailed, McpUnavailable
from workflows.states import Permission, TaskType

OPTIONS = BreakerOptions(calls=1, open_seconds=600.0)
SECOND = Fallback(tool="mcp.second.find", arguments={"q": "${query}", "limit": 3})


class Servers:
    """The tool of the server ``first`` is away; those of others answer with what they were given.
    One that is given ``ask`` asks a person, and one that is given ``no`` says no."""

    def __init__(self, *tools: OfferedTool) -> None:
        self.tools = tools
        self.calls: list[tuple[str, dict[str, JsonValue]]] = []
        self.away = {"mcp.first.find"}

    async def offered(self, team_id: UUID) -> Sequence[OfferedTool]:
        return self.tools

    async def call(
        self,
        team_id: UUID,
        name: str,
        arguments: Mapping[str, JsonValue],
        timeout_seconds: float,
        replies: Replies,
    ) -> McpResult:
        self.calls.append((name, dict(arguments)))
        if name in self.away:
            raise McpUnavailable(server=name.split(".")[1], reason="nobody is there")
        if arguments.get("q") == "ask":
            raise McpAsks(server="second", tool="find", limit=1)
        return McpResult("found", is_error=arguments.get("q") == "no")


def tool(server: str, fallback: Fallback | None = None, **more: object) -> OfferedTool:
    made = OfferedTool(f"mcp.{server}.find", "Finds.", {"type": "object"}, fallback=fallback)
    return replace(made, **more)


async def opened(desk: Desk, *tools: OfferedTool, away: Sequence[str] = ()) -> Servers:
    """A desk with these tools, the breaker of the first of which has opened, as of those that are
    ``away``."""
    servers = Servers(*tools)
    servers.away |= set(away)
    desk.equipment = replace(desk.equipment, breakers=Breakers(desk.database, OPTIONS))
    desk.toolbox = Toolbox(Registry(), desk.database, mcp=servers)
    await desk.begin()
    for name in (*away, "mcp.first.find"):
        await desk.call(name, query="x")
    await desk.equipment.breakers.close()
    servers.calls.clear()
    return servers


async def test_another_tool_answers_with_the_arguments_that_it_takes(desk: Desk) -> None:
    servers = await opened(desk, tool("first", SECOND), tool("second"))
    result = await desk.call("mcp.first.find", query="x")
    assert (result.error, result.text) == (None, "found")
    assert (result.answered_by, result.in_place_of) == ("mcp.second.find", "mcp.first.find")
    assert servers.calls == [("mcp.second.find", {"q": "x", "limit": 3})]
    assert observation(result, Shown("found"), {}).startswith(
        "Answered by mcp.second.find in place of mcp.first.find"
    )


async def test_what_the_other_tool_says_no_to_is_its_answer(desk: Desk) -> None:
    await opened(desk, tool("first", SECOND), tool("second"))
    result = await desk.call("mcp.first.find", query="no")
    assert isinstance(result.error, McpToolFailed)
    assert result.answered_by == "mcp.second.find"


@pytest.mark.parametrize(
    "second",
    [
        tool("second", permission=Permission.DENY),
        tool("second", permission=Permission.ASK),
        tool("other"),
    ],
    ids=["denied", "asks", "gone"],
)
async def test_a_tool_that_may_not_simply_be_called_does_not_answer(
    desk: Desk, second: OfferedTool
) -> None:
    servers = await opened(desk, tool("first", SECOND), second)
    result = await desk.call("mcp.first.find", query="x")
    assert isinstance(result.error, BreakerOpen)
    assert servers.calls == []


async def test_a_tool_that_may_not_be_repeated_does_not_answer_for_one_that_may(
    desk: Desk,
) -> None:
    await opened(desk, tool("first", SECOND, is_retry_safe=True), tool("second"))
    assert isinstance((await desk.call("mcp.first.find", query="x")).error, BreakerOpen)


async def test_a_tool_that_the_agent_may_not_use_does_not_answer_for_it(desk: Desk) -> None:
    await opened(desk, tool("first", SECOND), tool("second"))
    desk.agent = Agent(tools=("mcp.first.find",))
    assert isinstance((await desk.call("mcp.first.find", query="x")).error, BreakerOpen)
    desk.agent = Agent(tools=("mcp.first.find", "mcp.second.*"))
    assert (await desk.call("mcp.first.find", query="x")).error is None


async def test_a_tool_that_asks_a_person_does_not_answer(desk: Desk) -> None:
    await opened(desk, tool("first", SECOND), tool("second"))
    assert isinstance((await desk.call("mcp.first.find", query="ask")).error, BreakerOpen)


async def test_the_fallback_of_a_fallback_answers_while_both_are_open(desk: Desk) -> None:
    third = Fallback(tool="mcp.third.find")
    servers = await opened(
        desk,
        tool("first", SECOND),
        tool("second", third),
        tool("third"),
        away=["mcp.second.find"],
    )
    result = await desk.call("mcp.first.find", query="x")
    assert (result.answered_by, result.in_place_of) == ("mcp.third.find", "mcp.first.find")
    assert servers.calls == [("mcp.third.find", {"q": "x", "limit": 3})]


async def test_fallbacks_that_lead_in_a_circle_end(desk: Desk) -> None:
    back = Fallback(tool="mcp.first.find")
    await opened(desk, tool("first", SECOND), tool("second", back), away=["mcp.second.find"])
    assert isinstance((await desk.call("mcp.first.find", query="x")).error, BreakerOpen)


async def test_a_step_is_answered_by_the_fallback_and_its_trace_and_events_say_so(
    desk: Desk,
) -> None:
    await opened(desk, tool("first", SECOND), tool("second"))
    step = {"id": "a", "tool": "mcp.first.find", "args": {"query": "x"}}
    definition = Pipeline.model_validate({"name": "test", "steps": [step]})
    task = new_task(TaskType.PIPELINE, definition)
    await tasks.create_task(desk.database, task)
    call = first_call(task)
    steps = Steps(desk.equipment, desk.toolbox)
    outcome = await ActivityEnvironment().run(steps.call_tool, call)
    assert outcome.held is None
    [row] = await desk.database.execute(
        text("SELECT data FROM events WHERE task_id = :id AND type = 'tool.fallback'"),
        {"id": task.id},
    )
    assert row.data == {"step": "a", "tool": "mcp.first.find", "answered_by": "mcp.second.find"}
    trace = await find_trace(desk.database, task.team_id, task.id)
    assert trace is not None
    assert [each.answered_by for each in trace.steps] == ["mcp.second.find"]


def test_a_result_of_the_tool_that_was_called_says_nothing_of_that() -> None:
    assert "Answered by" not in observation(ToolResult("x"), Shown("x"), {})
