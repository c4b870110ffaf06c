"""What is counted of requests."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from prometheus_client.parser import text_string_to_metric_families

from activities.metrics.definitions import OF_APIS
from activities.metrics.numbers import Numbers
from api.http.middleware.observer import Observer

DURATIONS, WAITS = "agentos_http_request_duration_seconds_count", "agentos_http_waits_total"


def app() -> FastAPI:
    made = FastAPI()

    @made.get("/tasks/{task_id}")
    async def task(task_id: str, wait: float = 0) -> Response:
        return Response(status_code=503 if task_id == "away" else 200)

    @made.get("/tasks/{task_id}/events")
    async def events(task_id: str) -> Response:
        async def pieces() -> AsyncIterator[str]:
            yield "data: 1\n\n"

        return StreamingResponse(pieces(), media_type="text/event-stream")

    return made


async def counted(path: str) -> dict[str, dict[str, float]]:
    """What one request was counted as: by metric, the number for each status."""
    numbers = Numbers(OF_APIS)
    transport = httpx.ASGITransport(Observer(app(), numbers=numbers))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        await client.get(path)
    found: dict[str, dict[str, float]] = {DURATIONS: {}, WAITS: {}}
    for family in text_string_to_metric_families((await numbers.text()).decode()):
        for sample in family.samples:
            if sample.name in found:
                found[sample.name][sample.labels["status"]] = sample.value
    return found


@pytest.mark.parametrize("path", ["/tasks/1", "/tasks/1?wait=0", "/tasks/1?await=5"])
async def test_how_long_a_request_takes_is_measured(path: str) -> None:
    assert await counted(path) == {DURATIONS: {"200": 1}, WAITS: {}}


@pytest.mark.parametrize("path", ["/tasks/1?wait=30", "/tasks/1?x=1&wait=0.5", "/tasks/1/events"])
async def test_one_that_waits_is_counted_and_is_no_slow_request(path: str) -> None:
    assert await counted(path) == {DURATIONS: {}, WAITS: {"200": 1}}


async def test_one_that_waits_and_is_refused_is_counted_with_its_status() -> None:
    assert await counted("/tasks/away?wait=30") == {DURATIONS: {}, WAITS: {"503": 1}}
