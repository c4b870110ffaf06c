"""What pages cost: those who load them, and the server while nothing happens."""

import asyncio
import re
import time
from contextlib import AsyncExitStack

import httpx
import pytest
from playwright.async_api import Page

from tests.integration.api_stage import Stage

PAGE_BYTES = 150_000
PATHS = (
    "/",
    "/tasks/new",
    "/waiting",
    "/dead-letters",
    "/agents",
    "/schedules",
    "/webhooks",
    "/tools",
    "/skills",
    "/usage",
    "/audit",
    "/settings",
)
VIEWERS = 100
IDLE_SECONDS = 6.0
# Of one processor, that 100 open pages take while nothing happens.
IDLE_SHARE = 0.05

_LOADED = """[
    ...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")
].map((entry) => [entry.name, entry.encodedBodySize])"""


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_weighs_little_all_told(page: Page, stage: Stage, path: str) -> None:
    answer = await page.goto(stage.url + path, wait_until="load")
    assert answer is not None
    assert answer.status == 200
    loaded = await page.evaluate(_LOADED)
    assert sum(size for _, size in loaded) < PAGE_BYTES
    assert all(address.startswith(stage.url) for address, _ in loaded)


async def test_files_of_the_page_are_kept_by_browsers(stage: Stage) -> None:
    text = (await stage.http.get(stage.url, headers={"Accept": "text/html"})).text
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', text):
        answer = await stage.http.get(stage.url + path)
        assert answer.status_code == 200, path
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_hundred_open_pages_cost_next_to_nothing_while_nothing_happens(
    stage: Stage,
) -> None:
    alone = await _share()
    async with AsyncExitStack() as stack:
        limits = httpx.Limits(max_connections=VIEWERS)
        client = await stack.enter_async_context(httpx.AsyncClient(limits=limits, timeout=None))
        for _ in range(VIEWERS):
            stream = client.stream("GET", f"{stage.url}/live")
            answer = await stack.enter_async_context(stream)
            assert answer.status_code == 200
        viewed = await _share()
    assert viewed - alone < IDLE_SHARE


async def _share() -> float:
    """What this process, which serves the API too, takes of a processor."""
    began, used = time.monotonic(), time.process_time()
    await asyncio.sleep(IDLE_SECONDS)
    return (time.process_time() - used) / (time.monotonic() - began)
