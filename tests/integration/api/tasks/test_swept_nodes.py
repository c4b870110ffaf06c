"""What the sweeper does with the tasks of a plan's nodes, which only their plan starts."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from temporalio.client import WorkflowExecutionStatus

from activities.store import tasks
from activities.store.reading.families import descendants
from api.tasks import runs
from api.tasks.sweeper import Sweeper
from deploy.local.services import Services
from tests.integration.agent_stage import workflow_ended
from tests.integration.api_stage import Stage, api_stage, pipeline, working
from tests.integration.new_tasks import new_task
from tests.integration.plan_rows import PlanRows, a_node, a_plan
from workflows.contracts import TaskClose
from workflows.definitions.pipeline import Pipeline
from workflows.states import Status, TaskType

NEVER = 3_600.0  # seconds


@pytest.fixture(scope="module")
async def idle(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API without a worker, whose own sweeper sleeps: the test sweeps itself."""
    async with api_stage(
        infrastructure, skills_folder, works=False, sweep_interval_seconds=NEVER
    ) as stage:
        yield stage


async def _node(stage: Stage, plan: PlanRows, *sources: str, named: bool = True) -> UUID:
    """A task for a node of a plan; not ``named``, the plan has no such node."""
    definition = Pipeline.model_validate(pipeline(*sources or ("print x",)))
    child = new_task(TaskType.PIPELINE, definition, parent_id=plan.id)
    await tasks.create_task(stage.database, child)
    if named:
        name = f"n{len(plan.children)}"
        plan.children[name] = child.id
        await plan.node(a_node(name), len(plan.children), Status.PENDING)
        await plan.execute(
            "UPDATE sub_tasks SET status = 'running', child_id = :child "
            "WHERE task_id = :id AND name = :name",
            child=child.id,
            id=plan.id,
            name=name,
        )
    await stage.age(str(child.id), 10)
    return child.id


async def _started(stage: Stage, child: UUID, *sources: str) -> None:
    """Start the workflow of a node, as its plan does."""
    definition = Pipeline.model_validate(pipeline(*sources or ("print x",)))
    await runs.start(stage.services, new_task(TaskType.PIPELINE, definition, task_id=child))


async def _ended(plan: PlanRows, status: Status = Status.BLOCKED) -> None:
    """End a plan as a version did that closed no nodes with it."""
    await plan.execute("UPDATE tasks SET status = :s WHERE id = :id", s=status, id=plan.id)


async def _status_in_temporal(stage: Stage, task_id: UUID) -> WorkflowExecutionStatus | None:
    execution = await stage.services.temporal.find(task_id)
    return execution and execution.status


async def _task(stage: Stage, task_id: UUID) -> Mapping[str, Any]:
    return await stage.task(str(task_id))


async def test_a_node_is_never_started_but_by_its_plan(idle: Stage) -> None:
    plan = await a_plan(idle.database)
    child = await _node(idle, plan)
    await Sweeper(idle.services).sweep()
    assert await _status_in_temporal(idle, child) is None
    assert (await _task(idle, child))["status"] == "pending"


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ("UPDATE tasks SET status = 'blocked' WHERE id = :id", "plan-ended", "ended (blocked)"),
        ("DELETE FROM tasks WHERE id = :id", "plan-gone", "is gone"),
        (
            "UPDATE sub_tasks SET child_id = gen_random_uuid() WHERE task_id = :id",
            "node-dropped",
            "has no such node any more",
        ),
        ("DELETE FROM sub_tasks WHERE task_id = :id", "node-dropped", "no such node any more"),
    ],
    ids=["ended", "gone", "another", "dropped"],
)
async def test_a_node_that_no_plan_waits_for_is_closed_and_says_why(
    idle: Stage, change: str, code: str, says: str
) -> None:
    plan = await a_plan(idle.database)
    child = await _node(idle, plan, "print x", "print y", named=code != "plan-gone")
    await plan.execute(change, id=plan.id)
    await Sweeper(idle.services).sweep()
    task = await _task(idle, child)
    assert task["status"] == "cancelled"
    assert task["error"]["code"] == code
    assert says in task["error"]["message"]
    assert str(plan.id) in task["error"]["message"]
    assert {step["status"] for step in task["sub_tasks"]} == {"cancelled"}
    assert await _status_in_temporal(idle, child) is None


async def test_the_workflow_of_a_node_that_no_plan_waits_for_is_cancelled(idle: Stage) -> None:
    """Also when it is heard of all the time."""
    plan = await a_plan(idle.database)
    child = await _node(idle, plan, "wait")
    await _started(idle, child, "wait")
    async with working(idle):
        await idle.until(str(child), "running")
        await Sweeper(idle.services).sweep()
        assert (await _task(idle, child))["status"] == "running"
        await _ended(plan)
        await Sweeper(idle.services).sweep()
        await idle.until(str(child), "cancelled")
        await workflow_ended(idle, str(child))
    assert await _status_in_temporal(idle, child) is WorkflowExecutionStatus.CANCELED


async def test_a_node_of_a_living_plan_is_closed_like_others_when_its_workflow_was_ended(
    idle: Stage,
) -> None:
    plan = await a_plan(idle.database)
    child = await _node(idle, plan)
    await _started(idle, child)
    await idle.temporal.get_workflow_handle(f"task-{child}").terminate(reason="too dear")
    await idle.age(str(child))
    await Sweeper(idle.services).sweep()
    task = await _task(idle, child)
    assert (task["status"], task["error"]["code"]) == ("cancelled", "terminated")
    assert "too dear" in task["error"]["message"]


async def test_a_node_whose_next_run_its_plan_is_about_to_start_is_left_to_it(idle: Stage) -> None:
    plan = await a_plan(idle.database)
    child = await _node(idle, plan)
    await _started(idle, child)
    await idle.temporal.get_workflow_handle(f"task-{child}").terminate()
    await plan.execute("UPDATE tasks SET run = 2 WHERE id = :id", id=child)
    await idle.age(str(child))
    await Sweeper(idle.services).sweep()
    assert (await _task(idle, child))["status"] == "pending"
    assert await _status_in_temporal(idle, child) is WorkflowExecutionStatus.TERMINATED


async def test_a_plan_is_not_retried_while_nodes_of_it_still_end(idle: Stage) -> None:
    plan = await a_plan(idle.database)
    child = await _node(idle, plan)
    await _ended(plan)
    answer = await idle.http.post(f"/tasks/{plan.id}/retry")
    assert answer.status_code == 409
    assert "try again in a few seconds" in answer.json()["detail"]
    await Sweeper(idle.services).sweep()
    assert (await _task(idle, child))["status"] == "cancelled"


async def test_nodes_that_have_not_begun_end_with_their_plan(idle: Stage) -> None:
    plan = await a_plan(idle.database)
    unbegun, running = await _node(idle, plan), await _node(idle, plan)
    await plan.execute("UPDATE tasks SET status = 'running' WHERE id = :id", id=running)
    other = await _node(idle, await a_plan(idle.database))
    close = TaskClose(
        task_id=plan.id,
        team_id=(await _team(plan)),
        run=1,
        status=Status.CANCELLED,
    )
    assert await tasks.close_task(idle.database, close)
    task = await _task(idle, unbegun)
    assert (task["status"], task["error"]["code"]) == ("cancelled", "plan-ended")
    assert f"Its plan, task {plan.id}, ended (cancelled)" in task["error"]["message"]
    assert {step["status"] for step in task["sub_tasks"]} == {"cancelled"}
    assert task["finished_at"] is not None
    events = (await idle.http.get(f"/tasks/{unbegun}/events")).text
    assert '"status": "cancelled"' in events
    assert (await _task(idle, running))["status"] == "running"
    assert (await _task(idle, other))["status"] == "pending"
    assert not await tasks.close_task(idle.database, close)


async def _team(plan: PlanRows) -> UUID:
    async with plan.database.reading(fresh=True) as connection:
        found = await connection.scalar(
            text("SELECT team_id FROM tasks WHERE id = :id"), {"id": plan.id}
        )
    return UUID(str(found))


async def test_the_tasks_below_a_plan_are_found_at_any_depth(idle: Stage) -> None:
    plan, child, grandchild, stranger = [await a_plan(idle.database) for _ in range(4)]
    below = [(child, plan), (grandchild, child)]
    for lower, upper in below:
        await plan.execute(
            "UPDATE tasks SET parent_id = :up WHERE id = :id", up=upper.id, id=lower.id
        )
    leaf = await _node(idle, grandchild)
    assert await descendants(idle.database, plan.id) == [child.id, grandchild.id, leaf]
    assert await descendants(idle.database, leaf) == []
    await plan.execute("UPDATE tasks SET status = 'failed' WHERE id = :id", id=child.id)
    assert await descendants(idle.database, plan.id, living=True) == [grandchild.id, leaf]
    assert await descendants(idle.database, stranger.id) == []
    # Rows that somebody has made point at themselves are no reason to go on for ever.
    await plan.execute("UPDATE tasks SET parent_id = id WHERE id = :id", id=stranger.id)
    assert set(await descendants(idle.database, stranger.id)) == {stranger.id}
