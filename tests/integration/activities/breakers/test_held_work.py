"""What becomes of steps, calls and turns while a breaker is open."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from pydantic import JsonValue
from sqlalchemy import text
from temporalio.testing import ActivityEnvironment

from activities.agents.adapter import Agents
from activities.agents.roles.table import roles_of
from activities.agents.turn import TurnOptions
from activities.breakers.breakers import Breakers
from activities.breakers.errors import BreakerOpen
from activities.breakers.holding import LONGEST_SECONDS, held_by
from activities.breakers.options import BreakerOptions
from activities.breakers.watched import of_model
from activities.llm.base import ChatMessage, ModelOptions
from activities.llm.models import Models
from activities.steps.adapter import Steps
from activities.store import tasks
from activities.tools.mcp.questions import Replies
from activities.tools.mcp.results import McpResult
from activities.tools.offered import OfferedTool
from activities.tools.registry import Registry
from activities.tools.toolbox import Toolbox
from tests.doubles.model_server import ModelServer, model_server
from tests.equipment import TOKENS, installed
from tests.integration.agent_desk import Desk
from tests.integration.new_tasks import first_call, new_task
from workflows.agent_contracts import ThinkCall
from workflows.definitions.agent import Agent
from workflows.definitions.pipeline import Pipeline
from workflows.errors.mcp import McpUnavailable
from workflows.errors.models import ModelUnavailable
from workflows.states import TaskType

OPTIONS = BreakerOptions(calls=2, open_seconds=60.0)


class Absent:
    """A server that nobody reaches; ``calls`` are those that tried."""

    calls = 0

    async def offered(self, team_id: UUID) -> Sequence[OfferedTool]:
        return [OfferedTool("mcp.absent.ask", "Asks.", {"type": "object"})]

    async def call(
        self,
        team_id: UUID,
        name: str,
        arguments: Mapping[str, JsonValue],
        timeout_seconds: float,
        replies: Replies,
    ) -> McpResult:
        self.calls += 1
        raise McpUnavailable(server="absent", reason="nobody is there")


@pytest.fixture
def guarded(desk: Desk) -> Desk:
    """A desk whose breakers open at once."""
    desk.equipment = replace(desk.equipment, breakers=Breakers(desk.database, OPTIONS))
    return desk


async def test_a_step_behind_an_open_breaker_is_held_and_costs_no_attempt(guarded: Desk) -> None:
    absent = Absent()
    toolbox = Toolbox(Registry(), guarded.database, mcp=absent)
    guarded.toolbox = toolbox
    await guarded.begin()
    for _ in range(OPTIONS.calls):
        assert isinstance((await guarded.call("mcp.absent.ask")).error, McpUnavailable)
    step = {"id": "a", "tool": "mcp.absent.ask", "args": {}}
    definition = Pipeline.model_validate({"name": "test", "steps": [step]})
    task = new_task(TaskType.PIPELINE, definition)
    await tasks.create_task(guarded.database, task)
    call = first_call(task, retries=3)
    outcome = await ActivityEnvironment().run(Steps(guarded.equipment, toolbox).call_tool, call)
    assert outcome.held is not None
    assert outcome.held.tried == 0
    assert LONGEST_SECONDS * 0.9 < outcome.held.seconds <= LONGEST_SECONDS * 1.2
    assert absent.calls == OPTIONS.calls
    [row] = await guarded.database.execute(
        text("SELECT status, waits_for FROM sub_tasks WHERE task_id = :id"), {"id": task.id}
    )
    assert (row.status, row.waits_for) == ("queued", "the breaker of mcp:absent")
    await guarded.equipment.breakers.close()


async def test_an_agent_reads_which_breaker_is_open_why_and_until_when(guarded: Desk) -> None:
    guarded.toolbox = Toolbox(Registry(), guarded.database, mcp=Absent())
    await guarded.begin()
    for _ in range(OPTIONS.calls):
        await guarded.call("mcp.absent.ask")
    result = await guarded.call("mcp.absent.ask")
    assert isinstance(result.error, BreakerOpen)
    assert not result.error.retryable
    assert str(result.error).startswith(
        "mcp:absent is not called for now, because its breaker is open: 2 of 2 calls failed"
    )
    assert "The next try is in" in str(result.error)
    assert 50 < (result.error.retry_after_seconds or 0) <= 1.2 * OPTIONS.open_seconds
    await guarded.equipment.breakers.close()


async def test_arguments_that_are_wrong_never_open_a_breaker(guarded: Desk) -> None:
    await guarded.begin()
    for _ in range(5 * OPTIONS.calls):
        await guarded.call("read_file", nonsense=True)
        await guarded.call("read_file", file="that there is not")
    await guarded.call("write_file", name="a.txt", text="a")
    assert (await guarded.call("read_file", file="a.txt")).error is None


async def _fail(breakers: Breakers, team_id: UUID, model: str) -> None:
    for _ in range(OPTIONS.calls):
        with pytest.raises(ModelUnavailable):
            async with breakers.guard(team_id, of_model(model)):
                raise ModelUnavailable(model=model, reason="500")


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as served:
        yield served


async def test_a_turn_is_held_when_no_model_is_left_and_none_is_asked(
    guarded: Desk, server: ModelServer
) -> None:
    models = Models(ModelOptions(("first", "second"), server.url), TOKENS)
    equipped = replace(guarded.equipment, models=models)
    task = new_task(TaskType.AGENT, Agent(), prompt="Do it.")
    await tasks.create_task(guarded.database, task)
    toolbox = Toolbox(Registry(), guarded.database)
    agents = Agents(
        equipped, toolbox, roles_of(equipped, toolbox, installed(equipped)), TurnOptions()
    )
    await _fail(equipped.breakers, task.team_id, "first")
    await _fail(equipped.breakers, task.team_id, "second")
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, workflow_run_id="a")
    call = ThinkCall(task_id=task.id, run=1, turn=1, seq=0)
    thought = await environment.run(agents.think, call)
    assert thought.held is not None
    assert thought.held.tried == 0
    assert server.requests == []
    rows = await guarded.database.execute(
        text("SELECT data ->> 'reason' AS reason FROM events WHERE type = 'turn.held'"), {}
    )
    [reason] = [row.reason for row in rows]
    assert reason in {"the breaker of model:first", "the breaker of model:second"}
    await models.close()
    await equipped.breakers.close()


async def test_a_model_whose_breaker_is_open_gives_way_to_the_next(
    guarded: Desk, server: ModelServer
) -> None:
    breakers = guarded.equipment.breakers
    models = Models(ModelOptions(("first", "second"), server.url), TOKENS)
    passed_over: list[str] = []
    await _fail(breakers, guarded.team_id, "first")
    answer = await models.complete(
        [ChatMessage("user", "Do it.")],
        [],
        guard=lambda name: breakers.guard(guarded.team_id, of_model(name)),
        on_text=lambda _: None,
        on_passed_over=lambda name, error: passed_over.append(f"{name}: {error.code}"),
    )
    assert answer.model == "second"
    assert len(server.requests) == 1
    assert passed_over == ["first: breaker-open"]
    await models.close()
    await breakers.close()


def test_what_waits_for_a_person_looks_again_now_and_then() -> None:
    refused = BreakerOpen(name="tool:a", why="it was opened by hand", seconds=None)
    assert "agentos breakers close tool:a" in str(refused)
    held = held_by(refused, uniform=lambda least, most: most)
    assert held.seconds == LONGEST_SECONDS * 1.2
    assert held.what == "the breaker of tool:a"
