"""The pages of what waits and of dead letters: what is another's, and what is malformed."""

import asyncio
import re
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.integration.api_stage import WAIT_SECONDS, Stage, pipeline
from tests.integration.resident_rows import new_agent, new_exchange
from tests.integration.waiting_rows import ask
from workflows.states import Status

PAGE = {"Accept": "text/html"}
_PAGE_BYTES = 150_000


async def _call(stage: Stage, arguments: dict[str, Any] | None = None) -> tuple[UUID, UUID]:
    agent_id = await new_agent(stage.database)
    task_id = await new_exchange(stage.database, agent_id, 1, "x", status=Status.RUNNING)
    said = arguments or {"name": "a.txt", "text": "x"}
    return task_id, await ask(stage, task_id, said)


async def _waits(stage: Stage, call_id: UUID) -> bool:
    page = (await stage.http.get("/approvals", params={"call_id": str(call_id)})).json()
    return bool(page["items"])


async def _letter(stage: Stage) -> str:
    task_id = await stage.submit("fail")
    await stage.until(task_id, "failed")
    page = (await stage.http.get("/dead-letters", params={"task_id": task_id})).json()
    return str(page["items"][0]["id"])


async def _post(http: httpx.AsyncClient, url: str, **fields: str) -> httpx.Response:
    return await http.post(url, data=fields, headers=PAGE)


async def test_what_is_another_teams_is_neither_shown_nor_changed(stage: Stage) -> None:
    task_id, call_id = await _call(stage)
    letter = await _letter(stage)
    other = await stage.team()
    page = await other.get(f"{stage.url}/waiting?call_id={call_id}", headers=PAGE)
    assert str(task_id) not in page.text
    said = await _post(other, f"{stage.url}/waiting/{task_id}/{call_id}", decision="approve")
    assert said.status_code == 404
    assert await _waits(stage, call_id)
    at = f"{stage.url}/dead-letters/{letter}"
    assert (await other.get(at, headers=PAGE)).status_code == 404
    assert (await _post(other, f"{at}/requeue", act="run")).status_code == 404
    assert (await _post(other, f"{at}/discard", note="x")).status_code == 404
    assert (await stage.http.get(f"/dead-letters/{letter}")).json()["state"] == "open"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"decision": "maybe"},
        {"decision": "approve", "ask_id": "x"},
        {"decision": "approve", "edits": "arguments", "text": "[1]"},
        {"decision": "approve", "edits": "arguments", "text": ""},
        {"decision": "approve", "edits": "arguments", "text": '{"name": "\\u0000"}'},
        {"decision": "approve", "edits": "note", "text": "1"},
        {"decision": "approve", "edits": "odd", "text": "{}"},
    ],
)
async def test_a_malformed_decision_is_refused_on_the_same_page(
    stage: Stage, fields: dict[str, str]
) -> None:
    task_id, call_id = await _call(stage)
    answer = await _post(stage.http, f"{stage.url}/waiting/{task_id}/{call_id}", **fields)
    assert answer.status_code == 422
    assert 'id="problem"' in answer.text
    assert str(call_id) in answer.text
    assert await _waits(stage, call_id)


async def test_a_place_in_the_list_that_is_none_is_refused(stage: Stage) -> None:
    task_id, call_id = await _call(stage)
    path = f"{stage.url}/waiting/{task_id}/{call_id}"
    for fields in ({"of_task": "x"}, {"cursor": "x"}):
        answer = await _post(stage.http, path, decision="maybe", **fields)
        assert answer.status_code == 422


async def test_a_requeue_that_nobody_has_seen_the_outcome_of_is_not_made(stage: Stage) -> None:
    letter = await _letter(stage)
    at = f"{stage.url}/dead-letters/{letter}/requeue"
    for fields in ({"act": "run"}, {"act": "run", "seen": "x"}, {"act": "preview"}):
        answer = await _post(stage.http, at, **fields)
        assert answer.status_code == 200
        assert "What will happen" in answer.text
    wrong = await _post(stage.http, at, act="run", **{"from": "nowhere"})
    assert "nowhere" in wrong.text
    assert (await stage.http.get(f"/dead-letters/{letter}")).json()["state"] == "open"


async def test_a_bulk_run_that_nobody_has_seen_the_outcome_of_is_not_made(stage: Stage) -> None:
    team = await stage.team()
    at = f"{stage.url}/dead-letters/bulk/requeue"
    answer = await _post(team, at, act="run", seen="x", text="nothing")
    assert answer.status_code == 200
    assert (await team.get("/bulk")).json()["items"] == []
    assert (await team.get(f"{stage.url}/dead-letters/bulk/odd", headers=PAGE)).status_code == 422
    assert (await team.get(f"{stage.url}/bulk/{uuid4()}", headers=PAGE)).status_code == 404


async def test_a_task_that_ends_after_the_count_was_shown_is_left_alone(stage: Stage) -> None:
    team = await stage.team()

    async def submit(source: str) -> str:
        answer = await team.post("/tasks", json={"pipeline": pipeline(source)})
        return str(answer.json()["task_id"])

    await stage.ended(team, await submit("print x"))
    living = await submit("wait")
    at = f"{stage.url}/tasks/bulk"
    page = (await team.get(f"{at}?action=delete&all=true", headers=PAGE)).text
    assert "Delete 1 task?" in page
    form = page.partition('action="/tasks/bulk">')[2].partition("</form>")[0]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    await team.post(f"/tasks/{living}/cancel")
    await stage.ended(team, living)
    answer = await _post(team, at, **fields)
    assert answer.status_code == 303, answer.text
    [run] = (await team.get("/bulk")).json()["items"]
    assert run["counts"]["total"] == 1


async def test_a_letter_that_comes_after_the_count_was_shown_is_left_alone(stage: Stage) -> None:
    team = await stage.team()

    async def letter() -> str:
        body = {"pipeline": pipeline("fail")}
        task_id = (await team.post("/tasks", json=body)).json()["task_id"]
        await stage.ended(team, task_id)
        found = (await team.get("/dead-letters", params={"task_id": task_id})).json()["items"]
        return str(found[0]["id"])

    seen = await letter()
    at = f"{stage.url}/dead-letters/bulk/discard"
    page = (await team.get(at, headers=PAGE)).text
    [until] = re.findall(r'name="created_before" value="([^"]+)"', page)
    later = await letter()
    answer = await _post(team, at, act="run", seen="", note="x", created_before=until)
    assert answer.status_code == 303
    async with asyncio.timeout(WAIT_SECONDS):
        while (await team.get(f"/dead-letters/{seen}")).json()["state"] == "open":
            await asyncio.sleep(0.1)
    assert (await team.get(f"/dead-letters/{later}")).json()["state"] == "open"


async def test_many_long_and_hostile_calls_are_a_page_of_a_sane_size(stage: Stage) -> None:
    team = await stage.team()
    made = await team.post("/tasks", json={"pipeline": pipeline("print x")})
    task_id = UUID(made.json()["task_id"])
    await stage.ended(team, str(task_id))
    await stage.execute("UPDATE tasks SET status = 'running' WHERE id = :id", id=task_id)
    hostile = "<script>alert(1)</script>\u202e"
    for _ in range(30):
        await ask(stage, task_id, {hostile: hostile * 40_000}, tool=hostile)
    page = await team.get(f"{stage.url}/waiting", headers=PAGE)
    assert page.status_code == 200
    assert len(page.content) < 2 * _PAGE_BYTES
    assert "<script>alert" not in page.text
