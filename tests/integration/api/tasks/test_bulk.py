"""Bulk runs over dead letters, on the true services."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from activities.store import bulk as store
from activities.store.audit import Actor
from activities.store.bulk import NewBulkRun
from api.bulk import runs
from api.bulk.engine import BulkEngine
from api.dead_letters import letters
from api.wire.requests import RequeueRequest
from deploy.local.services import Services
from tests.integration.api_stage import WAIT_SECONDS, Stage, api_stage, pipeline
from workflows.states import BulkAction

BAD, GOOD = "https://files.example/bad", "https://files.example/good"
FAST = 6_000  # letters a minute
NEVER = 3_600.0  # seconds


@pytest.fixture(scope="module")
async def own(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API of this module's own, whose bulk runs are quick. Each test is a team of its own."""
    async with api_stage(
        infrastructure, skills_folder, sweep_interval_seconds=0.5, bulk_interval_seconds=0.05
    ) as stage:
        yield stage


@pytest.fixture(scope="module")
async def idle(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API that leaves bulk runs to whoever makes a pass."""
    async with api_stage(
        infrastructure, skills_folder, sweep_interval_seconds=0.5, bulk_interval_seconds=NEVER
    ) as stage:
        yield stage


async def fail_tasks(stage: Stage, team: httpx.AsyncClient, count: int, *sources: str) -> list[str]:
    """Tasks that have failed; by default since their input is the bad one."""
    lines = list(sources or ("print once", f"refuse data {BAD}", "print end"))
    # The step that uses the input names it: with another one, none before it runs again.
    lines[len(lines) // 2] += "\nINPUT_DATA"
    made = pipeline(*lines)
    body = {"pipeline": {**made, "inputs": ["data"]}, "inputs": {"data": BAD}}
    ids = []
    for _ in range(count):
        answer = await team.post("/tasks", json=body)
        assert answer.status_code == 202, answer.text
        ids.append(str(answer.json()["task_id"]))
    for task_id in ids:
        await stage.ended(team, task_id)
    return ids


async def fingerprint_of(team: httpx.AsyncClient, task_id: str) -> str:
    [letter] = (await team.get("/dead-letters", params={"task_id": task_id})).json()["items"]
    return str(letter["fingerprint"])


async def open_letters(team: httpx.AsyncClient) -> int:
    return len((await team.get("/dead-letters", params={"limit": 200})).json()["items"])


async def start(team: httpx.AsyncClient, action: str = "requeue", **body: Any) -> dict[str, Any]:
    answer = await team.post(f"/dead-letters/{action}", json={"rate": FAST, **body})
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"].endswith(f"/bulk/{answer.json()['id']}")
    return dict(answer.json())


async def ended(team: httpx.AsyncClient, run: Mapping[str, Any]) -> dict[str, Any]:
    """The bulk run once it is not running any more."""
    return await once(team, run, lambda found: found["state"] != "running")


async def once(team: httpx.AsyncClient, run: Mapping[str, Any], holds: Any) -> dict[str, Any]:
    async with asyncio.timeout(WAIT_SECONDS):
        while not holds(found := (await team.get(f"/bulk/{run['id']}")).json()):
            await asyncio.sleep(0.05)
    return dict(found)


async def audit(team: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
    return list((await team.get("/audit", params={"limit": "200", **query})).json()["items"])


async def runs_of_steps(stage: Stage, team: httpx.AsyncClient, task_id: str) -> list[Any]:
    items = (await team.get(f"/tasks/{task_id}/logs")).json()["items"]
    return [(item["step"], item["run"]) for item in items]


async def test_twenty_alike_are_requeued_in_bulk_with_another_input_and_only_the_rest_runs(
    own: Stage,
) -> None:
    team = await own.team()
    ids = await fail_tasks(own, team, 20)
    [other] = await fail_tasks(own, team, 1, "fail")
    fingerprint = await fingerprint_of(team, ids[0])
    inputs = {"data": GOOD}
    run = await start(team, filter={"fingerprint": fingerprint}, inputs=inputs, note="Mended")
    assert run["counts"]["total"] == 20
    assert (run["state"], run["canary"], run["filter"]) == (
        "running",
        3,
        {"fingerprint": fingerprint},
    )
    found = await ended(team, run)
    assert (found["state"], found["reason"], found["skipped"]) == ("completed", "", [])
    assert found["counts"] == {
        "total": 20,
        "left": 0,
        "requeued": 20,
        "running": 0,
        "completed": 20,
        "failed": 0,
        "failed_alike": 0,
        "cancelled": 0,
        "discarded": 0,
        "done": 0,
        "skipped": 0,
    }
    for task_id in ids:
        task = (await team.get(f"/tasks/{task_id}")).json()
        assert (task["status"], task["run"]) == ("completed", 2)
    assert await runs_of_steps(own, team, ids[7]) == [("a", 1), ("b", 1), ("b", 2), ("c", 2)]
    assert await open_letters(team) == 1
    assert (await team.get(f"/tasks/{other}")).json()["run"] == 1
    [started] = await audit(team, action="bulk")
    assert (started["action"], started["target"]) == ("bulk.started", run["id"])
    assert (started["note"], started["details"]["letters"]) == ("Mended", 20)
    requeued = await audit(team, action="dead_letter.requeued")
    assert len(requeued) == 20
    assert {entry["details"]["bulk_id"] for entry in requeued} == {run["id"]}
    assert {(entry["actor"], entry["note"]) for entry in requeued} == {(started["actor"], "Mended")}


async def test_a_canary_stops_a_hopeless_run_and_the_rest_stays_open(own: Stage) -> None:
    team = await own.team()
    await fail_tasks(own, team, 8)
    found = await ended(team, await start(team, all=True))
    assert found["state"] == "stopped"
    assert "the first 3 tasks that ran again failed in the same way" in found["reason"]
    counts = found["counts"]
    assert (counts["requeued"], counts["failed_alike"], counts["left"]) == (3, 3, 5)
    # Those that failed again have new letters.
    assert await open_letters(team) == 8
    tasks = (await team.get("/tasks")).json()["items"]
    assert sorted(task["run"] for task in tasks) == [1] * 5 + [2] * 3
    assert found["ended_at"] is not None


async def test_a_run_goes_on_when_one_of_its_canary_gets_further(own: Stage) -> None:
    team = await own.team()
    hopeless = await fail_tasks(own, team, 2, "fail")
    good = await fail_tasks(own, team, 4)
    run = await start(team, all=True, inputs={"data": GOOD})
    found = await ended(team, run)
    assert found["state"] == "completed"
    counts = found["counts"]
    assert (counts["completed"], counts["failed_alike"]) == (len(good), len(hopeless))


async def test_without_a_canary_all_are_requeued(own: Stage) -> None:
    team = await own.team()
    await fail_tasks(own, team, 4, "fail")
    found = await ended(team, await start(team, all=True, canary=0))
    assert (found["state"], found["counts"]["failed_alike"]) == ("completed", 4)


async def test_an_aborted_run_leaves_the_rest_and_writes_a_deed(own: Stage) -> None:
    team = await own.team()
    await fail_tasks(own, team, 4)
    run = await start(team, all=True, inputs={"data": GOOD}, canary=0, rate=1)
    await once(team, run, lambda found: found["counts"]["completed"] == 1)
    for _ in range(2):
        answer = await team.post(f"/bulk/{run['id']}/abort", json={"note": "Too dear"})
        assert answer.status_code == 202, answer.text
    aborted = answer.json()
    assert (aborted["state"], aborted["reason"]) == ("aborted", "Too dear")
    assert (aborted["counts"]["left"], await open_letters(team)) == (3, 3)
    [deed] = await audit(team, action="bulk.aborted")
    assert (deed["target"], deed["note"]) == (run["id"], "Too dear")
    await asyncio.sleep(0.3)  # Some passes.
    assert (await team.get(f"/bulk/{run['id']}")).json()["counts"]["left"] == 3


async def test_a_run_that_has_ended_cannot_be_aborted(own: Stage) -> None:
    team = await own.team()
    run = await start(team, all=True)
    assert (run["state"], run["counts"]["total"]) == ("completed", 0)
    answer = await team.post(f"/bulk/{run['id']}/abort")
    assert (answer.status_code, answer.json()["code"]) == (409, "bulk-conflict")
    assert await audit(team, action="bulk.aborted") == []


async def test_the_rate_is_kept(own: Stage) -> None:
    team = await own.team()
    await fail_tasks(own, team, 3)
    run = await start(team, all=True, inputs={"data": GOOD}, canary=0, rate=60)
    found = await ended(team, run)
    # The first is due at once, the second after a second, the third after two.
    begun, through = (datetime.fromisoformat(found[name]) for name in ("created_at", "ended_at"))
    assert (through - begun).total_seconds() > 1.9


async def test_letters_that_were_dealt_with_meanwhile_are_skipped_with_the_reason(
    idle: Stage,
) -> None:
    team = await idle.team()
    ids = await fail_tasks(idle, team, 3)
    run = await start(team, all=True, inputs={"data": GOOD}, canary=0)
    answer = await team.post(f"/tasks/{ids[-1]}/retry", json={"inputs": {"data": GOOD}})
    assert answer.status_code == 202, answer.text
    await passes(idle, team, UUID(run["id"]))
    found = (await team.get(f"/bulk/{run['id']}")).json()
    assert (found["counts"]["completed"], found["counts"]["skipped"]) == (2, 1)
    [reason] = found["skipped"]
    assert (reason["code"], reason["count"]) == ("letter-conflict", 1)
    assert "run again" in reason["example"]
    assert (await team.get(f"/tasks/{ids[-1]}")).json()["run"] == 2


async def test_an_input_that_no_task_has_leaves_every_letter_open_and_says_why(own: Stage) -> None:
    team = await own.team()
    await fail_tasks(own, team, 3)
    body = {"all": True, "inputs": {"other": GOOD}}
    foreseen = await team.post("/dead-letters/requeue", json={**body, "dry_run": True})
    assert (foreseen.json()["count"], foreseen.json()["refused"]) == (3, 3)
    found = await ended(team, await start(team, **body))
    assert (found["state"], found["counts"]["skipped"]) == ("completed", 3)
    [reason] = found["skipped"]
    assert (reason["code"], reason["count"]) == ("invalid-request", 3)
    assert "no such input" in reason["example"]
    assert await open_letters(team) == 3


async def test_a_dry_run_counts_what_is_kept_and_redone_and_does_nothing(own: Stage) -> None:
    team = await own.team()
    ids = await fail_tasks(own, team, 3)
    body = {"filter": {"text": "as told"}, "inputs": {"data": GOOD}, "dry_run": True}
    answer = await team.post("/dead-letters/requeue", json=body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["count"], found["foreseen"], found["refused"]) == (3, 3, 0)
    assert found["kept_steps"] == [{"step": "a", "tasks": 3}]
    assert found["redone_steps"] == [{"step": "b", "tasks": 3}, {"step": "c", "tasks": 3}]
    discarded = await team.post("/dead-letters/discard", json={"all": True, "dry_run": True})
    assert (discarded.status_code, discarded.json()["count"]) == (200, 3)
    assert (await team.get("/bulk")).json()["items"] == []
    assert (await team.get(f"/tasks/{ids[0]}")).json()["run"] == 1
    assert await audit(team, action="bulk") == []


async def test_many_are_discarded_with_a_reason(own: Stage) -> None:
    team = await own.team()
    ids = await fail_tasks(own, team, 5, "fail")
    run = await start(team, "discard", filter={"type": ["pipeline"]}, note="Not needed any more")
    found = await ended(team, run)
    assert (found["state"], found["counts"]["discarded"]) == ("completed", 5)
    assert await open_letters(team) == 0
    gone = (await team.get("/dead-letters", params={"state": "discarded"})).json()["items"]
    assert {letter["note"] for letter in gone} == {"Not needed any more"}
    assert {letter["task_id"] for letter in gone} == set(ids)
    deeds = await audit(team, action="dead_letter.discarded")
    assert [deed["details"]["bulk_id"] for deed in deeds] == [run["id"]] * 5


@pytest.mark.parametrize(
    ("action", "body", "pointer"),
    [
        ("requeue", {}, ""),
        ("requeue", {"filter": {}}, "/filter"),
        ("requeue", {"filter": {"fingerprint": "x"}, "all": True}, ""),
        ("requeue", {"all": True, "rate": 0}, "/rate"),
        ("discard", {"all": True}, ""),
    ],
)
async def test_a_request_that_does_not_say_which_or_why_is_refused(
    own: Stage, action: str, body: dict[str, Any], pointer: str
) -> None:
    answer = await own.http.post(f"/dead-letters/{action}", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_bulk_runs_are_listed_to_their_team_alone_newest_first(own: Stage) -> None:
    team, other = await own.team(), await own.team()
    made = [(await start(team, all=True))["id"] for _ in range(3)]
    page = (await team.get("/bulk", params={"limit": 2})).json()
    following = {"cursor": page["next_cursor"]}
    items = page["items"] + (await team.get("/bulk", params=following)).json()["items"]
    assert [item["id"] for item in items] == made[::-1]
    assert (await other.get("/bulk")).json()["items"] == []
    for method, path in (("GET", f"/bulk/{made[0]}"), ("POST", f"/bulk/{made[0]}/abort")):
        assert (await other.request(method, path)).status_code == 404


async def test_letters_of_another_team_are_not_among_all(own: Stage) -> None:
    team, other = await own.team(), await own.team()
    [task_id] = await fail_tasks(own, other, 1, "fail")
    assert (await start(team, all=True))["counts"]["total"] == 0
    assert (await other.get(f"/tasks/{task_id}")).json()["run"] == 1


# Crashes.


async def new_run(stage: Stage, ids: list[str]) -> UUID:
    """A bulk run of the letters of these tasks."""
    async with stage.database.reading() as connection:
        query = text("SELECT id, team_id FROM dead_letters WHERE task_id = ANY(:ids)")
        found = await connection.execute(query, {"ids": [UUID(task_id) for task_id in ids]})
        rows = found.all()
    run = NewBulkRun(
        id=uuid4(),
        action=BulkAction.REQUEUE,
        filter=None,
        request={"inputs": {"data": GOOD}},
        note="",
        canary=0,
        rate=FAST,
        items=[row.id for row in rows],
    )
    actor = Actor(rows[0].team_id, "somebody")
    assert await store.create_run(stage.database, actor, run, most=10) == len(ids)
    return run.id


async def test_a_letter_that_was_requeued_before_a_crash_is_not_requeued_again_after_it(
    idle: Stage,
) -> None:
    team = await idle.team()
    ids = await fail_tasks(idle, team, 2)
    bulk_id = await new_run(idle, ids)
    run = await store.claim_run(idle.database, 0.0)
    assert run is not None
    assert run.id == bulk_id
    item = await store.next_item(idle.database, bulk_id)
    assert item is not None
    assert item.letter_id is not None
    request = RequeueRequest.model_validate(run.request)
    await letters.requeue(idle.services, run.actor, item.letter_id, request, bulk_id=bulk_id)
    await idle.ended(team, str(item.task_id))
    # Here the process dies: that is written down nowhere.
    await passes(idle, team, bulk_id)
    for task_id in ids:
        assert (await team.get(f"/tasks/{task_id}")).json()["run"] == 2
    found = (await team.get(f"/bulk/{bulk_id}")).json()
    assert (found["state"], found["counts"]["completed"]) == ("completed", 2)
    assert len(await audit(team, action="dead_letter.requeued")) == 2


async def passes(stage: Stage, team: httpx.AsyncClient, bulk_id: UUID, *, engines: int = 1) -> None:
    """Make passes, of several APIs at once, until a run has ended."""
    quick = replace(stage.services.options, bulk_interval_seconds=0.0)
    async with asyncio.timeout(WAIT_SECONDS):
        while (await team.get(f"/bulk/{bulk_id}")).json()["state"] == "running":
            made = [BulkEngine(replace(stage.services, options=quick)) for _ in range(engines)]
            await asyncio.gather(*(engine.make() for engine in made))
            await asyncio.sleep(0.05)


async def test_several_apis_requeue_each_letter_once(idle: Stage) -> None:
    team = await idle.team()
    ids = await fail_tasks(idle, team, 8)
    await passes(idle, team, await new_run(idle, ids), engines=3)
    runs_of_tasks = [task["run"] for task in (await team.get("/tasks")).json()["items"]]
    assert runs_of_tasks == [2] * 8
    assert len(await audit(team, action="dead_letter.requeued")) == 8


async def test_a_run_is_worked_on_by_one_at_a_time_until_the_lease_is_over(
    idle: Stage,
) -> None:
    team = await idle.team()
    bulk_id = await new_run(idle, await fail_tasks(idle, team, 1, "fail"))
    first = await store.claim_run(idle.database, 0.5)
    assert first is not None
    assert first.id == bulk_id
    assert await store.claim_run(idle.database, 60.0) is None
    async with asyncio.timeout(WAIT_SECONDS):
        while await store.claim_run(idle.database, 60.0) is None:
            await asyncio.sleep(0.05)
    await team.post(f"/bulk/{bulk_id}/abort")


async def test_two_letters_of_one_task_are_one_requeue(idle: Stage) -> None:
    team = await idle.team()
    [task_id] = await fail_tasks(idle, team, 1)
    await more_letters(idle, task_id, 1)
    assert await open_letters(team) == 2
    run = await start(team, all=True, inputs={"data": GOOD})
    assert run["counts"]["total"] == 1
    await passes(idle, team, UUID(run["id"]))
    assert (await team.get(f"/tasks/{task_id}")).json()["run"] == 2
    assert await open_letters(team) == 0


async def more_letters(stage: Stage, task_id: str, count: int) -> None:
    """Other parts of a task that failed as well, as nodes of a plan may."""
    await stage.execute(
        "INSERT INTO dead_letters SELECT (jsonb_populate_record(letter, jsonb_build_object("
        "'id', gen_random_uuid(), 'part', n))).* FROM dead_letters AS letter, "
        "generate_series(1, :count) AS n WHERE task_id = :id",
        id=UUID(task_id),
        count=count,
    )


async def test_a_team_has_so_many_bulk_runs_at_once(idle: Stage) -> None:
    team = await idle.team()
    await fail_tasks(idle, team, 1, "fail")
    slow = {"all": True}
    asked = [team.post("/dead-letters/requeue", json=slow) for _ in range(runs.MAX_RUNNING + 4)]
    answers = await asyncio.gather(*asked)
    ids = [answer.json()["id"] for answer in answers if answer.status_code == 202]
    assert len(ids) == runs.MAX_RUNNING
    answer = await team.post("/dead-letters/requeue", json=slow)
    assert (answer.status_code, answer.json()["code"]) == (409, "too-many-bulk-runs")
    await team.post(f"/bulk/{ids[0]}/abort")
    await start(team, **slow)


async def test_more_letters_than_a_run_may_have_are_refused(idle: Stage) -> None:
    team = await idle.team()
    [task_id] = await fail_tasks(idle, team, 1, "fail")
    await more_letters(idle, task_id, 10_000)
    answer = await team.post("/dead-letters/discard", json={"all": True, "note": "x"})
    assert (answer.status_code, answer.json()["code"]) == (422, "too-many-letters")
    assert "10,000" in answer.json()["detail"]
    assert (await team.get("/bulk")).json()["items"] == []
