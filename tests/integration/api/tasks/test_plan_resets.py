"""Plans whose workflow Temporal resets: wherever that is to, they come to the same end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from deploy.local.services import Services
from tests.integration.agent_stage import agent_stage
from tests.integration.api_stage import WAIT_SECONDS, Stage
from tests.integration.plan_stage import (
    Family,
    a_pipeline,
    makes,
    revises,
    states_of,
    submit_plan,
    working_planners,
)
from tests.temporal_runs import reset_to, workflow_tasks

REVISED = {
    "left": "completed",
    "bad": "failed",
    "join": "completed",
    "instead": "completed",
}


@pytest.fixture
async def plans(
    infrastructure: Services, skills_folder: Path, tmp_path: Path
) -> AsyncIterator[Stage]:
    async with (
        agent_stage(infrastructure, skills_folder) as stage,
        working_planners(stage, tmp_path),
    ):
        yield stage


async def _revised(stage: Stage) -> Family:
    """A completed plan, of which a node failed, and a revision rewired another."""
    join = a_pipeline("join", "print joined", depends_on=["left", "bad"])
    plan = await submit_plan(
        stage,
        makes(a_pipeline("left", "file left.csv x"), a_pipeline("bad", "fail"), join),
        revises(
            reason="Another way.",
            add=[a_pipeline("instead", "print x")],
            rewire=[{**join, "depends_on": ["left", "instead"]}],
        ),
        plan={"replans": 1},
    )
    assert states_of(await plan.until("completed")) == REVISED
    return plan


async def test_a_plan_that_is_reset_to_any_of_its_workflow_tasks_completes_again(
    plans: Stage,
) -> None:
    plan = await _revised(plans)
    first, points = await _points(plan, at_least=9)
    for point in points:
        run_id = await _reset(plan, first, point)
        task = await plan.ends()
        assert (task["status"], states_of(task)) == ("completed", REVISED), f"after {point}"
        # The last is the end of the plan, which says nothing of who wrote it.
        if point != points[-1]:
            assert await _holder(plan) == run_id, f"after {point}"
    assert await plan.living() == []


@pytest.mark.parametrize("back", range(3))
async def test_a_plan_that_is_reset_while_a_node_runs_completes(plans: Stage, back: int) -> None:
    slow = a_pipeline("slow", "wait")
    last = a_pipeline("last", "print x", depends_on=["quick", "slow"])
    plan = await submit_plan(plans, makes(a_pipeline("quick", "print x"), slow, last))
    await plan.until_states(quick="completed", slow="running")
    first, points = await _points(plan, at_least=4)
    resetting = asyncio.create_task(_reset(plan, first, points[-1 - back]))
    await asyncio.sleep(0)
    plans.steps.released.set()
    await resetting
    task = await plan.ends()
    assert task["status"] == "completed", task["error"]
    assert set(states_of(task).values()) == {"completed"}
    assert (await plan.runs())["quick"] == 1
    assert await plan.living() == []


async def _points(plan: Family, at_least: int) -> tuple[str, Sequence[int]]:
    """The present run of a plan, and where it can be reset to, once those are so many places.

    What the database says of a node may be ahead of what the plan's workflow has heard.
    """
    handle = plan.stage.temporal.get_workflow_handle(f"task-{plan.id}")
    run_id = (await handle.describe()).run_id
    assert run_id is not None
    async with asyncio.timeout(WAIT_SECONDS):
        while len(points := workflow_tasks(await handle.fetch_history())) < at_least:
            await asyncio.sleep(0.05)
    return run_id, points


async def _reset(plan: Family, run_id: str, point: int) -> str:
    """Return once the run that the plan is reset to has ended well; gives its id."""
    workflow_id, client = f"task-{plan.id}", plan.stage.temporal
    again = await reset_to(client, workflow_id, run_id, point)
    async with asyncio.timeout(WAIT_SECONDS):
        await client.get_workflow_handle(workflow_id, run_id=again).result()
    return again


async def _holder(plan: Family) -> str:
    """The run that works on the plan: one that could not take it over ends as its row has it."""
    async with plan.stage.database.reading(fresh=True) as connection:
        found = await connection.execute(
            text("SELECT executions ->> -1 FROM tasks WHERE id = :id"), {"id": UUID(plan.id)}
        )
        return str(found.scalar())
