"""What a list tells of each task: who it is from, what it used, how its name fared lately."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import insert, select
from sqlmodel import SQLModel, col

from activities.store.tables import Message, Schedule, Task
from tests.integration.api_stage import Stage, pipeline
from workflows.schedule_contracts import Overlap
from workflows.states import Status, TaskType


async def submit(team: httpx.AsyncClient, *sources: str, **more: Any) -> str:
    body = {"pipeline": {**pipeline(*sources), **more}}
    answer = await team.post("/tasks", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


async def listed(team: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await team.get("/tasks", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def ids(team: httpx.AsyncClient, **query: Any) -> set[str]:
    return {task["task_id"] for task in await listed(team, **query)}


async def _put(stage: Stage, team: httpx.AsyncClient, **values: Any) -> str:
    """A task as it is written down, without a workflow."""
    task_id = await submit(team, "wait")
    key = UUID(task_id)
    await stage.execute("DELETE FROM sub_tasks WHERE task_id = :id", id=key)
    for name, value in values.items():
        await stage.execute(f"UPDATE tasks SET {name} = :value WHERE id = :id", value=value, id=key)
    return task_id


async def _team_of(stage: Stage, task_id: str) -> UUID:
    async with stage.database.reading(fresh=True) as connection:
        query = select(col(Task.team_id)).where(col(Task.id) == UUID(task_id))
        return (await connection.execute(query)).scalar_one()


async def _insert(stage: Stage, table: type[SQLModel], **values: Any) -> None:
    async with stage.database.writing() as connection:
        await connection.execute(insert(table).values(**values))


async def test_tasks_that_try_again_are_listed_and_those_that_are_held_are_not(
    agents_stage: Stage,
) -> None:
    team = await agents_stage.team()
    retrying, held, held_later, plain = [await _put(agents_stage, team) for _ in range(4)]
    for task_id, waits_for, count in (
        (retrying, None, 0),
        (held, "a limit", 0),
        (held_later, "a breaker", 1),
    ):
        await agents_stage.execute(
            "INSERT INTO sub_tasks (id, team_id, task_id, name, task_type, status, dependencies,"
            " input_context, retry_count, execution_order, next_attempt_at, waits_for)"
            " SELECT gen_random_uuid(), team_id, id, 'a', 'skill', 'queued', '[]', '{}',"
            " CAST(:count AS int), 0, now(), CAST(:waits AS text) FROM tasks WHERE id = :id",
            id=UUID(task_id),
            waits=waits_for,
            count=count,
        )
    assert await ids(team, retrying="true") == {retrying, held_later}
    assert await ids(team, retrying="true", status="completed") == set()
    assert await ids(team, retrying="true", type="pipeline", text="test") == {retrying, held_later}
    assert await ids(team) == {retrying, held, held_later, plain}
    other = await agents_stage.team()
    assert await ids(other, retrying="true") == set()


async def test_a_plan_tries_again_when_the_task_of_a_node_does(agents_stage: Stage) -> None:
    team = await agents_stage.team()
    plan, node = await _put(agents_stage, team), await _put(agents_stage, team)
    await agents_stage.execute(
        "UPDATE tasks SET parent_id = :plan, status = 'running', error = '{}' WHERE id = :node",
        plan=UUID(plan),
        node=UUID(node),
    )
    assert await ids(team, retrying="true") == {plan}
    # Its error is that of its end now.
    await agents_stage.execute(
        "UPDATE tasks SET status = 'failed' WHERE id = :node", node=UUID(node)
    )
    assert await ids(team, retrying="true") == set()


async def test_a_list_says_who_a_task_is_from(agents_stage: Stage) -> None:
    team = await agents_stage.team()
    by_key = await submit(team, "wait")
    schedule, gone = uuid4(), uuid4()
    of_schedule = await _put(agents_stage, team, schedule_id=schedule)
    team_id = await _team_of(agents_stage, by_key)
    nightly = {"name": "nightly", "task": {}, "overlap": Overlap.SKIP, "catch_up_seconds": 60.0}
    await _insert(agents_stage, Schedule, id=schedule, team_id=team_id, asked=[], **nightly)
    of_gone = await _put(agents_stage, team, schedule_id=gone)
    of_agent = await _put(agents_stage, team, agent_id=gone)
    unknown = await _put(agents_stage, team, created_by=None)
    found = {task["task_id"]: task["created_by"] for task in await listed(team)}
    assert found[by_key]["name"].startswith("test (ak_")
    assert found == {
        by_key: {"kind": "key", "name": found[by_key]["name"], "id": None},
        of_schedule: {"kind": "schedule", "name": "nightly", "id": str(schedule)},
        of_gone: {"kind": "schedule", "name": None, "id": str(gone)},
        of_agent: {"kind": "agent", "name": None, "id": str(gone)},
        unknown: None,
    }
    assert (await team.get(f"/tasks/{of_schedule}")).json()["created_by"]["name"] == "nightly"
    assert await ids(team, agent_id=str(gone)) == {of_agent}
    assert await ids(await agents_stage.team(), agent_id=str(gone)) == set()
    local = (await agents_stage.http.post("/tasks", json={"pipeline": pipeline("wait")})).json()
    task = await agents_stage.task(local["task_id"])
    assert task["created_by"] == {"kind": "local", "name": "local user", "id": None}


async def test_the_last_twelve_runs_of_a_name_are_told_where_they_are_asked_for(
    agents_stage: Stage,
) -> None:
    team = await agents_stage.team()
    shown = await submit(team, "wait", name="nightly")
    other = await submit(team, "wait", name="weekly")
    team_id, began = await _team_of(agents_stage, shown), datetime.now(UTC)
    for seconds in range(1, 16):
        await _insert(
            agents_stage,
            Task,
            id=uuid4(),
            team_id=team_id,
            type=TaskType.PIPELINE,
            name="nightly",
            status=Status.FAILED if seconds == 15 else Status.COMPLETED,
            inputs={},
            started_at=began,
            finished_at=began + timedelta(seconds=seconds),
        )
    found = {task["task_id"]: task for task in await listed(team, with_runs="true")}
    assert found[other]["recent_runs"] == []
    runs = found[shown]["recent_runs"]
    assert [run["seconds"] for run in runs] == [float(n) for n in range(4, 16)]
    assert [run["status"] for run in runs] == ["completed"] * 11 + ["failed"]
    assert {task["recent_runs"] is None for task in await listed(team)} == {True}
    stranger = await agents_stage.team()
    theirs = await submit(stranger, "wait", name="nightly")
    [task] = await listed(stranger, with_runs="true")
    assert (task["task_id"], task["recent_runs"]) == (theirs, [])


async def test_what_the_nodes_of_a_plan_used_counts_in_the_list(agents_stage: Stage) -> None:
    team = await agents_stage.team()
    plan, node = await _put(agents_stage, team), await _put(agents_stage, team)
    await agents_stage.execute(
        "UPDATE tasks SET parent_id = :plan WHERE id = :node", plan=UUID(plan), node=UUID(node)
    )
    for task_id, tokens in ((plan, 10), (node, 32)):
        await _insert(
            agents_stage,
            Message,
            task_id=UUID(task_id),
            seq=3,
            team_id=await _team_of(agents_stage, task_id),
            turn=1,
            role="assistant",
            execution="e",
            prompt_tokens=tokens,
            cost_usd=0.25,
        )
    [task] = await listed(team)
    assert task["usage"] == {"tokens_used": 42, "cost_usd": 0.5}


@pytest.mark.parametrize("query", ["retrying=maybe", "with_runs=x", "retryng=true"])
async def test_a_filter_with_a_typo_is_refused(stage: Stage, query: str) -> None:
    assert (await stage.http.get(f"/tasks?{query}")).status_code == 422
