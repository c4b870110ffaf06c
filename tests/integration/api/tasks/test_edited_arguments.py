"""Calls that a person approves with other arguments than those that the model gave."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.integration.agent_stage import ObedientAgents, approval, submit
from tests.integration.api_stage import Stage
from tests.integration.plan_rows import a_node, a_plan
from tests.integration.resident_rows import read
from workflows.states import Status


async def _asked(stage: Stage, order: str) -> tuple[str, dict[str, Any]]:
    task_id = await submit(stage, order, "finish x")
    await stage.until(task_id, "waiting")
    [item] = (await stage.http.get(f"/tasks/{task_id}/approvals")).json()["items"]
    return task_id, item


async def _decide(stage: Stage, task_id: object, call: str, **word: Any) -> httpx.Response:
    body = {"decision": "approve", **word}
    return await stage.http.post(f"/tasks/{task_id}/approvals/{call}", json=body)


async def _entry(stage: Stage, task_id: str) -> dict[str, Any]:
    params = {"target": task_id, "action": "call"}
    [entry] = (await stage.http.get("/audit", params=params)).json()["items"]
    return dict(entry)


async def test_a_call_is_approved_with_the_arguments_that_a_person_gave(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id, item = await _asked(agents_stage, "ask a")
    edited = {"order": "ask", "amount": 3, "to": ["é", None]}
    for _ in range(2):
        answer = await _decide(agents_stage, task_id, item["name"], arguments=edited)
        assert (answer.status_code, answer.json()["arguments"]) == (202, edited)
    await agents_stage.until(task_id, "completed")
    [row] = await read(
        agents_stage.database,
        "SELECT input_context FROM sub_tasks WHERE id = :id",
        id=UUID(item["call_id"]),
    )
    assert row.input_context["arguments"] == edited
    assert row.input_context["is_edited"] is True
    assert row.input_context["tool"] == "a"
    assert (await _entry(agents_stage, task_id))["details"]["edited"] is True
    other = await _decide(agents_stage, task_id, item["name"], arguments={"order": "ask"})
    assert other.status_code == 409
    assert "other arguments" in other.json()["detail"]


async def test_arguments_that_are_as_they_were_are_not_edited(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id, item = await _asked(agents_stage, "ask a")
    answer = await _decide(agents_stage, task_id, item["name"], arguments=item["arguments"])
    assert answer.status_code == 202
    assert "edited" not in (await _entry(agents_stage, task_id))["details"]


@pytest.mark.parametrize(
    ("order", "word", "pointer"),
    [
        ("ask write_file", {"arguments": {"name": 3}}, "/arguments/name"),
        ("ask write_file", {"arguments": {"name": "a", "text": "b", "x": 1}}, "/arguments/x"),
        ("ask a", {"decision": "deny", "arguments": {}}, "/arguments"),
        ("ask a", {"arguments": {"x": "\0"}}, "/arguments/x"),
        ("ask a", {"arguments": [1]}, "/arguments"),
        ("ask a", {"arguments": {}, "nodes": []}, "/nodes"),
        ("question a", {"note": "yes", "arguments": {"order": "x"}}, "/arguments"),
    ],
)
async def test_arguments_that_cannot_be_are_refused_with_their_place(
    agents_stage: Stage,
    working: ObedientAgents,
    order: str,
    word: dict[str, Any],
    pointer: str,
) -> None:
    task_id, item = await _asked(agents_stage, order)
    answer = await _decide(agents_stage, task_id, item["name"], **word)
    assert answer.status_code == 422
    assert pointer in [problem["pointer"] for problem in answer.json()["errors"]]
    [same] = (await agents_stage.http.get(f"/tasks/{task_id}/approvals")).json()["items"]
    assert same == item


async def test_a_plan_is_edited_by_its_nodes_alone(agents_stage: Stage) -> None:
    plan = await a_plan(agents_stage.database)
    await plan.call((a_node("clean"),), Status.WAITING, approval=approval("approval"))
    answer = await _decide(agents_stage, plan.id, "1.1", arguments={"nodes": []})
    assert answer.status_code == 422
    assert "`nodes`" in answer.json()["errors"][0]["message"]
