"""Tasks over HTTP, from submission to their end."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from deploy.local.services import Services
from tests.integration.api_stage import Stage, api_stage, pipeline


async def test_a_task_is_accepted_runs_and_gives_its_result(stage: Stage) -> None:
    task_id = await stage.submit("print hello", 'print {"rows": 3}\nfile page.html <p>hi</p>')
    task = await stage.until(task_id, "completed")
    assert task["progress"] == {"done": 2, "total": 2, "percent": 100, "current": None}
    assert [step["name"] for step in task["sub_tasks"]] == ["a", "b"]
    assert task["result"]["json"] == {"rows": 3}
    assert [file["name"] for file in task["result"]["files"]] == ["page.html"]
    assert task["artifacts"][0]["sub_task"] == "b"
    assert task["usage"]["attempts"] == 2
    assert task["finished_at"] is not None


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        pytest.param("[" * 100 + "]" * 100, json.loads("[" * 100 + "]" * 100), id="a-hundred"),
        pytest.param("[" * 101 + "]" * 101, None, id="one-more"),
        pytest.param('{"a":' * 900 + "1" + "}" * 900, None, id="deep"),
        pytest.param('{"\\ud83d": ["\\ud83d\\ude00"]}', {"?": ["\U0001f600"]}, id="half"),
    ],
)
async def test_a_task_is_shown_whatever_json_its_last_step_has_printed(
    stage: Stage, printed: str, shown: object
) -> None:
    task = await stage.until(await stage.submit(f"print {printed}"), "completed")
    assert task["result"]["json"] == shown


async def test_submission_answers_with_links_that_work(stage: Stage) -> None:
    answer = await stage.http.post("/tasks", json={"pipeline": pipeline("print x")})
    assert answer.status_code == 202
    body = answer.json()
    assert body["status"] == "pending"
    assert answer.headers["Location"] == body["links"]["self"] == f"/api/v1/tasks/{body['task_id']}"
    await stage.until(body["task_id"], "completed")
    for name, link in body["links"].items():
        assert (await stage.http.get(f"{stage.url}{link}")).is_success, name


async def test_a_running_task_tells_its_step_and_phase(stage: Stage) -> None:
    task_id = await stage.submit("print x", "wait", "print y")
    task = await stage.once(task_id, lambda task: task["progress"]["current"] == "b")
    assert task["status"] == "running"
    assert task["phase"] == "prepare_env"
    assert task["progress"] == {"done": 1, "total": 3, "percent": 33, "current": "b"}
    assert task["result"] is None
    await stage.http.post(f"/tasks/{task_id}/cancel")


async def test_the_workflow_carries_summary_and_priority(stage: Stage) -> None:
    task_id = await stage.submit("wait", priority=10)
    described = await (await stage.workflow(task_id)).describe()
    assert await described.static_summary() == "test"
    assert described.raw_description.workflow_execution_info.priority.priority_key == 1
    assert described.raw_description.execution_config.workflow_execution_timeout.seconds > 86_400
    await stage.http.post(f"/tasks/{task_id}/cancel")


async def test_plain_titles_tell_temporal_the_type_and_id_alone(
    infrastructure: Services, tmp_path: Path
) -> None:
    async with api_stage(infrastructure, tmp_path, works=False, titles="plain") as stage:
        task_id = await stage.submit("print x")
        described = await (await stage.workflow(task_id)).describe()
        assert await described.static_summary() == f"pipeline {task_id[:8]}"
        assert (await stage.task(task_id))["type"] == "pipeline"


# The forms of a body.


async def test_the_pipeline_may_be_yaml_text(stage: Stage) -> None:
    text = "name: from yaml\nsteps:\n- id: a\n  code: {language: shell, source: print 1}\n"
    answer = await stage.http.post("/tasks", json={"type": "pipeline", "pipeline": text})
    task = await stage.until(answer.json()["task_id"], "completed")
    assert task["name"] == "from yaml"


async def test_the_whole_body_may_be_yaml(stage: Stage) -> None:
    body = "pipeline:\n  name: whole\n  steps:\n  - id: a\n    code: {language: shell, source: x}\n"
    answer = await stage.http.post(
        "/tasks", content=body, headers={"Content-Type": "application/yaml; charset=utf-8"}
    )
    assert answer.status_code == 202, answer.text


# Idempotency.


async def test_the_same_key_gives_the_same_task_for_a_pipeline(stage: Stage) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    body = {"pipeline": pipeline("print once")}
    first = await stage.http.post("/tasks", json=body, headers=key)
    await stage.until(first.json()["task_id"], "completed")
    again = await stage.http.post("/tasks", json=body, headers=key)
    assert again.status_code == 202
    assert again.json()["task_id"] == first.json()["task_id"]
    assert again.json()["status"] == "completed"
    assert (await stage.task(first.json()["task_id"]))["usage"]["attempts"] == 1


async def test_a_key_knows_its_request_in_another_notation(stage: Stage) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first = await stage.http.post("/tasks", json={"pipeline": pipeline("print x")}, headers=key)
    text = json.dumps(pipeline("print x"), indent=2)
    again = await stage.http.post("/tasks", json={"priority": 5, "pipeline": text}, headers=key)
    assert again.json()["task_id"] == first.json()["task_id"]


async def test_a_repeat_gives_the_task_even_when_its_tool_is_gone_by_then(stage: Stage) -> None:
    team, key = await stage.team(), {"Idempotency-Key": str(uuid4())}
    step = {"id": "a", "tool": "write_file", "args": {"name": "a.txt", "text": "x"}}
    body = {"pipeline": {"name": "test", "steps": [step]}}
    first = await team.post("/tasks", json=body, headers=key)
    assert first.status_code == 202
    off = await team.patch("/tools/write_file", json={"is_active": False})
    assert off.is_success
    assert (await team.post("/tasks", json=body)).status_code == 422
    again = await team.post("/tasks", json=body, headers=key)
    assert again.json()["task_id"] == first.json()["task_id"]
    other = await team.post("/tasks", json={**body, "priority": 9}, headers=key)
    assert other.json()["code"] == "idempotency-conflict"


async def test_many_at_once_with_one_key_make_one_task(stage: Stage) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    body = {"pipeline": pipeline("print x")}
    answers = await asyncio.gather(
        *(stage.http.post("/tasks", json=body, headers=key) for _ in range(10))
    )
    assert len({answer.json()["task_id"] for answer in answers}) == 1


async def test_a_key_with_another_request_is_a_conflict(stage: Stage) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    await stage.http.post("/tasks", json={"pipeline": pipeline("print x")}, headers=key)
    other = await stage.http.post("/tasks", json={"pipeline": pipeline("print y")}, headers=key)
    assert other.status_code == 409
    assert other.json()["code"] == "idempotency-conflict"


async def test_the_keys_of_two_teams_do_not_meet(stage: Stage) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    team = await stage.team()
    ours = await stage.http.post("/tasks", json={"pipeline": pipeline("print x")}, headers=key)
    theirs = await team.post("/tasks", json={"pipeline": pipeline("print y")}, headers=key)
    assert theirs.status_code == 202
    assert theirs.json()["task_id"] != ours.json()["task_id"]


# Lists.


async def test_a_list_pages_through_everything_once(stage: Stage) -> None:
    team = await stage.team()
    made = [
        (await team.post("/tasks", json={"pipeline": pipeline("print x")})).json()["task_id"]
        for _ in range(5)
    ]
    seen: list[str] = []
    params: dict[str, Any] = {"limit": 2}
    while True:
        page = (await team.get("/tasks", params=params)).json()
        seen += [item["task_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        # What is new belongs to the first page; it must not move the others.
        await team.post("/tasks", json={"pipeline": pipeline("print later")})
        params["cursor"] = page["next_cursor"]
    assert seen == made[::-1]


async def test_a_list_can_be_filtered(stage: Stage) -> None:
    team = await stage.team()
    bodies = [
        {"pipeline": {**pipeline("print x"), "name": "Sales 100%"}},
        {"pipeline": {**pipeline("fail"), "name": "other"}, "prompt": "about SALES"},
        {"pipeline": {**pipeline("fail"), "name": "Sales 1000"}},
    ]
    ids = []
    for body in bodies:
        task_id = (await team.post("/tasks", json=body)).json()["task_id"]
        await stage.ended(team, task_id)
        ids.append(task_id)
    created = [(await team.get(f"/tasks/{task_id}")).json()["created_at"] for task_id in ids]

    async def found(**params: Any) -> set[str]:
        page = (await team.get("/tasks", params=params)).json()
        return {item["task_id"] for item in page["items"]}

    assert await found(status="failed") == {ids[1], ids[2]}
    assert await found(status=["failed", "completed"]) == set(ids)
    assert await found(type="agent") == set()
    assert await found(text="sales") == set(ids)
    assert await found(text="100%") == {ids[0]}
    assert await found(created_after=created[0]) == {ids[1], ids[2]}
    assert await found(created_before=created[1]) == {ids[0]}
    assert await found(created_before="2001-01-01") == set()


async def test_a_list_tells_the_progress_of_each(stage: Stage) -> None:
    team = await stage.team()
    answer = await team.post("/tasks", json={"pipeline": pipeline("print x", "fail")})
    await stage.ended(team, answer.json()["task_id"])
    [item] = (await team.get("/tasks")).json()["items"]
    assert item["progress"] == {"done": 1, "total": 2, "percent": 50, "current": None}
    assert item["error"]["code"] == "script-failed"


# History.


async def test_logs_have_every_attempt_with_its_output(stage: Stage) -> None:
    task_id = await stage.submit("print one\nretry\nprint two", "print three")
    await stage.until(task_id, "completed")
    items = (await stage.http.get(f"/tasks/{task_id}/logs")).json()["items"]
    assert [(i["step"], i["attempt"], i["status"]) for i in items] == [
        ("a", 1, "failed"),
        ("a", 2, "completed"),
        ("b", 1, "completed"),
    ]
    assert [item["stdout"] for item in items] == ["one\n", "one\ntwo\n", "three\n"]
    assert items[0]["error"]["code"] == "script-failed"
    only = (await stage.http.get(f"/tasks/{task_id}/logs", params={"step": "b"})).json()["items"]
    assert [item["id"] for item in only] == [items[2]["id"]]
    by_id = {"step": items[2]["sub_task_id"]}
    assert (await stage.http.get(f"/tasks/{task_id}/logs", params=by_id)).json()["items"] == only


async def test_logs_of_a_step_that_a_task_has_not_name_those_that_it_has(stage: Stage) -> None:
    task_id = await stage.submit("print x", "print y")
    await stage.until(task_id, "completed")
    task = await stage.task(task_id)
    names = [step["name"] for step in task["sub_tasks"]]
    answer = await stage.http.get(f"/tasks/{task_id}/logs", params={"step": "nope"})
    assert (answer.status_code, answer.json()["code"]) == (404, "step-not-found")
    assert f"no step 'nope'. It has: {', '.join(names)}." in answer.json()["detail"]
    for step in (names[0], task["sub_tasks"][1]["id"]):
        answer = await stage.http.get(f"/tasks/{task_id}/logs", params={"step": step})
        assert len(answer.json()["items"]) == 1


async def test_logs_page(stage: Stage) -> None:
    task_id = await stage.submit("print 1", "print 2", "print 3")
    await stage.until(task_id, "completed")
    printed, params = [], {"limit": "2"}
    while True:
        page = (await stage.http.get(f"/tasks/{task_id}/logs", params=params)).json()
        printed += [item["stdout"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert printed == ["1\n", "2\n", "3\n"]


async def test_a_page_of_huge_logs_ends_early(stage: Stage) -> None:
    task_id = await stage.submit("print 1", "print 2", "print 3")
    await stage.until(task_id, "completed")
    await stage.execute(
        "UPDATE execution_logs SET stdout = repeat('x', 5000000) WHERE task_id = :id",
        id=UUID(task_id),
    )
    page = (await stage.http.get(f"/tasks/{task_id}/logs")).json()
    assert len(page["items"]) == 1
    assert page["next_cursor"] is not None


async def test_the_trace_is_a_tree_of_spans(stage: Stage) -> None:
    task_id = await stage.submit("retry\nprint x")
    await stage.until(task_id, "completed")
    root = (await stage.http.get(f"/tasks/{task_id}/trace")).json()
    [step] = root["children"]
    assert (root["kind"], step["kind"], step["name"]) == ("task", "code", "a")
    assert [child["status"] for child in step["children"]] == ["failed", "completed"]
    assert root["start"] <= step["start"] == step["children"][0]["start"]
    assert root["duration_ms"] >= step["duration_ms"] >= 1_000


async def test_a_pipeline_has_no_messages(stage: Stage) -> None:
    task_id = await stage.submit("print x")
    answer = await stage.http.get(f"/tasks/{task_id}/messages")
    assert answer.json() == {"items": [], "next_cursor": None}


async def test_artifacts_page(stage: Stage) -> None:
    task_id = await stage.submit("file a.html 1\nfile b.html 2\nfile c.html 3")
    await stage.until(task_id, "completed")
    names, params = [], {"limit": "2"}
    while True:
        page = (await stage.http.get(f"/tasks/{task_id}/artifacts", params=params)).json()
        names += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert sorted(names) == ["a.html", "b.html", "c.html"]


@pytest.mark.parametrize("printed", ["NaN", "[1", '{"a": 1} tail', "x" * 70_000])
async def test_output_that_is_no_json_gives_no_json_result(stage: Stage, printed: str) -> None:
    task_id = await stage.submit(f"print {printed}")
    assert (await stage.until(task_id, "completed"))["result"]["json"] is None


async def test_temporal_ends_with_the_code_of_what_the_row_says(stage: Stage) -> None:
    task_id = await stage.submit("fail")
    task = await stage.until(task_id, "failed")
    assert task["error"]["step"] == "a"
    with pytest.raises(WorkflowFailureError) as failure:
        await stage.temporal.get_workflow_handle(f"task-{task_id}").result()
    assert task["error"]["message"] == "It failed as told."
    cause = failure.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == task["error"]["code"] == "script-failed"
    assert f"agentos show {task_id}" in cause.message
