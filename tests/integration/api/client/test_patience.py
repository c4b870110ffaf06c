"""The client against a server that loses answers, asks for pauses and goes away."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from api.client import ApiUnable, ApiUnreachable, AsyncClient, TooManyRequests
from api.wire.responses.files import File
from api.wire.responses.history import ToldMessage
from api.wire.responses.tasks import Accepted, Links
from tests.integration.api_stage import pipeline
from tests.integration.cli_server import (
    NOTHING,
    NOW,
    TASK_ID,
    Server,
    a_task,
    document,
    problem,
    serving,
)
from workflows.states import Status

TASK = f"/tasks/{TASK_ID}"
ACCEPTED = Accepted(
    task_id=TASK_ID,
    status=Status.PENDING,
    links=Links(self="/", events="/", logs="/", artifacts="/"),
)
ENDED = document(a_task(status="failed", error={"code": "x", "message": "No."}))
BUSY = problem(429, "too-many-viewers", "Retry-After: 1")
AWAY = problem(503, "database-unavailable", "Retry-After: 1")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(server.url) as client:
        yield client


@pytest.mark.parametrize("lost", [NOTHING, AWAY, BUSY], ids=["lost", "away", "busy"])
async def test_a_submission_that_gets_no_answer_is_sent_again_under_the_same_key(
    server: Server, client: AsyncClient, lost: object
) -> None:
    server.tell("POST /tasks", lost, document(ACCEPTED, 202))  # type: ignore[arg-type]
    for _ in range(2):
        assert (await client.submit_pipeline(pipeline("print x"))).task_id == TASK_ID
    keys = [asked.headers["idempotency-key"] for asked in server.asked_for("POST /tasks")]
    assert keys[0] == keys[1] != keys[2]


async def test_an_upload_that_is_cut_is_sent_again_from_its_beginning(
    server: Server, client: AsyncClient
) -> None:
    file = File(id=TASK_ID, name="a", size=3, mime_type="text/plain", sha256="0" * 64, url="/")
    server.tell("POST /files", NOTHING, document(file, 201))
    assert (await client.upload(b"abc", name="a")).size == 3
    first, second = server.asked_for("POST /files")
    assert b"abc" in first.body
    assert b"abc" in second.body


async def test_what_was_told_is_told_once(server: Server, client: AsyncClient) -> None:
    told = ToldMessage(number=1, from_name="Ann", content="x", created_at=NOW)
    server.tell(f"POST {TASK}/messages", NOTHING, document(told, 202))
    assert (await client.tell(TASK_ID, "x")).number == 1
    asked = server.asked_for(f"POST {TASK}/messages")
    assert len({each.headers["idempotency-key"] for each in asked}) == 1


async def test_a_pause_that_the_server_asks_for_is_made(
    server: Server, client: AsyncClient
) -> None:
    server.tell(f"GET {TASK}", BUSY, document(a_task()))
    began = time.monotonic()
    await client.task(TASK_ID)
    assert time.monotonic() - began >= 1.0


async def test_what_is_refused_for_longer_than_the_patience_lasts_is_raised(
    server: Server,
) -> None:
    server.tell(f"GET {TASK}", BUSY)
    async with AsyncClient(server.url, patience_seconds=0) as client:
        with pytest.raises(TooManyRequests):
            await client.task(TASK_ID)
        server.tell(f"GET {TASK}", problem(500, "internal"))
        with pytest.raises(ApiUnable):
            await client.task(TASK_ID)
    assert len(server.asked) == 5


async def test_a_submission_outlasts_an_api_that_is_being_restarted(
    server: Server, client: AsyncClient
) -> None:
    """Four attempts, of which the last comes after 1.3 s, were too few for that."""
    server.tell("POST /tasks", *[NOTHING] * 4, document(ACCEPTED, 202))
    assert (await client.submit_pipeline(pipeline("print x"))).task_id == TASK_ID
    keys = {asked.headers["idempotency-key"] for asked in server.asked_for("POST /tasks")}
    assert len(keys) == 1


async def test_a_wait_outlasts_a_server_that_is_away_for_a_while(
    server: Server, client: AsyncClient
) -> None:
    server.tell(f"GET {TASK}", document(a_task()), *[NOTHING] * 5, AWAY, BUSY, ENDED)
    task = await client.wait(TASK_ID)
    assert task.status is Status.FAILED
    assert all(asked.path == f"{TASK}?wait=60" for asked in server.asked)


async def test_a_wait_does_not_ask_without_a_pause_where_the_server_does_not_wait(
    server: Server, client: AsyncClient
) -> None:
    server.tell(f"GET {TASK}", document(a_task()), document(a_task()), ENDED)
    began = time.monotonic()
    await client.wait(TASK_ID)
    assert time.monotonic() - began >= 2.0


async def test_a_call_takes_no_longer_than_it_may(server: Server) -> None:
    from tests.integration.cli_server import Answer

    server.tell(f"POST {TASK}/retry", Answer(b"", is_held=True))
    async with AsyncClient(server.url, timeout_seconds=0.3) as client:
        async with asyncio.timeout(20):
            with pytest.raises(ApiUnreachable):
                await client.retry(TASK_ID)
    assert len(server.asked) == 1
