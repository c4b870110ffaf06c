"""Schedules over HTTP, on true services: made, shown, run, changed, deleted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from temporalio.service import RPCError, RPCStatusCode

from api.services import ScheduleLimits
from deploy.local.services import Services
from tests.integration.api_stage import WAIT_SECONDS, Stage, api_stage, end_schedules, pipeline
from workflows.schedule_contracts import schedule_name

HOURLY = "0 * * * *"


@pytest.fixture(scope="module")
async def stage(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API where schedules may run every second."""
    async with api_stage(
        infrastructure,
        skills_folder,
        sweep_interval_seconds=0.2,
        schedules=ScheduleLimits(least_seconds=1, most=1_000),
    ) as stage:
        yield stage
        await end_schedules(stage, infrastructure)


@pytest.fixture
def held(stage: Stage) -> Callable[[], None]:
    """Steps that wait are held until this is called."""
    stage.steps.released.clear()
    return stage.steps.released.set


def wanted(*sources: str, **more: Any) -> dict[str, Any]:
    """A request for a schedule of a pipeline of code steps: hourly, unless it says ``every``."""
    timing = {} if "every" in more else {"cron": HOURLY}
    task = {"pipeline": pipeline(*(sources or ("print x",)))}
    return {"name": f"test-{uuid4()}", "task": task, **timing, **more}


async def make(stage: Stage, *sources: str, **more: Any) -> dict[str, Any]:
    answer = await stage.http.post("/schedules", json=wanted(*sources, **more))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def show(stage: Stage, schedule_id: str) -> dict[str, Any]:
    answer = await stage.http.get(f"/schedules/{schedule_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def once(
    stage: Stage, schedule_id: str, holds: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The schedule, once something holds for it."""
    shown: dict[str, Any] = {}
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while not holds(shown := await show(stage, schedule_id)):
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(shown) from None
    return shown


async def run(stage: Stage, schedule_id: str) -> str:
    """Run it now; gives the id of the task."""
    answer = await stage.http.post(f"/schedules/{schedule_id}/run")
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


async def begun(stage: Stage, task_id: str, *statuses: str) -> dict[str, Any]:
    """A task, once it is there and in one of these states."""
    async with asyncio.timeout(WAIT_SECONDS):
        while (await stage.http.get(f"/tasks/{task_id}")).status_code == 404:
            await asyncio.sleep(0.05)
    return await stage.until(task_id, *statuses)


async def rows(stage: Stage, statement: str, **values: object) -> list[Any]:
    async with stage.database.reading(fresh=True) as connection:
        return list(await connection.execute(text(statement), values))


def _gaps(shown: dict[str, Any]) -> set[timedelta]:
    """Between the times of the runs that are shown."""
    times = sorted(datetime.fromisoformat(run["scheduled_at"]) for run in shown["runs"])
    return {after - before for before, after in pairwise(times)}


def statuses(shown: dict[str, Any]) -> list[str]:
    """Of its runs, the first one first."""
    return [run["status"] for run in reversed(shown["runs"])]


# Made and shown.


async def test_a_schedule_is_shown_with_its_next_ten_times_in_its_zone(stage: Stage) -> None:
    made = await make(stage, cron="30 8 * * MON-FRI", time_zone="Asia/Tokyo")
    shown = await show(stage, made["id"])
    times = [datetime.fromisoformat(each) for each in shown["next_times"]]
    assert len(times) == 10
    # 08:30 in Tokyo, which has no summer time.
    assert {(time.hour, time.minute) for time in times} == {(23, 30)}
    assert {time.isoweekday() for time in times} == {7, 1, 2, 3, 4}
    assert (shown["overlap"], shown["catch_up"], shown["paused"]) == ("skip", "1h", False)
    assert shown["problem"] is None
    assert shown["task"] == made["task"]


async def test_where_a_schedule_is_its_answer_says(stage: Stage) -> None:
    answer = await stage.http.post("/schedules", json=wanted())
    found = await stage.http.get(stage.url + answer.headers["Location"])
    assert found.json()["id"] == answer.json()["id"]


async def test_temporal_is_told_a_catch_up_window_even_when_nobody_names_one(stage: Stage) -> None:
    made = await make(stage)
    handle = stage.temporal.get_schedule_handle(schedule_name(UUID(made["id"])))
    assert (await handle.describe()).schedule.policy.catchup_window == timedelta(hours=1)


async def test_schedules_are_listed_by_page_and_by_name(stage: Stage) -> None:
    made = [await make(stage) for _ in range(3)]
    page = (await stage.http.get("/schedules", params={"limit": 2})).json()
    assert [item["id"] for item in page["items"]] == [made[2]["id"], made[1]["id"]]
    assert len(page["items"][0]["next_times"]) == 10
    assert "task" not in page["items"][0]
    following = {"limit": 1, "cursor": page["next_cursor"]}
    page = (await stage.http.get("/schedules", params=following)).json()
    assert [item["id"] for item in page["items"]] == [made[0]["id"]]
    named = (await stage.http.get("/schedules", params={"name": made[1]["name"]})).json()
    assert [item["id"] for item in named["items"]] == [made[1]["id"]]


# Refused.


@pytest.mark.parametrize(
    ("change", "pointer", "words"),
    [
        ({"cron": "61 * * * *"}, "/cron", "'61' is no minute"),
        ({"cron": "0 0 30 2 *"}, "/cron", "would never run"),
        ({"cron": None}, "", "give one of cron and every"),
        ({"every": "1h"}, "", "give one of cron and every"),
        ({"cron": None, "every": "0.5s"}, "/every", "at least 1s"),
        ({"cron": None, "every": "1.5s"}, "/every", "whole number of seconds"),
        ({"cron": None, "every": "367d"}, "/every", "at most 366d"),
        ({"cron": None, "every": "often"}, "/every", "is not a duration"),
        ({"cron": None, "every": "1h", "time_zone": "UTC"}, "/time_zone", "has no time zone"),
        ({"time_zone": "Europe/Berln"}, "/time_zone", "did you mean Europe/Berlin?"),
        ({"time_zone": "../../etc/passwd"}, "/time_zone", "there is no time zone"),
        ({"time_zone": ""}, "/time_zone", "at least 1 character"),
        ({"overlap": "queue"}, "/overlap", "skip"),
        ({"catch_up": "9s"}, "/catch_up", "at least 10s"),
        ({"catch_up": "1h30"}, "/catch_up", "is not a duration"),
        ({"catch_up": "31d"}, "/catch_up", "at most 30d"),
        ({"paused": "yes"}, "/paused", ""),
        ({"name": ""}, "/name", ""),
        ({"name": " x"}, "/name", "no blanks around it"),
        ({"name": "x\ny"}, "/name", "printable"),
        ({"name": "x" * 201}, "/name", "200"),
        ({"note": "x" * 1_001}, "/note", "1000"),
        ({"task": None}, "/task", ""),
        ({"often": True}, "/often", ""),
        ({"task": {"type": "agent"}}, "/task/prompt", "needs a prompt"),
        ({"task": {"type": "pipeline"}}, "/task/pipeline", "needs a pipeline"),
        ({"task": {"prompt": "x", "priority": 11}}, "/task/priority", ""),
        (
            {"task": {"pipeline": {"name": "x", "steps": [{"id": "a", "skill": "nothing"}]}}},
            "/task/pipeline/steps/0/skill",
            "nothing",
        ),
        (
            {"task": {"pipeline": {"name": "x", "steps": [{"id": "a", "tool": "write_fil"}]}}},
            "/task/pipeline/steps/0/tool",
            "write_file",
        ),
        (
            {
                "task": {
                    "pipeline": {**pipeline("print INPUT_DATA"), "inputs": ["data"]},
                    "inputs": {"data": "file:00000000-0000-4000-8000-00000000000f"},
                }
            },
            "/task/inputs/data",
            "there is no file",
        ),
    ],
    ids=str,
)
async def test_what_is_wrong_with_a_schedule_is_told_when_it_is_made(
    stage: Stage, change: dict[str, Any], pointer: str, words: str
) -> None:
    body = {key: value for key, value in {**wanted(), **change}.items() if value is not None}
    answer = await stage.http.post("/schedules", json=body)
    assert answer.status_code == 422, answer.text
    [problem, *_] = answer.json()["errors"]
    assert problem["pointer"] == pointer
    assert words in problem["message"]
    named = await stage.http.get("/schedules", params={"name": body.get("name", "")[:200]})
    assert named.json()["items"] == []


async def test_more_than_a_server_allows_is_refused(
    infrastructure: Services, skills_folder: Path
) -> None:
    limits = ScheduleLimits(least_seconds=300, most=2)
    async with api_stage(infrastructure, skills_folder, works=False, schedules=limits) as stage:
        for often, pointer in (({"every": "299s"}, "/every"), ({"cron": "* * * * *"}, "/cron")):
            answer = await stage.http.post("/schedules", json=wanted(**often))
            assert answer.json()["errors"][0]["pointer"] == pointer
            assert "AGENTOS_SCHEDULE_SECONDS" in answer.text
        first = await make(stage, cron="*/5 * * * *")
        taken = await stage.http.post("/schedules", json=wanted(name=first["name"]))
        assert (taken.status_code, taken.json()["code"]) == (409, "schedule-name-taken")
        answers = await asyncio.gather(
            *(stage.http.post("/schedules", json=wanted()) for _ in range(3))
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
        assert {answer.json().get("code") for answer in answers} == {None, "too-many-schedules"}
        await stage.http.delete(f"/schedules/{first['id']}")
        await make(stage, name=first["name"])


async def test_a_change_that_is_wrong_changes_nothing(stage: Stage) -> None:
    other, made = await make(stage), await make(stage)
    for change, status in (
        ({"cron": "no"}, 422),
        ({"cron": HOURLY, "every": "1h"}, 422),
        ({"every": "1h", "time_zone": "Europe/Berlin"}, 422),
        ({"task": {"type": "plan"}}, 422),
        ({"name": other["name"]}, 409),
    ):
        answer = await stage.http.patch(f"/schedules/{made['id']}", json=change)
        assert answer.status_code == status, change
    assert (await show(stage, made["id"]))["version"] == 1


# Run.


async def test_a_schedule_makes_a_task_at_each_of_its_times(stage: Stage) -> None:
    made = await make(stage, "print x", every="1s", overlap="all")
    await once(stage, made["id"], lambda it: len(it["runs"]) >= 4)
    await stage.http.patch(f"/schedules/{made['id']}", json={"paused": True})
    # Their tasks may be written in another order, but then all are there.
    shown = await once(stage, made["id"], lambda it: _gaps(it) == {timedelta(seconds=1)})
    assert (shown["left_out"], shown["missed"]) == (0, 0)
    task = await stage.until(shown["runs"][-1]["task_id"], "completed")
    assert task["schedule_id"] == made["id"]
    listed = (await stage.http.get("/tasks", params={"schedule_id": made["id"]})).json()["items"]
    assert {run["task_id"] for run in shown["runs"]} <= {item["task_id"] for item in listed}
    other = (await stage.http.get("/tasks", params={"schedule_id": str(uuid4())})).json()["items"]
    assert other == []


async def test_the_task_of_a_run_is_a_child_of_it_with_the_title_and_priority_of_any_other(
    stage: Stage, held: Callable[[], None]
) -> None:
    made = await make(stage, "wait", paused=True)
    body = {"task": {**made["task"], "priority": 9}}
    assert (await stage.http.patch(f"/schedules/{made['id']}", json=body)).status_code == 200
    task_id = await run(stage, made["id"])
    await begun(stage, task_id, "running")
    handle = stage.temporal.get_workflow_handle(f"task-{task_id}")
    found = await handle.describe()
    assert found.parent_id is not None
    assert found.parent_id.startswith(f"scheduled-{made['id']}-")
    assert await found.static_summary() == "test"
    assert await found.memo_value("run") == 1
    priority = found.raw_description.workflow_execution_info.priority
    assert priority.priority_key == 1
    assert priority.fairness_key
    held()
    task = await stage.until(task_id, "completed")
    assert task["priority"] == 9


async def test_a_paused_run_is_nothing_that_its_schedule_hears_of(
    stage: Stage, held: Callable[[], None]
) -> None:
    made = await make(stage, "wait", "print x")
    task_id = await run(stage, made["id"])
    await begun(stage, task_id, "running")
    assert (await stage.http.post(f"/tasks/{task_id}/pause")).status_code == 202
    held()
    await stage.until(task_id, "paused")
    assert (await stage.http.post(f"/tasks/{task_id}/resume")).status_code == 202
    await stage.until(task_id, "completed")
    found = await stage.temporal.get_workflow_handle(f"task-{task_id}").describe()
    assert found.parent_id is not None
    history = await stage.temporal.get_workflow_handle(found.parent_id).fetch_history()
    signalled = "workflow_execution_signaled_event_attributes"
    assert not any(event.HasField(signalled) for event in history.events)


async def test_runs_that_people_ask_for_at_once_are_all_made(stage: Stage) -> None:
    made = await make(stage, overlap="all")
    ids = await asyncio.gather(*(run(stage, made["id"]) for _ in range(4)))
    assert len({*ids}) == 4
    for task_id in ids:
        await begun(stage, task_id, "completed")


async def test_more_runs_than_can_be_waited_for_are_refused(stage: Stage) -> None:
    made = await make(stage, overlap="all")
    later = datetime.now(UTC) + timedelta(seconds=60)
    await stage.execute(
        "UPDATE schedules SET asked = jsonb_build_array(CAST(:later AS text)) WHERE id = :id",
        later=later.replace(microsecond=0).isoformat(),
        id=UUID(made["id"]),
    )
    answer = await stage.http.post(f"/schedules/{made['id']}/run")
    assert (answer.status_code, answer.json()["code"]) == (429, "too-many-runs-asked")
    assert int(answer.headers["Retry-After"]) > 0


# Overlap.


async def test_a_run_that_would_overlap_is_left_out(stage: Stage, held: Callable[[], None]) -> None:
    made = await make(stage, "wait", every="1s")
    shown = await once(stage, made["id"], lambda it: (it["left_out"] or 0) >= 2)
    assert statuses(shown) == ["running"]
    answer = await stage.http.post(f"/schedules/{made['id']}/run")
    assert (answer.status_code, answer.json()["code"]) == (409, "schedule-still-runs")
    held()
    await once(stage, made["id"], lambda it: statuses(it)[:2] == ["completed", "completed"])
    await stage.http.delete(f"/schedules/{made['id']}")


async def test_one_run_waits_for_the_end_of_the_task_before_it(
    stage: Stage, held: Callable[[], None]
) -> None:
    made = await make(stage, "wait", overlap="buffer")
    first, second = await run(stage, made["id"]), await run(stage, made["id"])
    await begun(stage, first, "running")
    assert statuses(await show(stage, made["id"])) == ["running"]
    held()
    await begun(stage, second, "completed")
    assert statuses(await show(stage, made["id"])) == ["completed", "completed"]


async def test_the_task_that_runs_is_cancelled_for_the_next(
    stage: Stage, held: Callable[[], None]
) -> None:
    made = await make(stage, "wait", overlap="cancel")
    first = await run(stage, made["id"])
    await begun(stage, first, "running")
    second = await run(stage, made["id"])
    await begun(stage, second, "running")
    assert (await stage.task(first))["status"] == "cancelled"
    held()
    await stage.until(second, "completed")


async def test_tasks_run_side_by_side_where_all_may(stage: Stage, held: Callable[[], None]) -> None:
    made = await make(stage, "wait", overlap="all")
    ids = [await run(stage, made["id"]) for _ in range(2)]
    for task_id in ids:
        await begun(stage, task_id, "running")
    held()
    for task_id in ids:
        await stage.until(task_id, "completed")


async def test_a_task_that_a_person_cancels_is_no_end_of_its_schedule(
    stage: Stage, held: Callable[[], None]
) -> None:
    made = await make(stage, "wait")
    first = await run(stage, made["id"])
    await begun(stage, first, "running")
    assert (await stage.http.post(f"/tasks/{first}/cancel")).status_code == 202
    await stage.until(first, "cancelled")
    held()
    answer = await stage.http.post(f"/schedules/{made['id']}/run")
    while answer.status_code == 409:
        await asyncio.sleep(0.05)
        answer = await stage.http.post(f"/schedules/{made['id']}/run")
    await begun(stage, answer.json()["task_id"], "completed")


# Changed.


async def test_a_paused_schedule_runs_only_when_a_person_asks(stage: Stage) -> None:
    made = await make(stage, every="1s", paused=True, note="not yet")
    assert (made["paused"], made["next_times"], made["note"]) == (True, [], "not yet")
    await asyncio.sleep(1.5)
    assert (await show(stage, made["id"]))["runs"] == []
    asked = await run(stage, made["id"])
    await begun(stage, asked, "completed")
    assert len((await show(stage, made["id"]))["runs"]) == 1
    resumed = await stage.http.patch(f"/schedules/{made['id']}", json={"paused": False})
    assert len(resumed.json()["next_times"]) == 10
    await once(stage, made["id"], lambda it: len(it["runs"]) >= 2)
    await stage.http.delete(f"/schedules/{made['id']}")


async def test_a_change_holds_from_the_next_run_on(stage: Stage) -> None:
    made = await make(stage, "print x", cron=HOURLY, time_zone="Europe/Berlin")
    body = {
        "name": f"{made['name']}-2",
        "every": "2h",
        "overlap": "all",
        "catch_up": "1m",
        "task": {"pipeline": pipeline("print y", "print z")},
    }
    changed = (await stage.http.patch(f"/schedules/{made['id']}", json=body)).json()
    assert (changed["cron"], changed["every"], changed["time_zone"]) == (None, "2h", "UTC")
    assert (changed["overlap"], changed["catch_up"]) == ("all", "1m")
    assert (changed["name"], changed["version"]) == (body["name"], 2)
    first, second = map(datetime.fromisoformat, changed["next_times"][:2])
    assert second - first == timedelta(hours=2)
    task = await begun(stage, await run(stage, made["id"]), "completed")
    assert [step["name"] for step in task["sub_tasks"]] == ["a", "b"]


async def test_what_is_done_to_a_schedule_is_written_down(stage: Stage) -> None:
    made = await make(stage, note="why")
    path = f"/schedules/{made['id']}"
    await stage.http.patch(path, json={"paused": True, "note": "holidays"})
    await stage.http.patch(path, json={"paused": False})
    await stage.http.patch(path, json={"overlap": "all"})
    await run(stage, made["id"])
    await stage.http.delete(path)
    found = await rows(
        stage,
        "SELECT action, note FROM audit_log WHERE target = :id ORDER BY created_at",
        id=made["id"],
    )
    assert [tuple(row) for row in found] == [
        ("schedule.created", "why"),
        ("schedule.paused", "holidays"),
        ("schedule.resumed", ""),
        ("schedule.changed", ""),
        ("schedule.ran", ""),
        ("schedule.deleted", ""),
    ]


async def test_a_deleted_schedule_is_gone_from_both_and_its_tasks_stay(stage: Stage) -> None:
    made = await make(stage)
    task_id = await run(stage, made["id"])
    await begun(stage, task_id, "completed")
    assert (await stage.http.delete(f"/schedules/{made['id']}")).status_code == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("PATCH", ""), ("POST", "/run")):
        body = {} if method == "PATCH" else None
        answer = await stage.http.request(method, f"/schedules/{made['id']}{path}", json=body)
        assert answer.status_code == 404, method
    handle = stage.temporal.get_schedule_handle(schedule_name(UUID(made["id"])))
    with pytest.raises(RPCError) as caught:
        await handle.describe()
    assert caught.value.status is RPCStatusCode.NOT_FOUND
    assert await rows(stage, "SELECT 1 FROM schedules WHERE id = :id", id=made["id"]) == []
    assert (await stage.task(task_id))["schedule_id"] == made["id"]


# A definition that has become wrong.


async def test_a_task_that_cannot_be_any_more_fails_with_the_reason_and_can_be_retried(
    stage: Stage,
) -> None:
    uploads = [
        (await stage.http.post("/files", files={"file": ("a.txt", data)})).json()
        for data in (uuid4().bytes, uuid4().bytes)
    ]
    gone, there = (f"file:{upload['id']}" for upload in uploads)
    task = {
        "pipeline": {**pipeline("print INPUT_DATA"), "inputs": ["data"]},
        "inputs": {"data": gone},
    }
    made = await make(stage, task=task)
    await stage.execute("DELETE FROM files WHERE id = :id", id=UUID(uploads[0]["id"]))
    task_id = await run(stage, made["id"])
    failed = await begun(stage, task_id, "failed")
    assert failed["error"]["code"] == "scheduled-task-refused"
    assert f"/inputs/data: there is no file with the id of {gone}" in failed["error"]["message"]
    shown = await show(stage, made["id"])
    assert shown["runs"][0]["error"]["code"] == "scheduled-task-refused"
    answer = await stage.http.post(f"/tasks/{task_id}/retry", json={"inputs": {"data": there}})
    assert answer.status_code == 202, answer.text
    await stage.until(task_id, "completed")


async def test_a_request_that_is_no_request_any_more_fails_with_the_reason(stage: Stage) -> None:
    made = await make(stage)
    await stage.execute(
        "UPDATE schedules SET task = jsonb_build_object('type', 'agent', 'colour', 'red') "
        "WHERE id = :id",
        id=UUID(made["id"]),
    )
    failed = await begun(stage, await run(stage, made["id"]), "failed")
    assert "/colour" in failed["error"]["message"]
    assert failed["name"] == made["name"]


@pytest.mark.parametrize(
    "timing",
    [
        {"cron": "30 8 * * MON-FRI", "time_zone": "Europe/Berlin"},
        {"cron": "0 2 1 * MON", "time_zone": "America/New_York"},
        {"cron": "@hourly", "time_zone": "Asia/Kathmandu"},
        {"cron": "*/20 * * * *"},
        {"every": "90m"},
    ],
)
async def test_a_check_foretells_the_times_that_temporal_counts(
    stage: Stage, timing: dict[str, str]
) -> None:
    body = {"every": None, **wanted("print x", **timing), "paused": False}
    body = {**body, "cron": timing.get("cron"), "every": timing.get("every")}
    before = (await stage.http.post("/schedules/check", json=body)).json()
    made = (await stage.http.post("/schedules", json=body)).json()
    after = (await stage.http.post("/schedules/check", json=body)).json()
    assert before["valid"]
    assert made["next_times"][:5] in (before["next_times"], after["next_times"])


async def test_a_check_of_a_schedule_tells_all_that_is_wrong_and_makes_none(stage: Stage) -> None:
    body = wanted("print x", cron="0 0 * * *", time_zone="Mars/Base")
    body["task"]["pipeline"]["steps"][0]["skill"] = "gret"
    answer = (await stage.http.post("/schedules/check", json=body)).json()
    assert not answer["valid"]
    assert answer["next_times"] == []
    pointers = {each["pointer"] for each in answer["problems"]}
    assert {"/time_zone", "/task/pipeline/steps/0"} <= pointers
    listed = await stage.http.get("/schedules", params={"name": body["name"]})
    assert listed.json()["items"] == []


async def test_the_times_of_a_schedule_are_told_before_the_rest_is_right(stage: Stage) -> None:
    answer = await stage.http.post("/schedules/check", json={"cron": "0 0 * * *"})
    assert answer.status_code == 200
    assert len(answer.json()["next_times"]) == 5
    assert {each["pointer"] for each in answer.json()["problems"]} == {"/name", "/task"}
