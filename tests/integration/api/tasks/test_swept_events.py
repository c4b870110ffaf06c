"""Events are for those who watch: with none of them left, everything goes on as before."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from deploy.local.services import Services
from tests.event_stream import events_in
from tests.integration.agent_stage import ObedientAgents, submit
from tests.integration.api_stage import Stage, api_stage


@pytest.fixture
async def own(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API of this test's own, whose waiting steps it can release."""
    async with api_stage(infrastructure, skills_folder) as stage:
        yield stage


async def sweep(stage: Stage, task_id: str) -> None:
    """Delete all events of a task."""
    await stage.execute("DELETE FROM events WHERE task_id = :id", id=UUID(task_id))


async def asked(stage: Stage, task_id: str, action: str) -> int:
    return (await stage.http.post(f"/tasks/{task_id}/{action}")).status_code


async def is_working_on(stage: Stage, task_id: str, name: str) -> None:
    await stage.once(task_id, lambda task: task["progress"]["current"] == name)


async def test_a_pipeline_whose_events_are_swept_is_paused_resumed_and_retried(own: Stage) -> None:
    task_id = await own.submit("wait", "fail", "print x")
    await is_working_on(own, task_id, "a")
    assert await asked(own, task_id, "pause") == 202
    await sweep(own, task_id)
    assert await asked(own, task_id, "resume") == 202
    assert await asked(own, task_id, "resume") == 409
    assert await asked(own, task_id, "pause") == 202
    own.steps.released.set()
    await own.until(task_id, "paused")
    await sweep(own, task_id)
    assert await asked(own, task_id, "resume") == 202
    await own.until(task_id, "failed")
    await sweep(own, task_id)
    await own.execute(
        "UPDATE sub_tasks SET input_context = jsonb_set(input_context, '{code,source}', '\"ok\"') "
        "WHERE name = 'b'"
    )
    assert await asked(own, task_id, "retry") == 202
    task = await own.until(task_id, "completed")
    assert [step["status"] for step in task["sub_tasks"]] == ["completed"] * 3
    assert (task["run"], task["usage"]["attempts"]) == (2, 4)


async def test_an_agent_whose_events_are_swept_goes_on_and_counts_what_it_uses(
    agents_stage: Stage, working: ObedientAgents
) -> None:
    task_id = await submit(agents_stage, "call a", "wait b", "finish done")
    await is_working_on(agents_stage, task_id, "2.1 b")
    await sweep(agents_stage, task_id)
    assert await asked(agents_stage, task_id, "pause") == 202
    await sweep(agents_stage, task_id)
    working.released.set()
    await agents_stage.until(task_id, "paused")
    await sweep(agents_stage, task_id)
    assert await asked(agents_stage, task_id, "resume") == 202
    task = await agents_stage.until(task_id, "completed")
    assert task["result"]["summary"] == "done"
    usage = task["usage"]
    assert (usage["turns"], usage["tokens_used"], usage["cost_usd"]) == (3, 45, 1.5)
    await sweep(agents_stage, task_id)
    again = await agents_stage.http.post(f"/tasks/{task_id}/retry", json={"from": "2.1 b"})
    assert again.status_code == 202
    task = await agents_stage.until(task_id, "completed")
    assert task["usage"]["tokens_used"] == 45


async def test_the_numbers_of_events_go_on_after_a_sweep(own: Stage) -> None:
    task_id = await own.submit("wait")
    await is_working_on(own, task_id, "a")
    async with own.database.reading(fresh=True) as connection:
        query = text("SELECT event_seq FROM tasks WHERE id = :id")
        last = await connection.scalar(query, {"id": UUID(task_id)})
    await sweep(own, task_id)
    own.steps.released.set()
    async with own.http.stream("GET", f"/tasks/{task_id}/events") as response:
        sent = [event async for event in events_in(response)]
    assert int(sent[0].id) == last + 1
    assert sent[-1].data["status"] == "completed"
