"""Cancelling, pausing, resuming and retrying over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local.services import Services
from tests.integration.api_stage import Stage, api_stage, pipeline, working


async def _running(stage: Stage, task_id: str, step: str) -> None:
    await stage.once(task_id, lambda task: task["progress"]["current"] == step)


@pytest.fixture
async def own(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API of this test's own, whose waiting steps it can release."""
    async with api_stage(infrastructure, skills_folder) as stage:
        yield stage


async def test_cancelling_stops_a_running_task(stage: Stage) -> None:
    task_id = await stage.submit("wait", "print x")
    await _running(stage, task_id, "a")
    assert (await stage.http.post(f"/tasks/{task_id}/cancel")).status_code == 202
    task = await stage.until(task_id, "cancelled")
    assert [step["status"] for step in task["sub_tasks"]] == ["cancelled", "cancelled"]


async def test_cancelling_twice_is_cancelling_once(stage: Stage) -> None:
    task_id = await stage.submit("wait")
    await stage.http.post(f"/tasks/{task_id}/cancel")
    await stage.until(task_id, "cancelled")
    again = await stage.http.post(f"/tasks/{task_id}/cancel")
    assert (again.status_code, again.json()["status"]) == (202, "cancelled")


@pytest.mark.parametrize("action", ["cancel", "pause", "resume"])
async def test_a_task_that_has_ended_cannot_be_changed(stage: Stage, action: str) -> None:
    task_id = await stage.submit("print x")
    await stage.until(task_id, "completed")
    answer = await stage.http.post(f"/tasks/{task_id}/{action}")
    assert answer.status_code == 409
    assert answer.json()["code"] == "state-conflict"
    assert "already ended (completed)" in answer.json()["detail"]


async def test_a_paused_task_waits_before_its_next_step(own: Stage) -> None:
    task_id = await own.submit("wait", "print x")
    await _running(own, task_id, "a")
    assert (await own.http.post(f"/tasks/{task_id}/pause")).status_code == 202
    own.steps.released.set()
    task = await own.until(task_id, "paused")
    assert [step["status"] for step in task["sub_tasks"]] == ["completed", "pending"]
    assert (await own.http.post(f"/tasks/{task_id}/pause")).status_code == 202
    assert (await own.http.post(f"/tasks/{task_id}/resume")).status_code == 202
    await own.until(task_id, "completed")


async def test_a_pause_can_be_withdrawn_before_it_comes(own: Stage) -> None:
    task_id = await own.submit("wait", "print x")
    await _running(own, task_id, "a")
    await own.http.post(f"/tasks/{task_id}/pause")
    assert (await own.http.post(f"/tasks/{task_id}/resume")).status_code == 202
    own.steps.released.set()
    await own.until(task_id, "completed")


async def test_a_task_that_is_not_paused_cannot_be_resumed(stage: Stage) -> None:
    task_id = await stage.submit("wait")
    await _running(stage, task_id, "a")
    answer = await stage.http.post(f"/tasks/{task_id}/resume")
    assert answer.status_code == 409
    assert "not paused" in answer.json()["detail"]
    await stage.http.post(f"/tasks/{task_id}/cancel")


async def test_a_paused_task_can_be_cancelled(own: Stage) -> None:
    task_id = await own.submit("wait", "print x")
    await _running(own, task_id, "a")
    await own.http.post(f"/tasks/{task_id}/pause")
    own.steps.released.set()
    await own.until(task_id, "paused")
    await own.http.post(f"/tasks/{task_id}/cancel")
    await own.until(task_id, "cancelled")


# Retry.


async def test_a_retry_begins_with_the_first_step_that_is_not_completed(own: Stage) -> None:
    task_id = await own.submit("print x", "fail", "print y")
    await own.until(task_id, "failed")
    await own.execute(
        "UPDATE sub_tasks SET input_context = jsonb_set(input_context, '{code,source}', '\"ok\"') "
        "WHERE name = 'b'"
    )
    assert (await own.http.post(f"/tasks/{task_id}/retry")).status_code == 202
    task = await own.until(task_id, "completed")
    assert task["run"] == 2
    items = (await own.http.get(f"/tasks/{task_id}/logs")).json()["items"]
    assert [(item["step"], item["run"]) for item in items] == [
        ("a", 1),
        ("b", 1),
        ("b", 2),
        ("c", 2),
    ]


async def test_a_completed_task_can_be_run_again_from_a_step(stage: Stage) -> None:
    task_id = await stage.submit("print x", "print y")
    for run in (2, 3, 4):
        await stage.until(task_id, "completed")
        answer = await stage.http.post(f"/tasks/{task_id}/retry", json={"from": "b"})
        assert answer.status_code == 202, answer.text
        task = await stage.until(task_id, "completed")
        assert task["run"] == run
    assert task["usage"]["attempts"] == 5


async def test_a_retry_may_name_the_step_by_its_id(stage: Stage) -> None:
    task_id = await stage.submit("print x", "print y")
    task = await stage.until(task_id, "completed")
    begin = {"from": task["sub_tasks"][1]["id"]}
    assert (await stage.http.post(f"/tasks/{task_id}/retry", json=begin)).status_code == 202
    await stage.until(task_id, "completed")


async def test_a_cancelled_task_can_be_retried(own: Stage) -> None:
    task_id = await own.submit("wait", "print x")
    await _running(own, task_id, "a")
    await own.http.post(f"/tasks/{task_id}/cancel")
    await own.until(task_id, "cancelled")
    own.steps.released.set()
    assert (await own.http.post(f"/tasks/{task_id}/retry")).status_code == 202
    await own.until(task_id, "completed")


async def test_a_retry_can_replace_an_input(stage: Stage) -> None:
    async def upload(text: str) -> str:
        answer = await stage.http.post("/files", files={"file": ("a.txt", text)})
        return f"file:{answer.json()['id']}"

    first, second = await upload("1"), await upload("2")
    definition = pipeline("cat INPUT_DATA")
    definition["inputs"] = ["data"]
    answer = await stage.http.post(
        "/tasks", json={"pipeline": definition, "inputs": {"data": first}}
    )
    task_id = answer.json()["task_id"]
    await stage.until(task_id, "completed")
    wanted = {"from": "a", "inputs": {"data": second}}
    assert (await stage.http.post(f"/tasks/{task_id}/retry", json=wanted)).status_code == 202
    assert (await stage.until(task_id, "completed"))["inputs"] == {"data": second}
    for inputs, pointer in (
        ({"data": f"file:{uuid4()}"}, "/inputs/data"),
        ({"data": "file:nonsense"}, "/inputs/data"),
        ({"more": second}, "/inputs/more"),
    ):
        body = {"from": "a", "inputs": inputs}
        refused = await stage.http.post(f"/tasks/{task_id}/retry", json=body)
        assert refused.status_code == 422, refused.text
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("begin", "message"),
    [
        ("nowhere", "there is no step 'nowhere' (steps: a, b, c)"),
        ("aa", "there is no step 'aa' (steps: a, b, c); did you mean 'a'?"),
        ("c", "step 'b', which comes before 'c', is not completed (failed)"),
    ],
)
async def test_a_retry_from_a_wrong_step_is_refused(stage: Stage, begin: str, message: str) -> None:
    task_id = await stage.submit("print x", "fail", "print y")
    await stage.until(task_id, "failed")
    answer = await stage.http.post(f"/tasks/{task_id}/retry", json={"from": begin})
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["pointer"] == "/from"
    assert message in error["message"]


async def test_a_completed_task_is_not_retried_without_a_step(stage: Stage) -> None:
    task_id = await stage.submit("print x")
    await stage.until(task_id, "completed")
    answer = await stage.http.post(f"/tasks/{task_id}/retry", json={})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/from"


async def test_a_living_task_cannot_be_retried(stage: Stage) -> None:
    task_id = await stage.submit("wait")
    answer = await stage.http.post(f"/tasks/{task_id}/retry")
    assert answer.status_code == 409
    assert "cancel it first" in answer.json()["detail"]
    await stage.http.post(f"/tasks/{task_id}/cancel")


async def test_one_of_many_concurrent_retries_counts(stage: Stage) -> None:
    task_id = await stage.submit("fail")
    await stage.until(task_id, "failed")
    answers = await asyncio.gather(*(stage.http.post(f"/tasks/{task_id}/retry") for _ in range(5)))
    assert min(answer.status_code for answer in answers) == 202
    task = await stage.until(task_id, "failed")
    accepted = sum(answer.status_code == 202 for answer in answers)
    assert task["run"] == 1 + accepted
    assert task["usage"]["attempts"] == 1 + accepted


# Without a worker, and before the start.


async def test_a_pending_task_without_a_workflow_is_cancelled_at_once(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(infrastructure, skills_folder, works=False) as stage:
        task_id = await stage.submit("print x")
        await (await stage.workflow(task_id)).terminate()
        answer = await stage.http.post(f"/tasks/{task_id}/cancel")
        assert answer.json()["status"] == "cancelled"
        task = await stage.task(task_id)
        assert [step["status"] for step in task["sub_tasks"]] == ["cancelled"]


async def test_a_task_can_be_paused_before_a_worker_takes_it(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(infrastructure, skills_folder, works=False) as stage:
        task_id = await stage.submit("print x")
        assert (await stage.http.post(f"/tasks/{task_id}/pause")).status_code == 202
        async with working(stage):
            await stage.until(task_id, "paused")
            await stage.http.post(f"/tasks/{task_id}/resume")
            await stage.until(task_id, "completed")
