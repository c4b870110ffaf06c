"""What is sent for a call, and what is not."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from api.client import (
    AsyncClient,
    Client,
    ClientUnusable,
    NothingThere,
    PipelineUnreadable,
    RequestInvalid,
    StillRunning,
)
from api.client.transfer import MAX_DOCUMENT_BYTES, Download
from api.wire.requests import DiscardRequest, RequeueRequest
from tests.integration.cli_server import (
    NOTHING,
    TASK_ID,
    Server,
    a_task,
    answer,
    document,
    problem,
    serving,
    stream,
)
from workflows.pointers import Problem
from workflows.states import Status

TASK = f"/tasks/{TASK_ID}"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(server.url) as client:
        yield client


STRANGE = "a/../b?c#d"
ESCAPED = "a%2F..%2Fb%3Fc%23d"


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("GET /schedules/{}", lambda client: client.schedule(STRANGE)),
        ("DELETE /schedules/{}", lambda client: client.delete_schedule(STRANGE)),
        ("POST /schedules/{}/run", lambda client: client.run_schedule(STRANGE)),
        ("GET /dead-letters/{}", lambda client: client.dead_letter(STRANGE)),
        (
            "POST /dead-letters/{}/requeue",
            lambda client: client.requeue(STRANGE, RequeueRequest()),
        ),
        (
            "POST /dead-letters/{}/discard",
            lambda client: client.discard(STRANGE, DiscardRequest(note="x")),
        ),
        ("DELETE /files/{}", lambda client: client.uploads.delete(STRANGE)),
        ("GET /groups/{}", lambda client: client.groups.get(STRANGE)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_id_is_one_part_of_a_path_whatever_it_holds(
    server: Server,
    client: AsyncClient,
    path: str,
    call: Callable[[AsyncClient], Awaitable[object]],
) -> None:
    wanted = path.format(ESCAPED)
    server.tell(wanted, problem(404, "unknown"))
    with pytest.raises(NothingThere):
        await call(client)
    assert [f"{asked.method} {asked.path}" for asked in server.asked] == [wanted]


async def test_the_id_of_a_file_is_one_part_of_a_path_as_well(
    server: Server, client: AsyncClient, tmp_path: Path
) -> None:
    with pytest.raises(NothingThere):
        await client.download(Download(id=STRANGE, name="x", size=1, sha256=None), tmp_path)
    assert [asked.path for asked in server.asked] == [f"/artifacts/{ESCAPED}"]


@pytest.mark.parametrize("seconds", [0, 0.001])
async def test_a_task_that_has_ended_is_given_however_short_the_wait(
    server: Server, client: AsyncClient, seconds: float
) -> None:
    server.tell(f"GET {TASK}", document(a_task(status="completed")))
    assert (await client.wait(TASK_ID, timeout_seconds=seconds)).status is Status.COMPLETED
    assert [asked.path for asked in server.asked] == [TASK]


async def test_a_wait_of_no_time_says_that_a_task_still_runs(
    server: Server, client: AsyncClient
) -> None:
    server.tell(f"GET {TASK}", document(a_task()))
    with pytest.raises(StillRunning):
        await client.wait(TASK_ID, timeout_seconds=0)


async def test_a_pipeline_that_is_too_large_is_refused_and_not_cut(
    server: Server, client: AsyncClient, tmp_path: Path
) -> None:
    """Its beginning is a pipeline as well."""
    step = "- {id: a, code: {language: shell, source: echo}}\n"
    path = tmp_path / "p.yaml"
    text = f"name: p\nsteps:\n{step}"
    path.write_text(text + "#" * (MAX_DOCUMENT_BYTES - len(text)) + "\n- id: b")
    with pytest.raises(PipelineUnreadable, match=r"p\.yaml is larger than 2097152 bytes: keep"):
        await client.submit_pipeline(path)
    assert server.asked == []


async def test_a_program_is_told_which_parameter_is_wrong(
    server: Server, client: AsyncClient
) -> None:
    errors = [{"pointer": "", "message": "it is none", "parameter": "cursor"}]
    body = json.dumps({"code": "invalid-request", "detail": "No.", "errors": errors}).encode()
    server.tell("GET /tasks", answer(body, 422, "Content-Type: application/problem+json"))
    with pytest.raises(RequestInvalid) as refused:
        await client.tasks({"cursor": "x"})
    assert refused.value.problems == (Problem("", "it is none", "cursor"),)


async def test_a_call_within_on_lost_is_refused(server: Server) -> None:
    server.tell(f"GET {TASK}/events", stream([], cut=True), NOTHING)

    def program() -> None:
        with Client(server.url) as client:

            def on_lost(reason: str) -> None:
                client.task(TASK_ID)

            list(client.events(TASK_ID, on_lost=on_lost))

    with pytest.raises(ClientUnusable, match="its own thread"):
        await asyncio.to_thread(program)
