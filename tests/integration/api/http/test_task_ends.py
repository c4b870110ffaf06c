"""``GET /tasks/{id}?wait=``: the answer comes with the task's end, or when the time is up."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from deploy.local.services import Services
from tests.integration.api_stage import WAIT_SECONDS, Stage, api_stage, pipeline


async def wait(http: httpx.AsyncClient, task_id: str, seconds: int = 60) -> httpx.Response:
    return await http.get(f"/tasks/{task_id}", params={"wait": seconds}, timeout=WAIT_SECONDS * 2)


@pytest.fixture
async def released(stage: Stage) -> AsyncIterator[asyncio.Event]:
    yield stage.steps.released
    stage.steps.let_go()


async def test_the_answer_comes_when_the_task_has_ended(
    stage: Stage, released: asyncio.Event
) -> None:
    task_id = await stage.submit("wait")
    waiting = asyncio.gather(*(wait(stage.http, task_id) for _ in range(3)))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    released.set()
    began = time.monotonic()
    for answer in await waiting:
        assert (answer.status_code, answer.json()["status"]) == (200, "completed")
        assert answer.json()["result"]["step"] == "a"
    assert time.monotonic() - began < WAIT_SECONDS / 2


async def test_a_task_that_has_ended_is_shown_at_once(stage: Stage) -> None:
    task_id = await stage.submit("print a")
    await stage.until(task_id, "completed")
    assert (await wait(stage.http, task_id)).json()["status"] == "completed"


async def test_a_task_is_shown_as_it_is_when_the_time_is_up(
    stage: Stage, released: asyncio.Event
) -> None:
    task_id = await stage.submit("wait")
    began = time.monotonic()
    answer = await wait(stage.http, task_id, 1)
    assert time.monotonic() - began >= 1.0
    assert (answer.status_code, answer.json()["status"] in {"pending", "running"}) == (200, True)


@pytest.mark.parametrize("seconds", ["61", "-1", "long"])
async def test_a_wait_that_is_none_or_too_long_is_refused(stage: Stage, seconds: str) -> None:
    answer = await stage.http.get(f"/tasks/{uuid4()}", params={"wait": seconds})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


async def test_nobody_waits_for_the_task_of_another_team(stage: Stage) -> None:
    task_id = await stage.submit("print a")
    theirs = await stage.team()
    assert (await wait(theirs, task_id)).status_code == 404
    assert (await wait(theirs, str(uuid4()))).status_code == 404


async def test_whoever_waits_takes_the_place_of_a_viewer_until_the_client_goes(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(infrastructure, skills_folder, works=False, max_viewers=1) as stage:
        answer = await stage.http.post("/tasks", json={"pipeline": pipeline("wait")})
        task_id = answer.json()["task_id"]
        async with httpx.AsyncClient(base_url=f"{stage.url}/api/v1") as client:
            first = asyncio.create_task(wait(client, task_id))
            async with asyncio.timeout(WAIT_SECONDS):
                while (refused := await wait(stage.http, task_id, 1)).status_code != 429:
                    if first.done():  # The other one was quicker.
                        first = asyncio.create_task(wait(client, task_id))
                        await asyncio.sleep(0.1)  # A start, or the other one always is.
            assert refused.json()["code"] == "too-many-viewers"
            assert int(refused.headers["Retry-After"]) > 0
            assert (await stage.http.get(f"/tasks/{task_id}")).status_code == 200
            first.cancel()
        async with asyncio.timeout(WAIT_SECONDS / 2):
            while (await wait(stage.http, task_id, 1)).status_code == 429:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def waited_for(
    infrastructure: Services, skills_folder: Path
) -> AsyncIterator[tuple[Stage, asyncio.Task[httpx.Response]]]:
    """An API that looks often, and somebody who waits there for the only task, which never runs."""
    async with api_stage(
        infrastructure, skills_folder, works=False, heartbeat_seconds=0.2
    ) as stage:
        answer = await stage.http.post("/tasks", json={"pipeline": pipeline("wait")})
        waiting = asyncio.create_task(wait(stage.http, answer.json()["task_id"]))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        yield stage, waiting


async def test_an_end_that_nobody_announced_is_found_all_the_same(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with waited_for(infrastructure, skills_folder) as (stage, waiting):
        async with stage.services.database.writing() as connection:
            await connection.execute(text("UPDATE tasks SET status = 'completed'"))
        began = time.monotonic()
        assert (await waiting).json()["status"] == "completed"
        assert time.monotonic() - began < WAIT_SECONDS / 2


async def test_whoever_waits_for_a_task_that_is_deleted_hears_that_it_is_gone(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with waited_for(infrastructure, skills_folder) as (stage, waiting):
        async with stage.services.database.writing() as connection:
            await connection.execute(text("UPDATE tasks SET deleted_at = now()"))
        assert (await waiting).status_code == 404


async def test_a_wait_ends_when_the_api_stops(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(infrastructure, skills_folder, works=False) as stage:
        answer = await stage.http.post("/tasks", json={"pipeline": pipeline("wait")})
        waiting = asyncio.create_task(wait(stage.http, answer.json()["task_id"]))
        await asyncio.sleep(0.5)
        stage.http = httpx.AsyncClient()  # The other one is still in use as the stage ends.
        began = time.monotonic()
    assert time.monotonic() - began < WAIT_SECONDS / 2
    assert waiting.done()
