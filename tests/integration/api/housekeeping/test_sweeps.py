"""What is not kept any longer goes, and nothing else."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from activities.retention import NAMES, Retention
from activities.store.keys import DEFAULT_TEAM
from activities.store.retention import set_retention
from api.housekeeping.housekeeper import Housekeeper
from api.housekeeping.options import HousekeepingOptions
from deploy.local.services import Services
from tests.actors import SOMEBODY
from tests.integration.agent_stage import agent_stage, submit, working_agents
from tests.integration.api_stage import Stage, api_stage, pipeline

NEVER = 3_600.0
FOREVER = Retention.model_validate(dict.fromkeys(NAMES))
RESTING = HousekeepingOptions(interval_seconds=NEVER)


@pytest.fixture(scope="module")
async def shared(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    async with api_stage(infrastructure, skills_folder, housekeeping=RESTING) as stage:
        yield stage


@pytest.fixture
async def own(shared: Stage) -> Stage:
    """An empty API whose own housekeeping rests: the test makes the passes."""
    shared.steps.released.clear()
    await shared.execute("TRUNCATE tasks, files, schedules, sweeps, audit_log CASCADE")
    await shared.execute("UPDATE teams SET retention = NULL")
    return shared


def kept(**days: int | None) -> HousekeepingOptions:
    """All for ever but these."""
    retention = FOREVER.model_copy(update=days)
    return HousekeepingOptions(retention=retention, rest_seconds=0.0, work_seconds=20.0)


async def sweep(stage: Stage, options: HousekeepingOptions) -> None:
    """As many passes as it takes: in one, none has more than half a second on a busy machine."""
    services = replace(
        stage.services, options=replace(stage.services.options, housekeeping=options)
    )
    housekeeper = Housekeeper(services)
    await housekeeper.sweep()
    while await _is_something_left(stage):
        await housekeeper.sweep()


async def _is_something_left(stage: Stage) -> bool:
    async with stage.database.reading(fresh=True) as connection:
        left = text("SELECT count(*) FROM sweeps WHERE remaining > 0")
        return bool(await connection.scalar(left))


async def count(stage: Stage, table: str, task_id: str, where: str = "true") -> int:
    async with stage.database.reading(fresh=True) as connection:
        return int(
            await connection.scalar(
                text(f"SELECT count(*) FROM {table} WHERE task_id = :id AND {where}"),
                {"id": UUID(task_id)},
            )
            or 0
        )


async def end_before(stage: Stage, task_id: str, days: int) -> None:
    await stage.execute(
        "UPDATE tasks SET finished_at = now() - make_interval(days => :days)"
        " WHERE id = :id OR parent_id = :id",
        days=days,
        id=UUID(task_id),
    )


async def ended(stage: Stage, *sources: str, days: int = 40, **more: Any) -> str:
    """A pipeline that has ended so many days ago."""
    task_id = await stage.submit(*(sources or ("print x\nfile a.txt a",)), **more)
    await stage.until(task_id, "completed", "failed")
    await end_before(stage, task_id, days)
    return task_id


async def test_events_go_some_days_after_the_end_of_their_task(own: Stage) -> None:
    old, young, living = await ended(own), await ended(own, days=29), await own.submit("wait")
    await own.until(living, "running")
    await own.execute("UPDATE events SET created_at = now() - interval '1 year'")
    await sweep(own, kept(events=30))
    assert await count(own, "events", old) == 0
    assert await count(own, "events", young) > 0
    assert await count(own, "events", living) > 0
    task = await own.task(old)
    assert (task["status"], len(task["artifacts"])) == ("completed", 1)
    own.steps.released.set()
    await own.until(living, "completed")


async def test_a_sweep_goes_on_behind_the_tasks_at_which_it_has_looked(own: Stage) -> None:
    first = await ended(own, days=50)
    await sweep(own, kept(events=30))
    # Were it looked at again, these would go as well.
    await own.execute(
        "INSERT INTO events (task_id, seq, team_id, type, data)"
        " SELECT id, 1, team_id, 'usage', '{}' FROM tasks WHERE id = :id",
        id=UUID(first),
    )
    second = await ended(own, days=45)
    await sweep(own, kept(events=30))
    assert await count(own, "events", first) == 1
    assert await count(own, "events", second) == 0


async def test_a_task_that_was_retried_is_swept_after_its_new_end(own: Stage) -> None:
    task_id = await ended(own, "print x", "fail", days=50)
    await sweep(own, kept(events=30))
    assert (await own.http.post(f"/tasks/{task_id}/retry")).status_code == 202
    await own.until(task_id, "failed")
    await sweep(own, kept(events=30))
    assert await count(own, "events", task_id) > 0
    await end_before(own, task_id, 31)
    await sweep(own, kept(events=30))
    assert await count(own, "events", task_id) == 0


async def test_logs_lose_their_text_and_keep_times_and_results(own: Stage) -> None:
    task_id = await ended(own, 'print {"rows": 3}')
    await own.execute("UPDATE execution_logs SET stderr = 'warning'")
    await sweep(own, kept(logs=30))
    assert await count(own, "execution_logs", task_id, "stderr = ''") == 1
    task = await own.task(task_id)
    assert (task["result"]["json"], task["usage"]["attempts"]) == ({"rows": 3}, 1)


async def test_what_a_failed_attempt_printed_goes_with_the_logs(own: Stage) -> None:
    task_id = await ended(own, "fail")
    await own.execute("UPDATE execution_logs SET stdout = 'long'")
    await sweep(own, kept(logs=30))
    assert await count(own, "execution_logs", task_id, "stdout = ''") == 1


async def test_a_pipeline_whose_output_is_gone_is_not_resumed_in_the_middle(own: Stage) -> None:
    definition = pipeline("print x", "fail")
    definition["steps"][1]["args"] = ["${steps.a.stdout}"]
    answer = await own.http.post("/tasks", json={"pipeline": definition})
    task_id = answer.json()["task_id"]
    await own.until(task_id, "failed")
    await end_before(own, task_id, 40)
    await sweep(own, kept(logs=30))
    answer = await own.http.post(f"/tasks/{task_id}/retry")
    assert (answer.status_code, "logs" in answer.text) == (409, True)
    assert (await own.http.post(f"/tasks/{task_id}/retry", json={"from": "a"})).status_code == 202


async def test_a_pipeline_that_reads_no_output_is_resumed_without_its_logs(own: Stage) -> None:
    task_id = await ended(own, "print x", "fail")
    await sweep(own, kept(logs=30))
    assert (await own.http.post(f"/tasks/{task_id}/retry")).status_code == 202


async def test_a_conversation_loses_its_words_and_keeps_what_it_cost(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with (
        agent_stage(infrastructure, skills_folder, housekeeping=RESTING) as stage,
        working_agents(stage),
    ):
        task_id = await submit(stage, "call a", "call b", "finish x")
        before = await stage.until(task_id, "completed")
        await end_before(stage, task_id, 40)
        await sweep(stage, kept(conversations=30))
        after = await stage.task(task_id)
        assert after["usage"] == before["usage"]
        assert after["result"] == before["result"]
        assert await count(stage, "messages", task_id, "content <> ''") == 0
        body = {"from": after["sub_tasks"][1]["name"]}
        answer = await stage.http.post(f"/tasks/{task_id}/retry", json=body)
        assert (answer.status_code, "conversations" in answer.text) == (409, True)
        body = {"from": "start"}
        assert (await stage.http.post(f"/tasks/{task_id}/retry", json=body)).is_success
        await stage.until(task_id, "completed")


async def test_artifacts_go_but_those_that_another_task_was_given(own: Stage) -> None:
    made = await ended(own, "file a.txt a\nfile b.txt b")
    one, other = (await own.task(made))["artifacts"]
    user = {"pipeline": {**pipeline("INPUT_DATA"), "inputs": ["data"]}}
    answer = await own.http.post(
        "/tasks", json={**user, "inputs": {"data": f"artifact:{one['id']}"}}
    )
    assert answer.status_code == 202
    await sweep(own, kept(artifacts=30))
    assert [item["id"] for item in (await own.task(made))["artifacts"]] == [one["id"]]
    assert (await own.http.get(f"/artifacts/{other['id']}")).status_code == 404


async def upload(stage: Stage, content: bytes = b"x") -> str:
    answer = await stage.http.post("/files", files={"file": ("a.txt", content)})
    return str(answer.json()["id"])


async def test_a_file_that_no_task_names_goes_and_one_that_is_named_stays(own: Stage) -> None:
    named, unnamed, young = [await upload(own, content) for content in (b"1", b"2", b"3")]
    body = {"pipeline": {**pipeline("INPUT_DATA"), "inputs": ["data"]}}
    inputs = {"data": f"file:{named}"}
    assert (await own.http.post("/tasks", json={**body, "inputs": inputs})).status_code == 202
    await own.execute(
        "UPDATE files SET named_at = now() - interval '91 days' WHERE id <> :id", id=UUID(young)
    )
    await sweep(own, kept(files=90))
    found = [(await own.http.get(f"/files/{key}")).status_code for key in (named, unnamed, young)]
    assert found == [200, 404, 200]


async def test_a_file_that_a_task_is_about_to_name_is_not_removed(own: Stage) -> None:
    file_id = await upload(own)
    await own.execute("UPDATE files SET named_at = now() - interval '91 days'")
    body = {"pipeline": {**pipeline("INPUT_DATA"), "inputs": ["data"]}}
    inputs = {"data": f"file:{file_id}"}
    task_id = (await own.http.post("/tasks", json={**body, "inputs": inputs})).json()["task_id"]
    await own.until(task_id, "completed", "failed")
    assert (await own.http.delete(f"/tasks/{task_id}")).status_code == 204
    await sweep(own, kept(files=90))
    assert (await own.http.get(f"/files/{file_id}")).status_code == 200


async def test_a_file_that_is_uploaded_again_is_kept_as_long_as_a_new_one(own: Stage) -> None:
    file_id = await upload(own)
    await own.execute("UPDATE files SET named_at = now() - interval '91 days'")
    assert await upload(own) == file_id
    await sweep(own, kept(files=90))
    assert (await own.http.get(f"/files/{file_id}")).status_code == 200


async def schedule(stage: Stage, ref: str) -> str:
    """A schedule whose runs are given a file; none of them is due in the test."""
    body = {
        "name": "nightly",
        "cron": "0 0 1 1 *",
        "paused": True,
        "task": {
            "pipeline": {**pipeline("INPUT_DATA"), "inputs": ["data"]},
            "inputs": {"data": ref},
        },
    }
    answer = await stage.http.post("/schedules", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_file_that_a_schedule_names_stays_until_the_schedule_is_gone(own: Stage) -> None:
    file_id = await upload(own)
    schedule_id = await schedule(own, f"file:{file_id}")
    await own.execute("UPDATE files SET named_at = now() - interval '91 days'")
    await sweep(own, kept(files=90))
    assert (await own.http.get(f"/files/{file_id}")).status_code == 200
    assert (await own.http.delete(f"/schedules/{schedule_id}")).status_code == 204
    await sweep(own, kept(files=90))
    assert (await own.http.get(f"/files/{file_id}")).status_code == 404


async def test_a_file_that_a_schedule_is_about_to_name_is_not_removed(own: Stage) -> None:
    file_id = await upload(own)
    await own.execute("UPDATE files SET named_at = now() - interval '91 days'")
    schedule_id = await schedule(own, f"file:{file_id}")
    assert (await own.http.delete(f"/schedules/{schedule_id}")).status_code == 204
    await sweep(own, kept(files=90))
    assert (await own.http.get(f"/files/{file_id}")).status_code == 200


async def test_artifacts_stay_that_a_schedule_names_and_so_does_their_task(own: Stage) -> None:
    made = await ended(own, "file a.txt a\nfile b.txt b")
    one, _ = (await own.task(made))["artifacts"]
    schedule_id = await schedule(own, f"artifact:{one['id']}")
    await sweep(own, kept(artifacts=30, tasks=30))
    assert [item["id"] for item in (await own.task(made))["artifacts"]] == [one["id"]]
    answer = await own.http.delete(f"/tasks/{made}")
    assert (answer.status_code, "schedule 'nightly'" in answer.text) == (409, True)
    assert (await own.http.delete(f"/schedules/{schedule_id}")).status_code == 204
    assert (await own.http.delete(f"/tasks/{made}")).status_code == 204


@pytest.mark.parametrize("user", ["schedule", "task"])
async def test_a_plan_stays_while_a_file_of_a_node_of_a_node_is_used(own: Stage, user: str) -> None:
    plan, node, below = await ended(own), await ended(own), await ended(own, "file a.txt a")
    for child, parent in ((node, plan), (below, node)):
        await own.execute(
            "UPDATE tasks SET parent_id = :parent WHERE id = :id",
            parent=UUID(parent),
            id=UUID(child),
        )
    ref = f"artifact:{(await own.task(below))['artifacts'][0]['id']}"
    if user == "schedule":
        await schedule(own, ref)
    else:
        definition = pipeline("wait")
        definition["steps"][0]["args"] = ["${inputs.data}"]
        body = {"pipeline": {**definition, "inputs": ["data"]}, "inputs": {"data": ref}}
        waiting = (await own.http.post("/tasks", json=body)).json()["task_id"]
        await own.until(waiting, "running")
    await sweep(own, kept(tasks=30))
    assert (await own.http.get(f"/tasks/{below}")).status_code == 200
    if user == "task":
        own.steps.released.set()
        await own.until(waiting, "completed")
        await sweep(own, kept(tasks=30))
        assert (await own.http.get(f"/tasks/{below}")).status_code == 404


async def test_what_a_task_fetched_goes_with_the_task_and_not_before(own: Stage) -> None:
    task_id, file_id = await ended(own), await upload(own)
    await own.execute(
        "UPDATE files SET task_id = :task, named_at = now() - interval '1 year' WHERE id = :id",
        task=UUID(task_id),
        id=UUID(file_id),
    )
    await sweep(own, kept(files=90))
    assert (await own.http.get(f"/files/{file_id}")).status_code == 200
    await own.http.delete(f"/tasks/{task_id}")
    assert (await own.http.get(f"/files/{file_id}")).status_code == 404


async def test_tasks_go_with_all_they_have_where_a_setting_says_so(own: Stage) -> None:
    old, young = await ended(own), await ended(own, days=29)
    await sweep(own, kept(tasks=30))
    assert (await own.http.get(f"/tasks/{old}")).status_code == 404
    assert (await own.http.get(f"/tasks/{young}")).status_code == 200
    for table in ("sub_tasks", "events", "execution_logs", "task_artifacts"):
        assert await count(own, table, old) == 0


async def test_a_task_stays_whose_file_is_the_input_of_one_that_runs(own: Stage) -> None:
    old = await ended(own)
    [artifact] = (await own.task(old))["artifacts"]
    definition = pipeline("wait")
    definition["steps"][0]["args"] = ["${inputs.data}"]
    body = {"pipeline": {**definition, "inputs": ["data"]}}
    inputs = {"data": f"artifact:{artifact['id']}"}
    user = (await own.http.post("/tasks", json={**body, "inputs": inputs})).json()["task_id"]
    await sweep(own, kept(tasks=30))
    answer = await own.http.delete(f"/tasks/{old}")
    assert (answer.status_code, user in answer.text) == (409, True)
    own.steps.released.set()
    await own.until(user, "completed")
    assert (await own.http.delete(f"/tasks/{old}")).status_code == 204


async def test_the_audit_log_goes_when_it_is_old(own: Stage) -> None:
    await own.http.delete(f"/tasks/{await ended(own)}")
    await own.http.delete(f"/tasks/{await ended(own)}")
    await own.execute(
        "UPDATE audit_log SET created_at = now() - interval '400 days'"
        " WHERE id = (SELECT id FROM audit_log LIMIT 1)"
    )
    await sweep(own, kept(audit=365))
    async with own.database.reading(fresh=True) as connection:
        assert await connection.scalar(text("SELECT count(*) FROM audit_log")) == 1


async def test_a_dead_letter_goes_some_days_after_somebody_has_dealt_with_it(own: Stage) -> None:
    old, young, open_ = [await ended(own, "fail") for _ in range(3)]
    for task_id, days in ((old, 91), (young, 89)):
        await own.execute(
            "UPDATE dead_letters SET state = 'discarded',"
            " ended_at = now() - make_interval(days => :days) WHERE task_id = :id",
            days=days,
            id=UUID(task_id),
        )
    await own.execute("UPDATE dead_letters SET created_at = now() - interval '1 year'")
    await sweep(own, kept(dead_letters=90))
    left = [await count(own, "dead_letters", task_id) for task_id in (old, young, open_)]
    assert left == [0, 1, 1]


async def test_bulk_runs_go_some_days_after_they_ended_in_pieces_with_their_letters(
    own: Stage,
) -> None:
    await own.execute("DELETE FROM bulk_runs")
    for note, state, days, item in (
        ("old", "completed", 91, "completed"),
        ("young", "completed", 89, "completed"),
        ("awaited", "aborted", 91, "requeued"),
        ("running", "running", None, "open"),
    ):
        await own.execute(
            "WITH run AS (INSERT INTO bulk_runs (id, team_id, actor, action, state, reason, note,"
            " request, canary, rate, ended_at) VALUES (gen_random_uuid(), :team, 'a', 'requeue',"
            " :state, '', :note, '{}', 0, 1, now() - make_interval(days => CAST(:days AS int)))"
            " RETURNING id)"
            " INSERT INTO bulk_items (bulk_id, number, letter_id, task_id, run, fingerprint, state)"
            " SELECT id, n, id, id, 2, 'f', :item FROM run, generate_series(1, 3000) AS n",
            team=DEFAULT_TEAM,
            state=state,
            note=note,
            days=days,
            item=item,
        )
    await sweep(own, kept(dead_letters=90))
    async with own.database.reading(fresh=True) as connection:
        left = await connection.execute(
            text(
                "SELECT note, count(*) FROM bulk_runs JOIN bulk_items ON bulk_id = bulk_runs.id"
                " GROUP BY note"
            )
        )
        assert {tuple(row) for row in left} == {
            (note, 3000) for note in ("young", "awaited", "running")
        }
        orphans = text("SELECT count(*) FROM bulk_runs WHERE note = 'old'")
        assert await connection.scalar(orphans) == 0


async def test_results_go_when_they_have_expired_but_those_that_are_being_made(own: Stage) -> None:
    await own.execute("DELETE FROM result_cache")
    for name, days, owned in (
        ("old", -1, None),
        ("left", -1, -1),
        ("made", -1, 1),
        ("young", 1, None),
    ):
        await own.execute(
            "INSERT INTO result_cache (id, team_id, key, kind, name, step, expires_at, files,"
            " refused, stdout, stderr, hits, owned_until) VALUES (gen_random_uuid(), :team, :name,"
            " 'skill', :name, 'a', now() + make_interval(days => :days), '[]', '[]', '', '', 0,"
            " now() + make_interval(days => CAST(:owned AS int)))",
            team=DEFAULT_TEAM,
            name=name,
            days=days,
            owned=owned,
        )
    await sweep(own, kept())
    async with own.database.reading(fresh=True) as connection:
        left = set(await connection.scalars(text("SELECT name FROM result_cache")))
    assert left == {"made", "young"}


async def test_a_team_keeps_its_things_as_long_as_it_has_set(own: Stage) -> None:
    task_id = await ended(own)
    await set_retention(own.database, SOMEBODY, {"events": None}, ())
    await sweep(own, kept(events=30))
    assert await count(own, "events", task_id) > 0
    shown = (await own.http.get("/housekeeping")).json()
    events = next(item for item in shown["sweeps"] if item["name"] == "events")
    assert (events["keep_days"], events["is_own"]) == (None, True)
    await set_retention(own.database, SOMEBODY, {}, ("events",))
    await sweep(own, kept(events=30))
    assert await count(own, "events", task_id) == 0


async def test_a_pass_is_left_to_whoever_makes_one(own: Stage) -> None:
    task_id = await ended(own)
    await own.execute(
        "UPDATE housekeeping SET holder = 'other', held_until = now() + interval '1 hour'"
    )
    await sweep(own, kept(events=30))
    assert await count(own, "events", task_id) > 0
    await own.execute("UPDATE housekeeping SET held_until = now() - interval '1 second'")
    await sweep(own, kept(events=30))
    assert await count(own, "events", task_id) == 0


async def test_what_was_removed_is_shown_and_measured(own: Stage) -> None:
    await ended(own)
    await sweep(own, kept(events=30))
    shown = (await own.http.get("/housekeeping")).json()
    events = next(item for item in shown["sweeps"] if item["name"] == "events")
    assert events["removed"] > 0
    assert events["remaining"] == 0
    assert shown["last_pass"]["removed"] >= events["removed"]
    metrics = (await own.http.get(f"{own.url}/metrics")).text
    assert (
        f'agentos_housekeeping_removed_total{{sweep="events"}} {float(events["removed"])}'
        in metrics
    )


async def test_another_team_sees_nothing_of_what_was_removed(own: Stage) -> None:
    await ended(own)
    await sweep(own, kept(events=30))
    other = await own.team()
    shown = (await other.get("/housekeeping")).json()
    assert {item["removed"] for item in shown["sweeps"]} == {0}


# Text that a model said while it said it.


async def say(stage: Stage, task_id: str, turn: int, seconds: float) -> None:
    await stage.execute(
        "INSERT INTO events (task_id, seq, team_id, type, data, created_at)"
        " SELECT id, 1000 + :turn, team_id, 'llm.delta', jsonb_build_object('turn', :turn),"
        " now() - make_interval(secs => :seconds) FROM tasks WHERE id = :id",
        turn=turn,
        seconds=seconds,
        id=UUID(task_id),
    )


async def test_streamed_text_goes_once_its_message_is_written(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with (
        agent_stage(infrastructure, skills_folder, housekeeping=RESTING) as stage,
        working_agents(stage),
    ):
        task_id = await submit(stage, "ask b", "finish x")
        await stage.until(task_id, "waiting")
        await say(stage, task_id, 1, 60)
        await say(stage, task_id, 2, 60)  # There is no message of turn 2 yet.
        await sweep(stage, kept())
        async with stage.database.reading(fresh=True) as connection:
            left = await connection.scalars(
                text("SELECT seq FROM events WHERE type = 'llm.delta' AND task_id = :id"),
                {"id": UUID(task_id)},
            )
            assert list(left) == [1002]


# Deleting.


async def test_a_deleted_task_is_gone_with_all_that_was_its_own(own: Stage) -> None:
    task_id = await own.submit("print x\nfile a.txt a")
    task = await own.until(task_id, "completed")
    assert (await own.http.delete(f"/tasks/{task_id}")).status_code == 204
    assert (await own.http.delete(f"/tasks/{task_id}")).status_code == 404
    for path in ("", "/logs", "/events", "/trace", "/artifacts", "/messages"):
        assert (await own.http.get(f"/tasks/{task_id}{path}")).status_code == 404, path
    url = f"/artifacts/{task['artifacts'][0]['id']}"
    assert (await own.http.get(url)).status_code == 404
    for table in ("sub_tasks", "events", "execution_logs", "task_artifacts"):
        assert await count(own, table, task_id) == 0
    async with own.database.reading(fresh=True) as connection:
        rows = (await connection.execute(text("SELECT action, target, actor FROM audit_log"))).all()
    [row] = [row for row in rows if row.target == task_id]
    assert (row.action, bool(row.actor)) == ("task.deleted", True)


async def test_a_task_that_has_not_ended_is_not_deleted(own: Stage) -> None:
    task_id = await own.submit("wait")
    await own.until(task_id, "running")
    answer = await own.http.delete(f"/tasks/{task_id}")
    assert (answer.status_code, "cancel it first" in answer.text) == (409, True)
    own.steps.released.set()
    await own.until(task_id, "completed")


async def test_a_task_of_many_rows_vanishes_at_once_and_goes_in_pieces(own: Stage) -> None:
    task_id = await ended(own)
    await own.execute(
        "INSERT INTO events (task_id, seq, team_id, type, data)"
        " SELECT tasks.id, 1000 + n, team_id, 'usage', '{}' FROM tasks, generate_series(1, 9000) n"
        " WHERE tasks.id = :id",
        id=UUID(task_id),
    )
    await own.execute("UPDATE tasks SET deleted_at = now() WHERE id = :id", id=UUID(task_id))
    assert (await own.http.get(f"/tasks/{task_id}")).status_code == 404
    listed = (await own.http.get("/tasks")).json()["items"]
    assert task_id not in [item["task_id"] for item in listed]
    assert (await own.http.post(f"/tasks/{task_id}/retry")).status_code == 404
    await sweep(own, kept())
    assert await count(own, "events", task_id) == 0


async def test_an_idempotency_key_of_a_deleted_task_makes_a_new_one(own: Stage) -> None:
    headers = {"Idempotency-Key": "again"}
    body = {"pipeline": pipeline("print x")}
    first = (await own.http.post("/tasks", json=body, headers=headers)).json()["task_id"]
    await own.until(first, "completed")
    await own.http.delete(f"/tasks/{first}")
    second = (await own.http.post("/tasks", json=body, headers=headers)).json()["task_id"]
    assert second != first


async def test_nodes_are_deleted_with_their_plan_only(own: Stage) -> None:
    plan, node, below = await ended(own), await ended(own), await ended(own)
    for child, parent in ((node, plan), (below, node)):
        await own.execute(
            "UPDATE tasks SET parent_id = :parent WHERE id = :id",
            parent=UUID(parent),
            id=UUID(child),
        )
    answer = await own.http.delete(f"/tasks/{node}")
    assert (answer.status_code, plan in answer.text) == (409, True)
    assert (await own.http.delete(f"/tasks/{plan}")).status_code == 204
    for task_id in (plan, node, below):
        assert (await own.http.get(f"/tasks/{task_id}")).status_code == 404
        assert await count(own, "sub_tasks", task_id) == 0


async def test_a_plan_with_a_node_that_runs_is_not_deleted(own: Stage) -> None:
    plan, node = await ended(own), await own.submit("wait")
    await own.execute(
        "UPDATE tasks SET parent_id = :parent WHERE id = :id", parent=UUID(plan), id=UUID(node)
    )
    answer = await own.http.delete(f"/tasks/{plan}")
    assert (answer.status_code, node in answer.text) == (409, True)
    own.steps.released.set()
