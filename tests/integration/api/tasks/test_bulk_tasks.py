"""Bulk runs over tasks, on the true services."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from activities.store import bulk as store
from activities.store.audit import Actor
from activities.store.bulk import NewBulkRun
from api.bulk.dealing import deal
from deploy.local.services import Services
from tests.integration.api_stage import WAIT_SECONDS, Stage, api_stage, pipeline
from workflows.states import BulkAction, ItemState

NEVER = 3_600.0  # seconds


@pytest.fixture(scope="module")
async def own(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API whose bulk runs are quick. Each test is a team of its own."""
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


async def submit(team: httpx.AsyncClient, *sources: str, name: str = "test") -> str:
    answer = await team.post("/tasks", json={"pipeline": {**pipeline(*sources), "name": name}})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


async def ended_ones(stage: Stage, team: httpx.AsyncClient, *sources: str) -> list[str]:
    ids = [await submit(team, source) for source in sources]
    for task_id in ids:
        await stage.ended(team, task_id)
    return ids


async def start(team: httpx.AsyncClient, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
    answer = await team.post(f"/tasks/{action}", json=dict(body))
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"].endswith(f"/bulk/{answer.json()['id']}")
    return dict(answer.json())


async def through(team: httpx.AsyncClient, run: Mapping[str, Any]) -> dict[str, Any]:
    """The bulk run once it has ended, and so have the tasks that it ran again."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            found = (await team.get(f"/bulk/{run['id']}")).json()
            if found["state"] != "running" and not found["counts"]["running"]:
                return dict(found)
            await asyncio.sleep(0.05)


async def statuses(team: httpx.AsyncClient, ids: list[str]) -> list[str]:
    return [(await team.get(f"/tasks/{task_id}")).json().get("status") for task_id in ids]


async def deeds(team: httpx.AsyncClient, action: str) -> list[dict[str, Any]]:
    return list((await team.get("/audit", params={"action": action})).json()["items"])


async def test_all_that_live_are_cancelled_and_those_that_have_ended_stay(own: Stage) -> None:
    team = await own.team()
    living = [await submit(team, "wait") for _ in range(3)]
    [done] = await ended_ones(own, team, "print x")
    foreseen = await team.post("/tasks/cancel", json={"all": True, "dry_run": True})
    assert (foreseen.status_code, foreseen.json()["count"]) == (200, 3)
    found = await through(team, await start(team, "cancel", {"all": True, "note": "Stop"}))
    assert (found["action"], found["state"], found["filter"]) == ("cancel", "completed", None)
    assert (found["counts"]["total"], found["counts"]["done"]) == (3, 3)
    for task_id in living:
        await own.ended(team, task_id)
    assert await statuses(team, [*living, done]) == ["cancelled"] * 3 + ["completed"]
    told = await deeds(team, "task.cancelled")
    assert {entry["target"] for entry in told} == set(living)
    assert {entry["note"] for entry in told} == {"Stop"}
    assert {entry["details"]["bulk_id"] for entry in told} == {found["id"]}
    [started] = await deeds(team, "bulk.started")
    assert (started["details"]["tasks"], started["note"]) == (3, "Stop")


async def test_a_retry_of_many_leaves_completed_ones_unless_they_are_named(own: Stage) -> None:
    team = await own.team()
    failed = await ended_ones(own, team, "fail", "fail")
    [done] = await ended_ones(own, team, "print x")
    foreseen = (await team.post("/tasks/retry", json={"all": True, "dry_run": True})).json()
    assert (foreseen["count"], foreseen["foreseen"]) == (2, 2)
    assert foreseen["kept_steps"] == []
    assert [(step["step"], step["tasks"]) for step in foreseen["redone_steps"]] == [("a", 2)]
    found = await through(team, await start(team, "retry", {"all": True}))
    assert (found["counts"]["requeued"], found["counts"]["failed"]) == (2, 2)
    tasks = {task["task_id"]: task["run"] for task in (await team.get("/tasks")).json()["items"]}
    assert tasks == {failed[0]: 2, failed[1]: 2, done: 1}
    found = await through(team, await start(team, "retry", {"ids": [done], "from": "start"}))
    assert (found["filter"], found["counts"]["completed"]) == ({"ids": 1}, 1)
    named = {"filter": {"status": ["completed"]}, "dry_run": True}
    assert (await team.post("/tasks/retry", json=named)).json()["count"] == 1
    told = await deeds(team, "task.retried")
    assert {entry["target"] for entry in told} == {*failed, done}


async def test_many_are_deleted_by_a_filter(own: Stage) -> None:
    team = await own.team()
    gone = [await submit(team, "print x", name="old news") for _ in range(2)]
    for task_id in gone:
        await own.ended(team, task_id)
    [kept] = await ended_ones(own, team, "print x")
    living = await submit(team, "wait", name="old news")
    found = await through(team, await start(team, "delete", {"filter": {"text": "old news"}}))
    assert (found["counts"]["done"], found["counts"]["skipped"]) == (2, 0)
    listed = (await team.get("/tasks")).json()["items"]
    assert {task["task_id"] for task in listed} == {kept, living}
    assert {entry["target"] for entry in await deeds(team, "task.deleted")} == set(gone)
    await team.post(f"/tasks/{living}/cancel")


@pytest.mark.parametrize("which", [{"all": True}, {"filter": {"text": "x"}}], ids=["all", "text"])
async def test_what_has_ended_since_it_was_counted_is_not_deleted(
    own: Stage, which: dict[str, Any]
) -> None:
    team = await own.team()
    [counted] = [await submit(team, "print x", name="x")]
    await own.ended(team, counted)
    living = await submit(team, "wait", name="x")
    answer = await team.post("/tasks/delete", json={**which, "dry_run": True})
    assert answer.json()["count"] == 1
    await team.post(f"/tasks/{living}/cancel")
    later = await submit(team, "print x", name="x")
    for task_id in (living, later):
        await own.ended(team, task_id)
    body = {**which, "as_of": answer.json()["as_of"]}
    found = await through(team, await start(team, "delete", body))
    assert (found["counts"]["total"], found["counts"]["done"]) == (1, 1)
    listed = (await team.get("/tasks")).json()["items"]
    assert {task["task_id"] for task in listed} == {living, later}


async def test_what_cannot_be_done_about_a_named_task_is_said(own: Stage) -> None:
    team = await own.team()
    living = await submit(team, "wait")
    [done] = await ended_ones(own, team, "print x")
    run = await start(team, "delete", {"ids": [living, done, str(uuid4())]})
    found = await through(team, run)
    counts = found["counts"]
    assert (counts["total"], counts["done"], counts["skipped"]) == (2, 1, 1)
    [reason] = found["skipped"]
    assert (reason["code"], reason["count"]) == ("state-conflict", 1)
    assert "cancel it first" in reason["example"]
    await team.post(f"/tasks/{living}/cancel")


async def test_a_state_that_does_not_allow_it_matches_nothing(own: Stage) -> None:
    team = await own.team()
    [done] = await ended_ones(own, team, "print x")
    run = await start(team, "cancel", {"filter": {"status": ["completed"]}})
    assert (run["state"], run["counts"]["total"]) == ("completed", 0)
    assert await statuses(team, [done]) == ["completed"]


async def test_tasks_of_another_team_are_neither_among_all_nor_found_by_their_ids(
    own: Stage,
) -> None:
    team, other = await own.team(), await own.team()
    [theirs] = await ended_ones(own, other, "print x")
    for body in ({"all": True}, {"ids": [theirs]}):
        assert (await start(team, "delete", body))["counts"]["total"] == 0
    assert await statuses(other, [theirs]) == ["completed"]


async def test_an_aborted_run_leaves_the_rest_of_the_tasks(own: Stage) -> None:
    team = await own.team()
    ids = await ended_ones(own, team, "print x", "print y", "print z")
    run = await start(team, "delete", {"ids": ids, "rate": 1})
    async with asyncio.timeout(WAIT_SECONDS):
        while not (await team.get(f"/bulk/{run['id']}")).json()["counts"]["done"]:
            await asyncio.sleep(0.05)
    aborted = (await team.post(f"/bulk/{run['id']}/abort")).json()
    assert (aborted["state"], aborted["counts"]["left"]) == ("aborted", 2)
    assert await statuses(team, ids[1:]) == ["completed"] * 2


async def _claimed(stage: Stage, task_id: str, action: BulkAction) -> store.ClaimedRun:
    """A bulk run over one task, that nobody else works on."""
    async with stage.database.reading() as connection:
        row = (
            await connection.exec_driver_sql(f"SELECT team_id FROM tasks WHERE id = '{task_id}'")
        ).one()
    actor = Actor(row.team_id, "somebody")
    new = NewBulkRun(
        id=uuid4(),
        action=action,
        filter=None,
        request={"from": "start"} if action is BulkAction.RETRY else {},
        note="",
        canary=0,
        rate=6_000,
        items=[UUID(task_id)],
    )
    assert await store.create_run(stage.database, actor, new, most=10) == 1
    run = await store.claim_run(stage.database, NEVER)
    assert run is not None
    assert run.id == new.id
    return run


@pytest.mark.parametrize(
    ("action", "state"),
    [(BulkAction.RETRY, ItemState.REQUEUED), (BulkAction.DELETE, ItemState.DONE)],
)
async def test_what_was_done_before_a_crash_is_not_done_again_after_it(
    idle: Stage, action: BulkAction, state: ItemState
) -> None:
    team = await idle.team()
    [task_id] = await ended_ones(idle, team, "print x")
    run = await _claimed(idle, task_id, action)
    for _ in range(2):  # The process died before it had written that down.
        item = await store.next_item(idle.database, run.id)
        assert item is not None
        assert (await deal(idle.services, run, item)).state is state
    if action is BulkAction.RETRY:
        await idle.ended(team, task_id)
        assert (await team.get(f"/tasks/{task_id}")).json()["run"] == 2


@pytest.mark.parametrize("action", [BulkAction.CANCEL, BulkAction.DELETE])
async def test_a_task_that_was_retried_since_it_was_chosen_is_left_alone(
    idle: Stage, action: BulkAction
) -> None:
    team = await idle.team()
    [task_id] = await ended_ones(idle, team, "print x")
    run = await _claimed(idle, task_id, action)
    await team.post(f"/tasks/{task_id}/retry", json={"from": "start"})
    await idle.ended(team, task_id)
    item = await store.next_item(idle.database, run.id)
    assert item is not None
    dealt = await deal(idle.services, run, item)
    assert (dealt.state, dealt.code) == (ItemState.SKIPPED, "state-conflict")
    assert (await team.get(f"/tasks/{task_id}")).json()["status"] == "completed"


@pytest.mark.parametrize("action", ["cancel", "retry", "delete"])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"all": False},
        {"filter": {}},
        {"filter": {"text": "x"}, "all": True},
        {"ids": [], "dry_run": True},
        {"ids": [str(UUID(int=1))], "all": True},
        {"filter": {"state": ["failed"]}},
        {"all": True, "rate": 0},
    ],
    ids=str,
)
async def test_a_request_that_does_not_say_which_is_refused(
    own: Stage, action: str, body: dict[str, Any]
) -> None:
    answer = await own.http.post(f"/tasks/{action}", json=body)
    assert answer.status_code == 422, answer.text
