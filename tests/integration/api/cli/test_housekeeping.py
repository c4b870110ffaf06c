"""``agentos rm`` and ``agentos housekeeping``."""

import json
from uuid import uuid4

from tests.integration.api_stage import Stage
from tests.integration.cli_runs import agentos


async def test_tasks_are_deleted_by_the_beginning_of_their_ids(stage: Stage) -> None:
    ids = [await stage.submit("print x") for _ in range(2)]
    for task_id in ids:
        await stage.until(task_id, "completed")
    done = await agentos(stage.url, "rm", ids[0], ids[1][:13], ids[0])
    assert (done.code, done.stdout.split()) == (0, ids), done.stderr
    for task_id in ids:
        assert (await stage.http.get(f"/tasks/{task_id}")).status_code == 404


async def test_a_task_that_is_not_there_is_told_with_code_5(stage: Stage) -> None:
    done = await agentos(stage.url, "rm", str(uuid4()), "-o", "json")
    assert done.code == 5


async def test_a_task_that_runs_is_not_deleted(stage: Stage) -> None:
    task_id = await stage.submit("wait")
    done = await agentos(stage.url, "rm", task_id)
    assert done.code == 2
    assert "cancel it first" in done.stderr
    await stage.http.post(f"/tasks/{task_id}/cancel")
    await stage.until(task_id, "cancelled")


async def test_what_is_kept_and_for_how_long_is_shown(stage: Stage) -> None:
    shown = await agentos(stage.url, "housekeeping")
    assert shown.code == 0, shown.stderr
    [events] = [line for line in shown.stdout.splitlines() if line.startswith("events")]
    assert events.split()[1:3] == ["30", "d"]
    document = json.loads((await agentos(stage.url, "housekeeping", "-o", "json")).stdout)
    assert document == (await stage.http.get("/housekeeping")).json() | {
        "last_pass": document["last_pass"],
        "sweeps": document["sweeps"],
    }
