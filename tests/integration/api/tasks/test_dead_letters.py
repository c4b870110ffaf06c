"""Dead letters over HTTP: what failed is listed, grouped, requeued and discarded."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from activities.store import tasks
from tests.integration.api_stage import Stage, pipeline
from workflows.contracts import Failure, TaskClose
from workflows.states import Status


async def _failed(stage: Stage, *sources: str, **more: Any) -> tuple[str, dict[str, Any]]:
    """A task that has failed, and its dead letter."""
    task_id = await stage.submit(*(sources or ("fail",)), **more)
    await stage.until(task_id, "failed", "blocked")
    return task_id, await _letter(stage, task_id)


async def _letter(stage: Stage, task_id: str, **query: str) -> dict[str, Any]:
    [letter] = await _letters(stage, task_id=task_id, **query)
    return letter


async def _letters(stage: Stage, **query: str) -> list[dict[str, Any]]:
    answer = await stage.http.get("/dead-letters", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def _requeue(stage: Stage, letter: dict[str, Any], **body: Any) -> httpx.Response:
    return await stage.http.post(f"/dead-letters/{letter['id']}/requeue", json=body)


async def _upload(stage: Stage, content: str) -> str:
    answer = await stage.http.post("/files", files={"file": ("a.txt", content)})
    return f"file:{answer.json()['id']}"


async def _deeds(stage: Stage, target: str) -> list[tuple[str, str, str, dict[str, Any]]]:
    async with stage.database.reading() as connection:
        rows = await connection.execute(
            text("SELECT action, actor, note, details FROM audit_log WHERE target = :target"),
            {"target": target},
        )
        return [tuple(row) for row in rows]


async def _attempts(stage: Stage, task_id: str) -> list[tuple[str, int]]:
    """The step and the run of each attempt, in their order."""
    async with stage.database.reading() as connection:
        rows = await connection.execute(
            text(
                "SELECT name, run FROM execution_logs AS log JOIN sub_tasks AS step"
                " ON step.id = log.sub_task_id WHERE log.task_id = :id ORDER BY log.started_at"
            ),
            {"id": UUID(task_id)},
        )
        return [(row.name, row.run) for row in rows]


async def test_a_step_that_fails_leaves_a_letter_that_says_what_why_and_at_what_cost(
    stage: Stage,
) -> None:
    task_id, letter = await _failed(stage, "print x", "fail")
    assert letter["task_id"] == task_id
    assert (letter["sub_task"], letter["run"], letter["state"]) == ("b", 1, "open")
    assert letter["error"]["code"] == "script-failed"
    assert letter["parts"] == {
        "version": 1,
        "type": "pipeline",
        "step": "b",
        "runs": "shell code",
        "code": "script-failed",
        "message": "It failed as told.",
    }
    assert letter["attempts"] == 1
    assert letter["usage"] == {"tokens": 0, "cost_usd": 0.0, "seconds": 0.005}
    found = await stage.http.get(f"/dead-letters/{letter['id']}")
    assert found.json() == letter


async def test_completed_and_cancelled_tasks_leave_no_letter(stage: Stage) -> None:
    completed, cancelled = await stage.submit("print x"), await stage.submit("wait")
    await stage.until(completed, "completed")
    await stage.http.post(f"/tasks/{cancelled}/cancel")
    await stage.until(cancelled, "cancelled")
    for task_id in (completed, cancelled):
        assert await _letters(stage, task_id=task_id) == []


async def test_a_task_that_ends_without_a_step_leaves_a_letter_of_itself(stage: Stage) -> None:
    task_id = await stage.submit("wait")
    await stage.once(task_id, lambda task: task["status"] == "running")
    close = TaskClose(
        task_id=UUID(task_id),
        team_id=UUID(int=1),
        run=1,
        status=Status.FAILED,
        failure=Failure(code="workflow-timed-out", message="It took 24 hours."),
    )
    assert await tasks.close_task(stage.database, close)
    letter = await _letter(stage, task_id)
    assert letter["sub_task"] is None
    assert letter["parts"]["message"] == "It took # hours."


async def test_the_same_end_written_twice_leaves_one_letter(stage: Stage) -> None:
    task_id, letter = await _failed(stage)
    close = TaskClose(
        task_id=UUID(task_id), team_id=UUID(int=1), run=1, status=Status.FAILED, failure=None
    )
    assert not await tasks.close_task(stage.database, close)
    assert await _letters(stage, task_id=task_id) == [letter]


async def test_letters_are_filtered(stage: Stage) -> None:
    task_id, letter = await _failed(stage, "fail", inputs={})
    for query in (
        {"fingerprint": letter["fingerprint"]},
        {"type": "pipeline"},
        {"text": "FAILED AS TOLD"},
        {"created_before": "2100-01-01T00:00:00Z"},
        {"state": "open"},
    ):
        found = await _letters(stage, task_id=task_id, **query)
        assert [item["id"] for item in found] == [letter["id"]], query
    for query in (
        {"fingerprint": "0" * 16},
        {"type": "agent"},
        {"text": "as_told"},
        {"created_after": "2100-01-01T00:00:00Z"},
        {"state": "discarded"},
    ):
        assert await _letters(stage, task_id=task_id, **query) == [], query


async def test_pages_of_letters_and_groups_neither_repeat_nor_leave_out(stage: Stage) -> None:
    team = await stage.team()
    for name in ("one", "two", "three", "three"):
        definition = {**pipeline("fail"), "steps": [{**pipeline("fail")["steps"][0], "id": name}]}
        task_id = (await team.post("/tasks", json={"pipeline": definition})).json()["task_id"]
        await stage.ended(team, task_id)
    letters, groups = (
        await _pages(team, "/dead-letters"),
        await _pages(team, "/dead-letters/groups"),
    )
    assert [item["sub_task"] for item in letters] == ["three", "three", "two", "one"]
    assert [(item["parts"]["step"], item["count"]) for item in groups] == [
        ("three", 2),
        ("two", 1),
        ("one", 1),
    ]
    assert groups[0]["example"] == letters[0]["id"]
    assert (groups[0]["first_at"], groups[0]["last_at"]) == (
        letters[1]["created_at"],
        letters[0]["created_at"],
    )


async def _pages(team: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    params = {"limit": "1"}
    while True:
        page = (await team.get(path, params=params)).json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        params["cursor"] = page["next_cursor"]


async def test_a_requeue_runs_the_task_from_the_failed_step_with_the_edited_input(
    stage: Stage,
) -> None:
    bad, good = [await _upload(stage, text) for text in ("bad", "good")]
    uses = f"refuse data {bad}\ncat INPUT_DATA"
    definition = {**pipeline("print x", uses, "print y"), "inputs": ["data"]}
    body = {"pipeline": definition, "inputs": {"data": bad}}
    task_id = (await stage.http.post("/tasks", json=body)).json()["task_id"]
    await stage.until(task_id, "failed")
    letter = await _letter(stage, task_id)
    dry = await _requeue(stage, letter, inputs={"data": good}, dry_run=True)
    assert dry.status_code == 200
    assert dry.json() == {
        "count": 1,
        "kept_steps": [{"step": "a", "tasks": 1}],
        "redone_steps": [{"step": "b", "tasks": 1}, {"step": "c", "tasks": 1}],
        "estimate": {"tokens": 0, "cost_usd": 0.0, "seconds": 0.005, "unknown": 1},
        "refused": 0,
        "changes": None,
    }
    assert (await stage.task(task_id))["status"] == "failed"
    answer = await _requeue(stage, letter, inputs={"data": good}, note="The file was wrong.")
    assert (answer.status_code, answer.json()["task_id"]) == (202, task_id)
    await stage.until(task_id, "completed")
    assert await _attempts(stage, task_id) == [("a", 1), ("b", 1), ("b", 2), ("c", 2)]
    after = (await stage.http.get(f"/dead-letters/{letter['id']}")).json()
    assert (after["state"], after["note"], after["ended_by"]) == (
        "requeued",
        "The file was wrong.",
        "local user",
    )
    [(action, actor, note, details)] = await _deeds(stage, letter["id"])
    assert (action, actor, note) == ("dead_letter.requeued", "local user", "The file was wrong.")
    assert (details["task_id"], details["run"]) == (task_id, 2)


async def test_the_same_requeue_again_runs_nothing_and_another_is_a_conflict(stage: Stage) -> None:
    task_id, letter = await _failed(stage, "retry", "fail")
    answers = await asyncio.gather(*(_requeue(stage, letter) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [202] * 5
    assert {answer.json()["task_id"] for answer in answers} == {task_id}
    task = await stage.once(task_id, lambda task: task["run"] == 2 and task["status"] == "failed")
    again = await _requeue(stage, letter, note="For another reason.")
    assert (again.status_code, again.json()["status"]) == (202, task["status"])
    assert (await stage.task(task_id))["run"] == 2
    other = await _requeue(stage, letter, **{"from": "a"})
    assert (other.status_code, other.json()["code"]) == (409, "letter-conflict")
    assert "its task was run again by local user" in other.json()["detail"]
    [_] = await _deeds(stage, letter["id"])
    assert (await _letter(stage, task_id))["run"] == 2


async def test_a_plain_retry_deals_with_the_letters_of_its_task(stage: Stage) -> None:
    task_id, letter = await _failed(stage, "fail")
    assert (await stage.http.post(f"/tasks/{task_id}/retry")).status_code == 202
    await stage.once(task_id, lambda task: task["run"] == 2 and task["status"] == "failed")
    before = (await stage.http.get(f"/dead-letters/{letter['id']}")).json()
    assert before["state"] == "requeued"
    later = await _letter(stage, task_id)
    assert (later["run"], later["fingerprint"]) == (2, letter["fingerprint"])
    assert [action for action, *_ in await _deeds(stage, task_id)] == ["task.retried"]
    answer = await _requeue(stage, letter)
    assert answer.status_code == 409


async def test_a_discarded_letter_is_still_found_and_can_be_discarded_again(stage: Stage) -> None:
    task_id, letter = await _failed(stage)
    path = f"/dead-letters/{letter['id']}"
    for note in ("Nobody needs it.", "Really."):
        answer = await stage.http.post(f"{path}/discard", json={"note": note})
        assert answer.status_code == 200
        assert (answer.json()["state"], answer.json()["note"]) == ("discarded", "Nobody needs it.")
    assert (await stage.http.get(path)).json()["state"] == "discarded"
    assert await _letters(stage, task_id=task_id) == []
    assert await _letters(stage, task_id=task_id, state="discarded") == [answer.json()]
    [(action, _, note, _)] = await _deeds(stage, letter["id"])
    assert (action, note) == ("dead_letter.discarded", "Nobody needs it.")
    for dry_run in (False, True):
        refused = await _requeue(stage, letter, dry_run=dry_run)
        assert refused.status_code == 409
        assert "it was discarded by local user" in refused.json()["detail"]


async def test_a_requeued_letter_is_not_discarded(stage: Stage) -> None:
    _, letter = await _failed(stage)
    assert (await _requeue(stage, letter)).status_code == 202
    answer = await stage.http.post(f"/dead-letters/{letter['id']}/discard", json={"note": "x"})
    assert (answer.status_code, answer.json()["code"]) == (409, "letter-conflict")


@pytest.mark.parametrize("body", [{}, {"note": ""}, {"note": "x" * 20_001}, {"note": 1}])
async def test_a_letter_is_not_discarded_without_a_reason(stage: Stage, body: object) -> None:
    answer = await stage.http.post(f"/dead-letters/{uuid4()}/discard", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/note"


async def test_what_is_asked_of_an_unknown_letter_is_not_found(stage: Stage) -> None:
    path = f"/dead-letters/{uuid4()}"
    assert (await stage.http.get(path)).status_code == 404
    for dry_run in (False, True):
        answer = await stage.http.post(f"{path}/requeue", json={"dry_run": dry_run})
        assert answer.status_code == 404
    answer = await stage.http.post(f"{path}/discard", json={"note": "x"})
    assert answer.status_code == 404
    assert "There is no dead letter" in answer.json()["detail"]


# Requeues with another definition.


async def test_a_requeue_with_a_new_definition_keeps_the_steps_that_are_as_they_were(
    stage: Stage,
) -> None:
    task_id, letter = await _failed(stage, "print x", "fail", "print y")
    new = pipeline("print x", "print z", "print y", "print w")
    new["name"] = "mended"
    dry = (await _requeue(stage, letter, pipeline=new, dry_run=True)).json()
    assert [step["step"] for step in dry["kept_steps"]] == ["a"]
    assert [step["step"] for step in dry["redone_steps"]] == ["b", "c", "d"]
    assert dry["estimate"]["unknown"] == 2
    assert (await _requeue(stage, letter, pipeline=new)).status_code == 202
    task = await stage.until(task_id, "completed")
    assert await _attempts(stage, task_id) == [("a", 1), ("b", 1), ("b", 2), ("c", 2), ("d", 2)]
    assert (task["name"], task["definition"]["name"]) == ("mended", "mended")
    assert [step["name"] for step in task["sub_tasks"]] == ["a", "b", "c", "d"]
    assert task["sub_tasks"][3]["dependencies"] == ["c"]


async def test_a_definition_may_lose_steps(stage: Stage) -> None:
    task_id, letter = await _failed(stage, "print x", "fail", "print y")
    new = pipeline("print x", "print z")
    assert (await _requeue(stage, letter, pipeline=new)).status_code == 202
    task = await stage.until(task_id, "completed")
    assert [step["name"] for step in task["sub_tasks"]] == ["a", "b"]


async def test_a_changed_step_before_the_beginning_is_refused_with_its_place(stage: Stage) -> None:
    _, letter = await _failed(stage, "print x", "print y", "fail")
    new = pipeline("print x", "print other", "print z")
    refused = await _requeue(stage, letter, pipeline=new, **{"from": "c"})
    assert refused.status_code == 422
    [problem] = refused.json()["errors"]
    assert problem["pointer"] == "/pipeline/steps/1"
    assert "step 'b' comes before 'c' and is not what it was" in problem["message"]
    # Nobody said where to begin: with the first step that has nothing to keep.
    dry = (await _requeue(stage, letter, pipeline=new, dry_run=True)).json()
    assert [step["step"] for step in dry["kept_steps"]] == ["a"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"steps": [{"id": "a", "skill": "nowhere"}]}, "/pipeline/steps/0/skill"),
        ({"inputs": ["other"]}, "/pipeline/inputs/0"),
        ({"steps": []}, "/pipeline/steps"),
    ],
)
async def test_a_new_definition_is_judged_as_a_submission_is(
    stage: Stage, change: dict[str, Any], pointer: str
) -> None:
    task_id, letter = await _failed(stage)
    answer = await _requeue(stage, letter, pipeline={**pipeline("print x"), **change})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert (await stage.task(task_id))["run"] == 1


async def test_a_requeue_may_run_the_whole_task_again(stage: Stage) -> None:
    task_id, letter = await _failed(stage, "print x", "fail")
    assert (await _requeue(stage, letter, **{"from": "start"})).status_code == 202
    await stage.once(task_id, lambda task: task["run"] == 2 and task["status"] == "failed")
    assert await _attempts(stage, task_id) == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


async def test_an_end_after_a_reset_counts_instead_of_the_one_before(stage: Stage) -> None:
    task_id, letter = await _failed(stage)
    await stage.execute("UPDATE tasks SET status = 'running' WHERE id = :id", id=UUID(task_id))
    close = TaskClose(
        task_id=UUID(task_id),
        team_id=UUID(int=1),
        run=1,
        status=Status.BLOCKED,
        failure=Failure(code="worker-lost", message="No worker."),
        sub_task_id=UUID(letter["sub_task_id"]),
    )
    await stage.http.post(f"/dead-letters/{letter['id']}/discard", json={"note": "x"})
    assert await tasks.close_task(stage.database, close)
    again = await _letter(stage, task_id)
    assert (again["id"], again["error"]["code"], again["note"]) == (
        letter["id"],
        "worker-lost",
        "",
    )


async def test_a_letter_whose_run_completes_after_a_reset_is_dealt_with(stage: Stage) -> None:
    task_id, letter = await _failed(stage)
    await stage.execute("UPDATE tasks SET status = 'running' WHERE id = :id", id=UUID(task_id))
    close = TaskClose(task_id=UUID(task_id), team_id=UUID(int=1), run=1, status=Status.COMPLETED)
    assert await tasks.close_task(stage.database, close)
    after = (await stage.http.get(f"/dead-letters/{letter['id']}")).json()
    assert (after["state"], after["note"]) == ("requeued", "Its run was reset in Temporal.")


async def test_of_a_requeue_and_a_discard_at_once_one_is_taken(stage: Stage) -> None:
    for _ in range(4):
        task_id, letter = await _failed(stage, "fail")
        discards = [
            stage.http.post(f"/dead-letters/{letter['id']}/discard", json={"note": "gone"})
            for _ in range(3)
        ]
        requeues = [_requeue(stage, letter) for _ in range(3)]
        mixed = [each for pair in zip(discards, requeues, strict=True) for each in pair]
        answers = await asyncio.gather(*mixed)
        discarded = {answer.status_code for answer in answers[::2]}
        requeued = {answer.status_code for answer in answers[1::2]}
        assert (discarded, requeued) in [({200}, {409}), ({409}, {202})]
        state = (await stage.http.get(f"/dead-letters/{letter['id']}")).json()["state"]
        assert state == ("discarded" if discarded == {200} else "requeued")
        assert len(await _deeds(stage, letter["id"])) == 1
        runs = 1 if state == "discarded" else 2
        await stage.ended(stage.http, task_id)
        assert {run for _, run in await _attempts(stage, task_id)} <= set(range(1, runs + 1))
