"""Retries of a plan that begin within the task of one of its nodes."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from deploy.local.services import Services
from tests.integration.agent_stage import agent_stage
from tests.integration.api_stage import Stage
from tests.integration.plan_stage import (
    Family,
    ObedientPlanners,
    a_pipeline,
    an_agent,
    makes,
    submit_plan,
    told,
    working_planners,
)


@pytest.fixture(scope="module")
async def plans(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API of this module's own, whose sweeper is awake."""
    async with agent_stage(infrastructure, skills_folder, sweep_interval_seconds=0.3) as stage:
        yield stage


@pytest.fixture
async def planners(plans: Stage, tmp_path: Path) -> AsyncIterator[ObedientPlanners]:
    async with working_planners(plans, tmp_path) as planners:
        yield planners


async def _completed(stage: Stage) -> Family:
    """A pipeline, an agent, and a plan with a node of its own; and what depends on the first."""
    inner = a_pipeline("deep", "print 1", "print 2")
    plan = await submit_plan(
        stage,
        makes(
            a_pipeline("lines", "print 1", "print 2", "print 3"),
            a_pipeline("after", "print x", depends_on=["lines"]),
            an_agent("talk", "call a", "call b", "finish Done."),
            {
                "id": "nest",
                "title": "Do nest",
                "kind": "plan",
                "description": told(makes(inner), "finish Nested."),
            },
        ),
        "finish All is there.",
        plan={"depth": 2},
    )
    await plan.until("completed")
    return plan


async def _attempts(stage: Stage, task_id: str, run: int) -> list[str]:
    async with stage.database.reading(fresh=True) as connection:
        rows = await connection.execute(
            text(
                "SELECT name FROM execution_logs AS log JOIN sub_tasks AS step"
                " ON step.id = log.sub_task_id"
                " WHERE log.task_id = :id AND log.run = :run ORDER BY log.started_at"
            ),
            {"id": UUID(task_id), "run": run},
        )
        return [row.name for row in rows]


async def _retry(plan: Family, begin: str, **more: Any) -> dict[str, Any]:
    path, body = f"/tasks/{plan.id}/retry", {"from": begin, **more}
    foreseen = await plan.stage.http.post(path, json={**body, "dry_run": True})
    assert foreseen.status_code == 200, foreseen.text
    assert (await plan.stage.http.post(path, json=body)).status_code == 202
    return dict(foreseen.json())


def _names(steps: list[dict[str, Any]]) -> set[str]:
    return {step["step"] for step in steps}


async def test_a_retry_from_a_step_of_a_node_keeps_the_steps_before_it(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await _completed(plans)
    lines, after = await plan.child("lines"), await plan.child("after")
    foreseen = await _retry(plan, "lines/b")
    assert _names(foreseen["kept_steps"]) == {"talk", "nest", "lines/a"}
    assert _names(foreseen["redone_steps"]) == {"after", "lines/b", "lines/c"}
    await plan.until("completed")
    assert await plan.runs() == {"lines": 2, "after": 2, "talk": 1, "nest": 1}
    assert await _attempts(plans, lines, 2) == ["b", "c"]
    assert await _attempts(plans, after, 2) == ["a"]


async def test_a_retry_from_a_call_of_a_node_goes_on_before_its_turn(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await _completed(plans)
    talk = await plan.child("talk")
    before = (await plans.http.get(f"/tasks/{talk}/messages")).json()["items"]
    await _retry(plan, "talk/2.1")
    await plan.until("completed")
    assert await plan.runs() == {"lines": 1, "after": 1, "talk": 2, "nest": 1}
    messages = (await plans.http.get(f"/tasks/{talk}/messages")).json()["items"]
    kept = [item for item in before if item["turn"] <= 1]
    assert kept == messages[: len(kept)]
    assert len(messages) == len(before)
    assert messages[len(kept)]["created_at"] != before[len(kept)]["created_at"]


async def test_a_retry_from_a_step_of_a_node_of_a_node_redoes_nothing_else(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await _completed(plans)
    nest = Family(plans, await plan.child("nest"))
    deep = await nest.child("deep")
    foreseen = await _retry(plan, "nest/deep/b")
    assert _names(foreseen["redone_steps"]) == {"nest/deep/b"}
    await plan.until("completed")
    assert await plan.runs() == {"lines": 1, "after": 1, "talk": 1, "nest": 2}
    assert await nest.runs() == {"deep": 2}
    assert await _attempts(plans, deep, 2) == ["b"]


async def test_a_node_that_is_named_with_its_first_step_runs_as_a_whole(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await _completed(plans)
    await _retry(plan, "lines/a")
    await plan.until("completed")
    assert await _attempts(plans, await plan.child("lines"), 2) == ["a", "b", "c"]


async def test_a_place_within_a_node_that_is_not_there_is_refused(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await _completed(plans)
    for begin, message in (
        ("lines/z", "there is no step 'z' (steps: a, b, c)"),
        ("nowhere/a", "there is no node 'nowhere/a'"),
        ("nest/nowhere", "there is no node 'nowhere' (nodes: deep)"),
        ("talk/9.9", "the agent made no call '9.9'"),
    ):
        answer = await plans.http.post(f"/tasks/{plan.id}/retry", json={"from": begin})
        assert answer.status_code == 422, begin
        [problem] = answer.json()["errors"]
        assert problem["pointer"] == "/from"
        assert message in problem["message"]


async def test_a_node_that_never_ran_has_no_place_to_begin_with(
    plans: Stage, planners: ObedientPlanners
) -> None:
    plan = await submit_plan(
        plans,
        makes(a_pipeline("bad", "fail"), a_pipeline("later", "print x", depends_on=["bad"])),
        inputs={},
    )
    await plan.until("blocked")
    answer = await plans.http.post(f"/tasks/{plan.id}/retry", json={"from": "later/a"})
    assert answer.status_code == 422
    assert "node 'later' has not run yet" in answer.json()["errors"][0]["message"]


async def test_a_blocked_plan_is_requeued_from_the_step_that_failed_in_its_node(
    plans: Stage, planners: ObedientPlanners
) -> None:
    bad, good = [await _upload(plans) for _ in range(2)]
    given = {"data": "${inputs.data}"}
    plan = await submit_plan(
        plans,
        makes(a_pipeline("lines", "print 1", f"refuse data {bad}", inputs=given)),
        "finish Done.",
        inputs={"data": bad},
    )
    await plan.until("blocked")
    letters = await plans.http.get("/dead-letters", params={"task_id": plan.id})
    [letter] = letters.json()["items"]
    assert (letter["sub_task"], letter["type"]) == ("lines", "plan")
    body = {"from": "lines/b", "inputs": {"data": good}}
    answer = await plans.http.post(f"/dead-letters/{letter['id']}/requeue", json=body)
    assert answer.status_code == 202, answer.text
    await plan.until("completed")
    assert await _attempts(plans, await plan.child("lines"), 2) == ["b"]


async def _upload(stage: Stage) -> str:
    answer = await stage.http.post("/files", files={"file": ("a.csv", str(uuid4()))})
    return f"file:{answer.json()['id']}"
