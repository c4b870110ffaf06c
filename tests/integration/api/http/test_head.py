"""HEAD, as monitors and caches ask: what GET would answer, without the body."""

import asyncio

import pytest

from tests.integration.api_stage import Stage

PAGES = ["/healthz", "/readyz", "/docs", "/tasks", "/", "/api/v1/tasks", "/api/v1/openapi.json"]


@pytest.mark.parametrize("path", PAGES)
async def test_head_is_answered_as_get_without_the_body(stage: Stage, path: str) -> None:
    got = await stage.http.get(stage.url + path)
    asked = await stage.http.head(stage.url + path)
    assert (asked.status_code, asked.content) == (got.status_code, b"")
    assert asked.headers["Content-Type"] == got.headers["Content-Type"]


async def test_head_of_every_list_of_the_api_is_that_of_get(stage: Stage) -> None:
    document = (await stage.http.get("/openapi.json")).json()
    asked = [path for path, calls in document["paths"].items() if "get" in calls]
    for path in (path for path in asked if "{" not in path and not path.endswith("/events")):
        url = stage.url + path
        assert (await stage.http.head(url)).status_code == (await stage.http.get(url)).status_code


async def test_head_of_a_stream_ends_at_once(stage: Stage) -> None:
    task_id = await stage.submit("wait")
    async with asyncio.timeout(10):
        answer = await stage.http.head(f"/tasks/{task_id}/events")
    await stage.http.post(f"/tasks/{task_id}/cancel")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/event-stream")


async def test_head_of_what_is_not_there_is_refused(stage: Stage) -> None:
    assert (await stage.http.head("/nowhere")).status_code == 404
    assert (await stage.http.head(f"/tasks/{'0' * 32}")).status_code == 404


async def test_head_is_counted_under_its_route(stage: Stage) -> None:
    for path in (f"/tasks/{'0' * 32}", "/tasks", "/nowhere"):
        await stage.http.head(path)
    counted = (await stage.http.get(f"{stage.url}/metrics")).text
    for route in ("/api/v1/tasks/{task_id}", "/api/v1/tasks", "(none)"):
        assert f'duration_seconds_count{{method="HEAD",route="{route}"' in counted
