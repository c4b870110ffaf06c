"""What is large on a page holds nobody up."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.integration.api.http.test_hostile_requests import TRIES, watched_loop
from tests.integration.api_stage import Stage
from tests.pressure import allowed

# To write so much as YAML takes some seconds.
_MANY = [f"argument {number} {'x' * 80}" for number in range(900)]
_STEPS = [
    {"id": f"s{number}", "code": {"language": "python", "source": "fail"}, "args": _MANY}
    for number in range(9)
]
_PIPELINE = {"name": "large", "steps": _STEPS}
# Templates are filled in, and models checked, on the loop.
_MOST_SECONDS = 0.3


@pytest.fixture
async def site(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Accept": "text/html"}
    async with httpx.AsyncClient(base_url=stage.url, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
async def failed(stage: Stage) -> str:
    answer = await stage.http.post("/tasks", json={"pipeline": _PIPELINE})
    task_id = str(answer.json()["task_id"])
    await stage.until(task_id, "failed")
    return task_id


async def _lag(site: httpx.AsyncClient, path: str) -> float:
    """The shortest of some tries: work of others shows once."""
    lags = list[float]()
    for _ in range(TRIES):
        async with watched_loop() as lag:
            answer = await site.get(path)
        assert answer.status_code == 200, answer.text
        lags.append(lag.seconds)
        if lags[-1] <= _MOST_SECONDS:
            break
    return min(lags)


@pytest.mark.parametrize(
    "path",
    [
        "/tasks/{task}/raw",
        "/tasks/{task}/definition.yaml",
        "/tasks/new?from={task}",
        "/dead-letters/{letter}",
    ],
)
async def test_a_large_pipeline_is_drawn_beside_the_loop(
    stage: Stage, site: httpx.AsyncClient, failed: str, path: str
) -> None:
    letters = (await stage.http.get("/dead-letters", params={"task_id": failed})).json()
    address = path.format(task=failed, letter=letters["items"][0]["id"])
    assert await _lag(site, address) < allowed(_MOST_SECONDS)
