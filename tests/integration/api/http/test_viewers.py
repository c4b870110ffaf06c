"""How many may follow the events of tasks at once."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.local.services import Services
from tests.event_stream import events_in
from tests.integration.api_stage import WAIT_SECONDS, api_stage, pipeline


async def submit(team: httpx.AsyncClient) -> str:
    """A task that goes on; the path of its events."""
    answer = await team.post("/tasks", json={"pipeline": pipeline("wait")})
    return f"/tasks/{answer.json()['task_id']}/events"


async def is_refused(team: httpx.AsyncClient, path: str) -> bool:
    async with team.stream("GET", path) as response:
        return response.status_code == 429


@pytest.mark.parametrize(
    ("limits", "refuses_others"),
    [({"max_viewers_per_team": 1}, False), ({"max_viewers": 1}, True)],
)
async def test_streams_beyond_the_limit_are_refused(
    infrastructure: Services, skills_folder: Path, limits: dict[str, Any], refuses_others: bool
) -> None:
    async with api_stage(infrastructure, skills_folder, works=False, **limits) as stage:
        mine, theirs = await stage.team(), await stage.team()
        path, other_path = await submit(mine), await submit(theirs)
        async with mine.stream("GET", path) as response:
            incoming = events_in(response)
            await anext(incoming)
            refused = await mine.get(path)
            assert (refused.status_code, refused.json()["code"]) == (429, "too-many-viewers")
            assert int(refused.headers["Retry-After"]) > 0
            assert await is_refused(theirs, other_path) is refuses_others
        async with asyncio.timeout(WAIT_SECONDS):
            while await is_refused(mine, path):
                await asyncio.sleep(0.05)


async def test_as_many_viewers_are_admitted_at_once_as_the_limit_allows(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(infrastructure, skills_folder, works=False, max_viewers=5) as stage:
        team = await stage.team()
        path = await submit(team)
        streams = [team.stream("GET", path) for _ in range(20)]
        answers = await asyncio.gather(*(stream.__aenter__() for stream in streams))
        statuses = [answer.status_code for answer in answers]
        assert (statuses.count(200), statuses.count(429)) == (5, 15)
        for stream in streams:
            await stream.__aexit__(None, None, None)


async def test_a_viewer_of_a_missing_task_does_not_count_toward_the_limit(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(infrastructure, skills_folder, works=False, max_viewers=1) as stage:
        team = await stage.team()
        for _ in range(3):
            assert (await team.get(f"/tasks/{uuid4()}/events")).status_code == 404


async def test_another_team_does_not_find_the_task_that_is_viewed(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(infrastructure, skills_folder, works=False) as stage:
        mine, theirs = await stage.team(), await stage.team()
        path = await submit(mine)
        async with mine.stream("GET", path) as response:
            await anext(events_in(response))
            refused = await theirs.get(path)
            assert (refused.status_code, refused.json()["code"]) == (404, "not-found")
