"""Steps that wait for some others only, and steps with items, over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from activities.store.reading.results import results_of
from deploy.local.services import Services
from tests.integration.api_stage import Stage, api_stage


@pytest.fixture
async def own(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API of this test's own, whose waiting steps it can release."""
    async with api_stage(infrastructure, skills_folder) as stage:
        yield stage


def step(name: str, source: str, **more: object) -> dict[str, Any]:
    return {"id": name, "code": {"language": "shell", "source": source}, **more}


async def submit(stage: Stage, *steps: Mapping[str, object], **more: object) -> str:
    pipeline = {"name": "graph", "steps": list(steps), **more}
    answer = await stage.http.post("/tasks", json={"type": "pipeline", "pipeline": pipeline})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


async def attempts(stage: Stage, task_id: str, run: int) -> Sequence[str]:
    """The names of what was run."""
    async with stage.database.reading() as connection:
        rows = await connection.execute(
            text(
                "SELECT name FROM execution_logs AS log JOIN sub_tasks AS step"
                " ON step.id = log.sub_task_id WHERE log.task_id = :id AND run = :run"
            ),
            {"id": UUID(task_id), "run": run},
        )
        return sorted(row.name for row in rows)


async def kept_items(stage: Stage, task_id: str) -> Sequence[int]:
    """What events tell, run for run, of a step with items."""
    async with stage.database.reading() as connection:
        rows = await connection.execute(
            text(
                "SELECT data ->> 'kept' AS kept FROM events WHERE task_id = :id"
                " AND type = 'step.started' AND data ? 'items' ORDER BY seq"
            ),
            {"id": UUID(task_id)},
        )
        return [int(row.kept) for row in rows]


def statuses(task: Mapping[str, Any]) -> dict[str, str]:
    return {step["name"]: step["status"] for step in task["sub_tasks"]}


def running(task: Mapping[str, Any]) -> set[str]:
    return {name for name, status in statuses(task).items() if status == "running"}


async def foreseen(stage: Stage, task_id: str, **body: object) -> tuple[set[str], set[str]]:
    """The steps that a retry would keep, and those that it would redo."""
    answer = await stage.http.post(f"/tasks/{task_id}/retry", json={**body, "dry_run": True})
    assert answer.status_code == 200, answer.text
    kept, redone = (answer.json()[key] for key in ("kept_steps", "redone_steps"))
    return {each["step"] for each in kept}, {each["step"] for each in redone}


async def retry(stage: Stage, task_id: str, **body: object) -> dict[str, Any]:
    answer = await stage.http.post(f"/tasks/{task_id}/retry", json=body)
    assert answer.status_code == 202, answer.text
    return await stage.until(task_id, "completed", "failed")


async def test_steps_that_need_nothing_of_each_other_run_side_by_side(own: Stage) -> None:
    task_id = await submit(
        own,
        step("a", "wait"),
        step("b", "wait", needs=[]),
        step("c", "wait", needs=[]),
        step("end", "print x", needs=["a", "b", "c"]),
        parallel=2,
    )
    task = await own.once(task_id, lambda task: len(running(task)) == 2)
    assert statuses(task) == {"a": "running", "b": "running", "c": "pending", "end": "pending"}
    assert task["sub_tasks"][3]["dependencies"] == ["a", "b", "c"]
    own.steps.released.set()
    await own.until(task_id, "completed")


async def test_when_an_item_fails_no_other_begins_and_a_retry_runs_what_is_not_completed(
    stage: Stage,
) -> None:
    task_id = await submit(
        stage,
        step("first", "print x"),
        step("each", "print y\nitem 1 fail", foreach=["a", "b", "c", "d"], parallel=1),
        step("beside", "print z", needs=["first"]),
        step("end", "print x", needs=["each"]),
    )
    task = await stage.until(task_id, "failed")
    assert statuses(task) == {
        "first": "completed",
        "each": "failed",
        "each[0]": "completed",
        "each[1]": "failed",
        "each[2]": "pending",
        "each[3]": "pending",
        "beside": "completed",
        "end": "pending",
    }
    assert task["error"]["step"] == "each[1]"
    assert "others" not in task["error"]
    assert await foreseen(stage, task_id) == (
        {"first", "beside", "each[0]"},
        {"each[1]", "each[2]", "each[3]", "end"},
    )
    await retry(stage, task_id)
    assert await attempts(stage, task_id, 2) == ["each[1]"]


async def test_a_failed_task_says_how_many_more_have_failed(own: Stage) -> None:
    task_id = await submit(
        own, step("each", "wait\nfail", foreach=[1, 2, 3], parallel=3), step("end", "print x")
    )
    await own.once(task_id, lambda task: len(running(task)) == 4)
    own.steps.released.set()
    task = await own.until(task_id, "failed")
    assert task["error"]["others"] == 2
    [step_] = [each for each in task["sub_tasks"] if each["name"] == "each"]
    assert step_["items"] == {"total": 3, "completed": 0, "failed": 3, "running": 0}


async def test_a_retry_from_a_step_redoes_it_and_what_needs_it_and_nothing_beside_it(
    stage: Stage,
) -> None:
    task_id = await submit(
        stage,
        step("a", "print x"),
        step("b", "print x", needs=["a"], foreach=[1, 2]),
        step("c", "print x", needs=["a"]),
        step("d", "print x", needs=["b"]),
    )
    await stage.until(task_id, "completed")
    assert await foreseen(stage, task_id, **{"from": "b"}) == ({"a", "c"}, {"b", "d"})
    await retry(stage, task_id, **{"from": "b"})
    assert await attempts(stage, task_id, 2) == ["b[0]", "b[1]", "d"]
    assert await foreseen(stage, task_id, **{"from": "b[1]"}) == (
        {"a", "c", "b[0]"},
        {"b[1]", "d"},
    )
    await retry(stage, task_id, **{"from": "b[1]"})
    assert await attempts(stage, task_id, 3) == ["b[1]", "d"]
    assert await kept_items(stage, task_id) == [0, 0, 1]
    answer = await stage.http.post(f"/tasks/{task_id}/retry", json={"from": "b[2]"})
    assert answer.status_code == 422
    assert "there is no item 'b[2]'; the last of its step is b[1]" in answer.text


def seconds(step: Mapping[str, Any]) -> float:
    ended, began = (datetime.fromisoformat(step[f"{what}_at"]) for what in ("finished", "started"))
    return (ended - began).total_seconds()


async def test_a_step_with_items_took_what_they_took_in_this_run_and_counts_those_that_are_kept(
    own: Stage,
) -> None:
    task_id = await submit(
        own,
        step("each", "item 1 fail", foreach=["x", "y"]),
        step("slow", "wait", needs=[]),
    )

    async def end_later() -> dict[str, Any]:
        while True:
            task = (await own.http.get(f"/tasks/{task_id}")).json()
            [each] = [part for part in task["sub_tasks"] if part["name"] == "each"]
            if each["items"] and each["items"]["failed"]:
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(2)
        own.steps.released.set()
        return await own.until(task_id, "failed")

    first = await end_later()
    [each, slow] = [part for part in first["sub_tasks"] if part["item_of"] is None]
    assert seconds(each) < seconds(slow) - 1.5
    await asyncio.sleep(0.5)
    await own.http.post(f"/tasks/{task_id}/retry", json={})
    again = await own.until(task_id, "failed")
    [each, _] = [part for part in again["sub_tasks"] if part["item_of"] is None]
    assert each["items"] == {"total": 2, "completed": 1, "failed": 1, "running": 0}
    trace = (await own.http.get(f"/tasks/{task_id}/trace")).json()
    [span] = [child for child in trace["children"] if child["name"] == "each"]
    assert span["duration_ms"] == round(seconds(each) * 1_000)


async def test_an_item_that_has_not_begun_in_this_run_has_no_duration(stage: Stage) -> None:
    steps = [step("each", "item 2 print x\nfail", foreach=["x", "y", "z"], parallel=1)]
    task_id = await submit(stage, *steps)
    await stage.until(task_id, "failed")
    trace = (await stage.http.get(f"/tasks/{task_id}/trace")).json()
    items = [part for part in trace["children"][0]["children"] if part["kind"] == "item"]
    for item in items[1:]:
        assert (item["start"], item["end"], item["duration_ms"]) == (None, None, None)


async def test_a_step_without_items_is_completed_at_once(stage: Stage) -> None:
    task_id = await submit(stage, step("each", "fail", foreach=[]), step("end", "print x"))
    task = await stage.until(task_id, "completed")
    assert statuses(task) == {"each": "completed", "end": "completed"}


async def test_a_step_for_which_there_is_no_list_fails_with_the_reason(stage: Stage) -> None:
    task_id = await submit(
        stage,
        step("a", 'print {"rows": 3}'),
        step("each", "print x", foreach="${steps.a.json.rows}"),
    )
    task = await stage.until(task_id, "failed")
    assert task["error"]["code"] == "items-unusable"
    assert task["error"]["message"] == (
        "Step 'each' cannot be run for each of ${steps.a.json.rows}: it is a number, no list; "
        "have the step before print a list."
    )


async def test_a_long_list_goes_on_in_a_history_of_its_own(stage: Stage) -> None:
    """By the setting of these tests, Temporal suggests that after a hundred events."""
    task_id = await submit(
        stage, step("each", "print x", foreach=list(range(40))), step("end", "print x"), parallel=8
    )
    task = await stage.until(task_id, "completed", "failed")
    assert task["status"] == "completed"
    assert len(await attempts(stage, task_id, 1)) == 41
    handle = stage.temporal.get_workflow_handle(f"task-{task_id}")
    history = await handle.fetch_history()
    [first, *_] = history.events
    started = first.workflow_execution_started_event_attributes
    assert started.continued_execution_run_id


async def test_a_paused_task_begins_no_item_and_goes_on_when_resumed(own: Stage) -> None:
    task_id = await submit(own, step("each", "wait", foreach=[1, 2, 3, 4], parallel=2))
    await own.once(task_id, lambda task: len(running(task)) == 3)
    assert (await own.http.post(f"/tasks/{task_id}/pause")).status_code == 202
    own.steps.released.set()
    task = await own.until(task_id, "paused")
    assert [each["status"] for each in task["sub_tasks"][1:]] == ["completed"] * 2 + ["pending"] * 2
    assert (await own.http.post(f"/tasks/{task_id}/resume")).status_code == 202
    await own.until(task_id, "completed")


async def test_cancelling_stops_all_that_runs(stage: Stage) -> None:
    task_id = await submit(stage, step("each", "wait", foreach=[1, 2, 3], parallel=2))
    await stage.once(task_id, lambda task: len(running(task)) == 3)
    assert (await stage.http.post(f"/tasks/{task_id}/cancel")).status_code == 202
    task = await stage.until(task_id, "cancelled")
    assert {*statuses(task).values()} == {"cancelled"}


async def test_the_log_of_a_step_has_those_of_its_items(stage: Stage) -> None:
    task_id = await submit(stage, step("each", "print x", foreach=[1, 2]), step("end", "print y"))
    await stage.until(task_id, "completed")
    for name, count in (("each", 2), ("each[1]", 1), ("end", 1)):
        answer = await stage.http.get(f"/tasks/{task_id}/logs", params={"step": name})
        assert len(answer.json()["items"]) == count
    answer = await stage.http.get(f"/tasks/{task_id}/logs", params={"step": "each[2]"})
    assert answer.status_code == 404


async def test_the_page_of_a_task_counts_items_with_their_step_and_opens_them(stage: Stage) -> None:
    task_id = await submit(
        stage, step("a", "print x"), step("each", "item 1 fail", foreach=["x", "y", "z"])
    )
    await stage.until(task_id, "failed")
    async with httpx.AsyncClient(base_url=stage.url) as http:
        closed = (await http.get(f"/tasks/{task_id}", params={"step": "a"})).text
        opened = (await http.get(f"/tasks/{task_id}", params={"step": "each[1]"})).text
        assert (await http.get(f"/tasks/{task_id}/retry")).status_code == 200
        assert (await http.get(f"/tasks/{task_id}/logs")).status_code == 200
    assert "each[0]" not in closed
    assert "1 failed" in closed
    assert "each[0]" in opened


async def test_the_dead_letter_of_an_item_is_requeued_from_it(stage: Stage) -> None:
    task_id = await submit(stage, step("each", "item 2 fail", foreach=[1, 2, 3], parallel=1))
    await stage.until(task_id, "failed")
    letters = (await stage.http.get("/dead-letters", params={"task_id": task_id})).json()["items"]
    assert [letter["sub_task"] for letter in letters] == ["each[2]"]
    answer = await stage.http.post(f"/dead-letters/{letters[0]['id']}/requeue", json={})
    assert answer.status_code == 202, answer.text
    await stage.until(task_id, "failed")
    await asyncio.sleep(0)
    assert await attempts(stage, task_id, 2) == ["each[2]"]


@pytest.mark.parametrize("had_items", [True, False])
async def test_a_step_that_gets_or_loses_its_items_gives_only_what_it_then_made(
    stage: Stage, had_items: bool
) -> None:
    divided = step("a", "file each.csv A", foreach=[1, 2])
    whole = step("a", "file whole.csv A")
    first, then = (divided, whole) if had_items else (whole, divided)
    task_id = await submit(stage, first)
    await stage.until(task_id, "completed")
    pipeline = {"name": "graph", "steps": [then]}
    task = await retry(stage, task_id, pipeline=pipeline)
    names = ["each.csv", "each.csv"] if not had_items else ["whole.csv"]
    found = await results_of(stage.database, UUID(task_id), ["a"], with_stdout=["a"])
    assert [file.name for file in found["a"].files] == names
    artifacts = (await stage.http.get(f"/tasks/{task_id}/artifacts")).json()["items"]
    assert sorted(artifact["name"] for artifact in artifacts) == names
    items = ["a"] if had_items else ["a", "a[0]", "a[1]"]
    assert statuses(task) == dict.fromkeys(items, "completed")


def graph(*steps: Mapping[str, object]) -> dict[str, Any]:
    return {"name": "graph", "steps": list(steps)}


async def refused(stage: Stage, task_id: str, **body: object) -> str:
    """Why a retry is refused, which is told about where it is to begin."""
    answer = await stage.http.post(f"/tasks/{task_id}/retry", json=body)
    assert answer.status_code == 422, answer.text
    [problem] = answer.json()["errors"]
    assert problem["pointer"] == "/from"
    return str(problem["message"])


async def test_a_retry_from_an_item_of_a_step_that_the_new_pipeline_lacks_is_refused(
    stage: Stage,
) -> None:
    task_id = await submit(
        stage, step("each", "item 1 fail", foreach=[1, 2]), step("end", "print x")
    )
    task = await stage.until(task_id, "failed")
    new = graph(step("other", "print x"), step("end", "print x", needs=[]))
    told = "the new pipeline has no step 'each', of which {} is an item (steps: other, end)"
    assert await refused(stage, task_id, pipeline=new, **{"from": "each[1]"}) == told.format(
        "'each[1]'"
    )
    [item] = [each["id"] for each in task["sub_tasks"] if each["name"] == "each[0]"]
    message = await refused(stage, task_id, pipeline=new, **{"from": item})
    assert message == told.format(f"'{item}'")
    message = await refused(stage, task_id, pipeline=new, **{"from": "each[7]"})
    assert message == "there is no step 'each[7]' (steps: other, end)"


async def test_a_retry_with_a_new_pipeline_needs_what_a_step_waits_for_there(stage: Stage) -> None:
    task_id = await submit(
        stage,
        step("a", "print x", needs=[]),
        step("b", "fail", needs=["a"]),
        step("c", "print x", needs=["b"]),
        step("d", "print x", needs=["a"]),
    )
    await stage.until(task_id, "failed")
    freed = graph(
        step("a", "print x", needs=[]),
        step("b", "fail", needs=["a"]),
        step("c", "print x", needs=["a"]),
        step("d", "print x", needs=["a"]),
    )
    kept, redone = await foreseen(stage, task_id, pipeline=freed, **{"from": "c"})
    assert "a" in kept
    assert {"b", "c"} <= redone
    bound = graph(
        step("a", "print x", needs=[]),
        step("b", "fail", needs=["a"]),
        step("c", "print x", needs=["b"]),
        step("d", "print x", needs=["b"]),
    )
    message = await refused(stage, task_id, pipeline=bound, **{"from": "d"})
    assert message == (
        "step 'b', which comes before 'd', is not completed (failed); begin with 'b'"
    )
