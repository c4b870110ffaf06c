"""What open pages are told of, and that nothing is lost between a page and its stream."""

import asyncio
import re

from tests.integration.api_stage import WAIT_SECONDS, Stage

_PAGE = {"Accept": "text/html"}


async def _since(stage: Stage) -> str:
    page = await stage.http.get(stage.url, headers=_PAGE)
    [since] = re.findall(r'data-since="(\d+)"', page.text)
    return str(since)


async def _told(stage: Stage, since: str) -> str:
    """The topics that a stream begins with."""
    async with asyncio.timeout(WAIT_SECONDS):
        async with stage.http.stream("GET", f"{stage.url}/live?since={since}") as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data:"):
                    return line.removeprefix("data:").strip()
    raise AssertionError("the stream has ended")


async def test_what_changes_before_a_page_listens_is_told_when_it_does(stage: Stage) -> None:
    since = await _since(stage)
    task_id = await stage.submit("print x")
    await stage.until(task_id, "completed")
    assert "tasks" in (await _told(stage, since)).split()


async def test_a_malformed_place_is_refused(stage: Stage) -> None:
    answer = await stage.http.get(f"{stage.url}/live?since=x")
    assert answer.status_code == 422
