"""Agents' tasks over HTTP: what is taken, how they are told to stop, what they answer."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from activities.kinds.agent_validation import problems_with_agent
from activities.llm.base import ModelOptions, Price
from activities.store import tasks
from activities.store.keys import DEFAULT_TEAM
from api.tasks.sweeper import Sweeper
from tests.integration.agent_stage import (
    MODELS,
    ObedientAgents,
    submit,
    workflow_ended,
    working_agents,
)
from tests.integration.api_stage import WAIT_SECONDS, Stage, pipeline
from tests.integration.new_tasks import new_task
from tests.integration.restarts import restart
from tests.temporal_runs import reset_to_turn
from workflows.definitions.agent import Agent
from workflows.states import TaskType

# What is refused.

_BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "no prompt": ({"prompt": None}, "/prompt", "needs a prompt"),
    "a prompt of spaces": ({"prompt": " \n"}, "/prompt", "needs a prompt"),
    "a pipeline": ({"pipeline": pipeline("x")}, "/pipeline", "no pipeline"),
    "an unknown field": ({"agent": {"colour": 1}}, "/agent/colour", "unknown field"),
    "a model with a line break": ({"agent": {"model": "a\nb"}}, "/agent/model", "one line"),
    "an unknown skill": ({"agent": {"skills": ["greet", "gret"]}}, "/agent/skills/1", "greet"),
    "an unknown tool": ({"agent": {"tools": ["write_fil"]}}, "/agent/tools/0", "write_file"),
    "an unknown family of tools": ({"agent": {"tools": ["mcp.x.*"]}}, "/agent/tools/0", "mcp.x"),
    "no turns": ({"agent": {"limits": {"turns": 0}}}, "/agent/limits/turns", "at least 1"),
    "turns as text": ({"agent": {"limits": {"turns": "3"}}}, "/agent/limits/turns", "whole number"),
    "turns that are true": (
        {"agent": {"limits": {"turns": True}}},
        "/agent/limits/turns",
        "whole number",
    ),
    "tokens beyond counting": (
        {"agent": {"limits": {"tokens": 10**16}}},
        "/agent/limits/tokens",
        "at most",
    ),
    "too many seconds": (
        {"agent": {"limits": {"seconds": 1e9}}},
        "/agent/limits/seconds",
        "at most",
    ),
    "a cost without a price": (
        {"agent": {"limits": {"cost_usd": 1}}},
        "/agent/limits/cost_usd",
        "no price is known of obedient",
    ),
    "a schema of no type": (
        {"agent": {"output_schema": {"properties": {"a": {"type": "nope"}}}}},
        "/agent/output_schema/properties/a/type",
        'it must be "array"',
    ),
    "a schema elsewhere": (
        {"agent": {"output_schema": {"$ref": "https://example.com/s.json"}}},
        "/agent/output_schema/$ref",
        "within the schema",
    ),
    "a schema that leads nowhere": (
        {"agent": {"output_schema": {"$ref": "#/$defs/x"}}},
        "/agent/output_schema/$ref",
        "nowhere",
    ),
    "a schema too deep": (
        {"agent": {"output_schema": json.loads('{"items":' * 90 + "{}" + "}" * 90)}},
        "/agent/output_schema",
        "deep",
    ),
    "a schema too large": (
        {"agent": {"output_schema": {"description": "x" * 70_000}}},
        "/agent/output_schema",
        "16384",
    ),
    "an input that is not there": (
        {"inputs": {"data": f"file:{uuid4()}"}},
        "/inputs/data",
        "there is no file",
    ),
    "two inputs of one variable": (
        {"inputs": {"a-b": "s3://shared/x", "a_b": "s3://shared/y"}},
        "/inputs/a_b",
        "INPUT_A_B",
    ),
    "too many inputs": (
        {"inputs": {f"i{number}": "s3://shared/x" for number in range(65)}},
        "/inputs",
        "65",
    ),
}


@pytest.mark.parametrize("case", _BAD)
async def test_a_bad_agent_is_refused_with_a_pointer(agents_stage: Stage, case: str) -> None:
    changes, pointer, message = _BAD[case]
    body = {"type": "agent", "prompt": "finish", **changes}
    answer = await agents_stage.http.post("/tasks", json=body)
    assert answer.status_code == 422, answer.text
    found = {error["pointer"]: error["message"] for error in answer.json()["errors"]}
    assert message in found.get(pointer, ""), found


async def test_all_problems_of_an_agents_request_are_reported_at_once(agents_stage: Stage) -> None:
    agent = {"skills": ["no"], "tools": ["no"], "output_schema": {"type": 3}}
    body = {"type": "agent", "prompt": "x", "agent": agent, "inputs": {"a": "file:x"}}
    answer = await agents_stage.http.post("/tasks", json=body)
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/agent/skills/0",
        "/agent/tools/0",
        "/agent/output_schema/type",
        "/inputs/a",
    }


async def test_a_cost_is_limited_where_every_model_has_a_price(agents_stage: Stage) -> None:
    agent = Agent.model_validate({"limits": {"cost_usd": 1}})
    priced = replace(MODELS, prices={"obedient": Price(1.0, 2.0)})
    for options, is_fine in ((priced, True), (ModelOptions(), False), (MODELS, False)):
        services = replace(agents_stage.services, models=options)
        problems = await problems_with_agent(services.installed, DEFAULT_TEAM, agent, {})
        assert (problems == []) is is_fine


# Running, stopping.


async def test_an_agents_task_gives_its_result(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "call a; call b", "finish Three rows.", skills=["greet"])
    task = await agents_stage.until(task_id, "completed")
    assert task["name"] == "call a; call b finish Three rows."
    assert task["type"] == "agent"
    assert task["result"] == {"summary": "Three rows.", "result": {"rows": 3}, "files": []}
    assert task["progress"] == {"done": 2, "total": 50, "percent": 100, "current": None}
    assert [step["name"] for step in task["sub_tasks"]] == ["1.1 a", "1.2 b"]
    assert task["definition"] == {"skills": ["greet"]}
    usage = task["usage"]
    assert (usage["tokens_used"], usage["cost_usd"], usage["turns"]) == (30, 1.0, 2)
    assert usage["attempts"] == 2
    assert usage["duration_ms"] == 2 * 20 + 2 * 5


async def test_a_list_shows_how_far_agents_are(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "call a", "wait b", "finish x", limits={"turns": 8})
    await agents_stage.once(task_id, lambda task: task["progress"]["current"] == "2.1 b")
    listed = (await agents_stage.http.get("/tasks", params={"type": "agent"})).json()["items"]
    [found] = [item for item in listed if item["task_id"] == task_id]
    assert found["progress"] == {"done": 2, "total": 8, "percent": 25, "current": "2.1 b"}
    working.released.set()
    await agents_stage.until(task_id, "completed")


async def test_a_task_accepted_without_a_worker_runs_later(agents_stage: Stage) -> None:
    task_id = await submit(agents_stage, "finish x")
    async with working_agents(agents_stage):
        await agents_stage.until(task_id, "completed")


async def test_a_row_without_a_workflow_is_started(agents_stage: Stage) -> None:
    agent = Agent.model_validate({"limits": {"turns": 3}})
    task = new_task(TaskType.AGENT, agent, prompt="finish x")
    await tasks.create_task(agents_stage.database, task)
    await agents_stage.age(str(task.id))
    await Sweeper(agents_stage.services).sweep()
    async with working_agents(agents_stage):
        await agents_stage.until(str(task.id), "completed")


async def test_the_same_key_gives_the_same_task_for_an_agent(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    body = {"type": "agent", "prompt": "finish x"}
    headers = {"Idempotency-Key": str(uuid4())}
    first, second = [
        (await agents_stage.http.post("/tasks", json=body, headers=headers)).json()["task_id"]
        for _ in range(2)
    ]
    assert first == second
    other = {**body, "agent": {"model": "other"}}
    assert (await agents_stage.http.post("/tasks", json=other, headers=headers)).status_code == 409


async def test_a_cancelled_agent_leaves_no_call_open(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "call a; wait b; ask c")
    await agents_stage.once(task_id, lambda task: task["progress"]["current"] == "1.2 b")
    assert (await agents_stage.http.post(f"/tasks/{task_id}/cancel")).status_code == 202
    task = await agents_stage.until(task_id, "cancelled")
    states = {step["name"]: step["status"] for step in task["sub_tasks"]}
    assert states == {"1.1 a": "completed", "1.2 b": "cancelled", "1.3 c": "cancelled"}


async def test_a_paused_agent_goes_on_when_it_is_resumed(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "wait a", "finish x")
    await agents_stage.once(task_id, lambda task: task["progress"]["current"] == "1.1 a")
    assert (await agents_stage.http.post(f"/tasks/{task_id}/pause")).status_code == 202
    working.released.set()
    task = await agents_stage.until(task_id, "paused")
    assert task["progress"]["done"] == 1
    assert (await agents_stage.http.post(f"/tasks/{task_id}/resume")).status_code == 202
    await agents_stage.until(task_id, "completed")


async def test_an_agent_terminated_in_temporal_shows_as_cancelled(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "wait a; ask b")
    await agents_stage.once(task_id, lambda task: task["progress"]["current"] == "1.1 a")
    await agents_stage.temporal.get_workflow_handle(f"task-{task_id}").terminate(reason="no")
    sweeper = Sweeper(agents_stage.services)
    async with asyncio.timeout(WAIT_SECONDS):
        while (task := await agents_stage.task(task_id))["status"] != "cancelled":
            await sweeper.sweep()
    assert {step["status"] for step in task["sub_tasks"]} == {"cancelled"}
    assert task["error"]["code"] == "terminated"


async def test_a_run_that_reached_its_limit_fails_and_closes_nothing_that_ended(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "call a", "call b", limits={"turns": 1})
    task = await agents_stage.until(task_id, "failed")
    assert task["error"]["code"] == "turns-used-up"
    assert [step["status"] for step in task["sub_tasks"]] == ["completed"]


# Again.


async def test_a_retry_goes_on_after_the_last_whole_turn_with_fresh_limits(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "call a", "call b", "finish x", limits={"turns": 2})
    await agents_stage.until(task_id, "failed")
    assert (await _retry(agents_stage, task_id)) == 202
    task = await agents_stage.until(task_id, "completed")
    assert task["run"] == 2
    assert [step["name"] for step in task["sub_tasks"]] == ["1.1 a", "2.1 b"]
    assert task["progress"]["done"] == 1
    assert task["usage"]["attempts"] == 2


async def test_a_retry_does_a_turn_again_that_lacks_a_result(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "call a", "call b; wait c", "finish x")
    await agents_stage.once(task_id, lambda task: task["progress"]["current"] == "2.2 c")
    await agents_stage.http.post(f"/tasks/{task_id}/cancel")
    await agents_stage.until(task_id, "cancelled")
    working.released.set()
    assert (await _retry(agents_stage, task_id)) == 202
    task = await agents_stage.until(task_id, "completed")
    assert {step["status"] for step in task["sub_tasks"]} == {"completed"}
    log = (await agents_stage.http.get(f"/tasks/{task_id}/logs")).json()["items"]
    assert sorted((item["step"], item["run"]) for item in log) == [
        ("1.1 a", 1),
        ("2.1 b", 2),
        ("2.2 c", 2),
    ]


@pytest.mark.parametrize("by", ["name", "id", "number"])
async def test_a_retry_from_a_call_goes_on_before_its_turn(
    agents_stage: Stage, working: ObedientAgents, by: str
) -> None:
    task_id = await submit(agents_stage, "call a", "call b", "call c; call d", "finish x")
    task = await agents_stage.until(task_id, "completed")
    await workflow_ended(agents_stage, task_id)
    [call] = [step for step in task["sub_tasks"] if step["name"] == "3.2 d"]
    begin = "3.2" if by == "number" else call[by]
    assert (await _retry(agents_stage, task_id, begin)) == 202
    await agents_stage.until(task_id, "completed")
    log = (await agents_stage.http.get(f"/tasks/{task_id}/logs")).json()["items"]
    runs = {item["step"]: item["run"] for item in log}
    assert runs == {"1.1 a": 1, "2.1 b": 1, "3.1 c": 2, "3.2 d": 2}


@pytest.mark.parametrize("begin", ["start", "1.1 a"])
async def test_a_retry_may_begin_anew(
    agents_stage: Stage, working: ObedientAgents, begin: str
) -> None:
    task_id = await submit(agents_stage, "call a", "finish x")
    await agents_stage.until(task_id, "completed")
    assert (await _retry(agents_stage, task_id, begin)) == 202
    await agents_stage.once(task_id, lambda task: task["run"] == 2)
    task = await agents_stage.until(task_id, "completed")
    assert task["usage"]["turns"] == 2
    log = (await agents_stage.http.get(f"/tasks/{task_id}/logs")).json()["items"]
    assert [item["run"] for item in log] == [2]


@pytest.mark.parametrize(
    ("body", "pointer", "message"),
    [
        ({"parameters": {"kind": "x"}}, "/parameters/kind", "no such parameter"),
        (
            {"pipeline": {"name": "p", "steps": [{"id": "a", "skill": "s"}]}},
            "/pipeline",
            "type agent",
        ),
    ],
    ids=["parameters", "pipeline"],
)
async def test_an_agent_is_retried_with_nothing_that_only_a_pipeline_has(
    agents_stage: Stage,
    working: ObedientAgents,
    body: Mapping[str, object],
    pointer: str,
    message: str,
) -> None:
    task_id = await submit(agents_stage, "finish x")
    await agents_stage.until(task_id, "completed")
    answer = await agents_stage.http.post(f"/tasks/{task_id}/retry", json=body)
    assert answer.status_code == 422
    [problem] = answer.json()["errors"]
    assert problem["pointer"] == pointer
    assert message in problem["message"]


async def test_a_finished_agent_is_retried_only_from_a_place(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "finish x")
    await agents_stage.until(task_id, "completed")
    answer = await agents_stage.http.post(f"/tasks/{task_id}/retry")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/from"


async def test_a_retry_from_an_unknown_call_is_refused(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "finish x")
    await agents_stage.until(task_id, "completed")
    for begin in ("9.1 x", "9.1", "1", ""):
        assert (await _retry(agents_stage, task_id, begin)) == 422
    assert (await _retry(agents_stage, task_id, str(uuid4()))) == 422


async def test_a_retry_with_an_input_that_the_agent_does_not_have_is_refused(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "finish x")
    await agents_stage.until(task_id, "completed")
    body = {"from": "start", "inputs": {"zz": f"file:{uuid4()}"}}
    answer = await agents_stage.http.post(f"/tasks/{task_id}/retry", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"pointer": "/inputs/zz", "message": "the task has no such input (inputs: none)"}
    ]


async def test_a_retry_that_the_sweeper_starts_begins_at_the_same_place(
    agents_stage: Stage,
) -> None:
    async with working_agents(agents_stage):
        task_id = await submit(agents_stage, "call a", "call b", "finish x", limits={"turns": 2})
        await agents_stage.until(task_id, "failed")
        await workflow_ended(agents_stage, task_id)
    last = (await agents_stage.http.get(f"/tasks/{task_id}/messages")).json()["items"][-1]["seq"]
    assert await restart(agents_stage.database, UUID(task_id), 1, first_step=last, inputs={})
    await agents_stage.age(task_id)
    await Sweeper(agents_stage.services).sweep()
    async with working_agents(agents_stage):
        task = await agents_stage.until(task_id, "completed")
    assert task["usage"]["attempts"] == 2


async def test_a_run_that_was_reset_in_temporal_is_not_closed(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "call a", "wait b", "finish x")
    working.released.set()
    await agents_stage.until(task_id, "completed")
    await workflow_ended(agents_stage, task_id)
    working.released.clear()
    await reset_to_turn(agents_stage.temporal, f"task-{task_id}", 2)
    await agents_stage.once(task_id, lambda task: task["progress"]["current"] == "2.1 b")
    await agents_stage.age(task_id)
    for _ in range(2):
        await Sweeper(agents_stage.services).sweep()
    assert (await agents_stage.task(task_id))["status"] == "running"
    working.released.set()
    await agents_stage.until(task_id, "completed")


async def _retry(stage: Stage, task_id: str, begin: str | None = None) -> int:
    body = {} if begin is None else {"from": begin}
    return (await stage.http.post(f"/tasks/{task_id}/retry", json=body)).status_code
