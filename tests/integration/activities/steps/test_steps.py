"""Steps that call a tool, as activities: what their time limit means."""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

import pytest
from pydantic import JsonValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.steps.adapter import Steps
from activities.store import tasks
from activities.tools.mcp.results import McpResult
from activities.tools.registry import Registry
from activities.tools.toolbox import OfferedTool, Toolbox
from tests.integration.agent_desk import Desk
from tests.integration.new_tasks import new_task
from workflows.contracts import StepCall
from workflows.definitions.pipeline import Pipeline
from workflows.errors import StepTimedOut
from workflows.states import TaskType


class Clock:
    """A server with a tool that waits, and one that fails with a time-out of its own."""

    async def offered(self, team_id: UUID) -> Sequence[OfferedTool]:
        names = ("mcp.clock.wait", "mcp.clock.fail")
        return [OfferedTool(name, "Waits.", {"type": "object"}) for name in names]

    async def call(
        self, team_id: UUID, name: str, arguments: Mapping[str, JsonValue], timeout_seconds: float
    ) -> McpResult:
        if name == "mcp.clock.fail":
            raise TimeoutError("its own")
        await asyncio.sleep(600)
        raise AssertionError("it was never stopped")


async def call(desk: Desk, tool: str, *retry_on: str) -> None:
    """A pipeline of one step, which may take 0.1 s."""
    step = {"id": "a", "tool": tool, "args": {}, "retry_on": retry_on}
    definition = Pipeline.model_validate({"name": "test", "steps": [step]})
    task = new_task(TaskType.PIPELINE, definition)
    await tasks.create_task(desk.database, task)
    toolbox = Toolbox(Registry(), desk.database, mcp=Clock())
    step_call = StepCall(
        task_id=task.id,
        team_id=task.team_id,
        sub_task_id=task.sub_tasks[0].id,
        run=1,
        step="a",
        retries=3,
        timeout_seconds=0.1,
    )
    await ActivityEnvironment().run(Steps(desk.equipment, toolbox).call_tool, step_call)


@pytest.mark.parametrize(
    ("retry_on", "again"), [((), False), (("timeout",), True), (("any",), True)]
)
async def test_the_time_limit_of_a_tool_is_tried_again_where_its_step_asks_for_that(
    desk: Desk, retry_on: tuple[str, ...], *, again: bool
) -> None:
    with pytest.raises(ApplicationError, match=r"limit of 0\.1 s") as raised:
        await call(desk, "mcp.clock.wait", *retry_on)
    assert raised.value.type == StepTimedOut.code
    assert raised.value.non_retryable is not again


async def test_a_time_out_within_a_tool_is_not_taken_for_that_of_its_step(desk: Desk) -> None:
    with pytest.raises(TimeoutError, match="its own"):
        await call(desk, "mcp.clock.fail", "timeout")
