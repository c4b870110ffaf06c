"""Clients that begin to send a request and do not go on, and those that are merely slow."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from api.services import ConnectionLimits
from deploy.local.services import Services
from deploy.open_files import viewers_allowed
from tests.integration.api_stage import WAIT_SECONDS, Stage, api_stage
from tests.pressure import allowed

LIMITS = ConnectionLimits(most=900, head_seconds=1.0, body_seconds=1.0, bytes_per_second=1_000)
MANY = 800

HALF_A_LINE = "POST /api/v1/ta"
HALF_A_HEAD = "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-"
HALF_A_BODY = (
    "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\n"
    'Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"'
)
HALF_A_CHUNK = (
    "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\n"
    "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"
)
HALF_A_FILE = (
    "POST /api/v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n"
    "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
)


class Client:
    """A connection of its own, which sends what it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, stage: Stage) -> "Client":
        address = urlsplit(stage.url)
        return cls(*await asyncio.open_connection(address.hostname, address.port))

    async def send(self, text: str) -> None:
        self._writer.write(text.encode())
        await self._writer.drain()

    async def answer(self) -> bytes:
        """All that comes until the server hangs up."""
        try:
            return await self._reader.read()
        except ConnectionError:
            return b""
        finally:
            self.hang_up()

    def hang_up(self) -> None:
        self._writer.close()


@pytest.fixture(scope="module")
async def guarded(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    viewers_allowed(4_000)  # Both ends of each connection are files of this process.
    async with api_stage(infrastructure, skills_folder, works=False, connections=LIMITS) as stage:
        yield stage


def _problem(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert b"connection: close" in head.lower()
    return int(head.split(b" ", 2)[1]), str(json.loads(body)["detail"])


async def _cut(client: Client) -> bytes:
    """What a client is told that is cut off in time."""
    async with asyncio.timeout(allowed(5.0)):
        return await client.answer()


@pytest.mark.parametrize("part", [HALF_A_LINE, HALF_A_HEAD])
async def test_half_a_head_is_cut_off(guarded: Stage, part: str) -> None:
    client = await Client.connect(guarded)
    await client.send(part)
    assert _problem(await _cut(client)) == (
        408,
        "The request did not arrive in time: its head took more than 1 s. "
        "Send it again, over a faster connection.",
    )


@pytest.mark.parametrize("part", [HALF_A_BODY, HALF_A_CHUNK, HALF_A_FILE])
async def test_half_a_body_is_cut_off(guarded: Stage, part: str) -> None:
    client = await Client.connect(guarded)
    await client.send(part)
    status, detail = _problem(await _cut(client))
    assert status == 408
    assert "less than 1000 bytes per second" in detail


async def test_a_client_that_sends_nothing_is_hung_up_on_without_a_word(guarded: Stage) -> None:
    assert await _cut(await Client.connect(guarded)) == b""


@pytest.mark.parametrize("part", [HALF_A_HEAD, HALF_A_FILE])
async def test_a_byte_now_and_then_does_not_keep_a_connection(guarded: Stage, part: str) -> None:
    client = await Client.connect(guarded)
    await client.send(part)

    async def drip() -> None:
        while True:
            await client.send("x")
            await asyncio.sleep(0.1)

    dripping = asyncio.create_task(drip())
    try:
        assert _problem(await _cut(client))[0] == 408
    finally:
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)


async def test_a_slow_upload_that_goes_on_is_taken(guarded: Stage) -> None:
    client = await Client.connect(guarded)
    content = "\r\n".join(
        [
            "--x",
            'Content-Disposition: form-data; name="file"; filename="slow"',
            "",
            "y" * 20_000,
            "--x--",
            "",
        ]
    )
    await client.send(
        "POST /api/v1/files HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    # Three times as long as what is half-sent may take, at five times the pace that is asked for.
    for start in range(0, len(content), 1_000):
        await client.send(content[start : start + 1_000])
        await asyncio.sleep(0.15)
    assert (await _cut(client)).startswith(b"HTTP/1.1 201")


async def test_a_connection_that_sends_one_request_after_another_is_kept(guarded: Stage) -> None:
    client = await Client.connect(guarded)
    for _ in range(12):
        await client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await asyncio.sleep(0.2)
    await client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert (await _cut(client)).count(b"HTTP/1.1 200") == 13


async def test_eight_hundred_half_sent_requests_are_cut_off_and_hold_nobody_up(
    guarded: Stage,
) -> None:
    parts = (HALF_A_LINE, HALF_A_HEAD, HALF_A_BODY, HALF_A_CHUNK, HALF_A_FILE)
    clients = []
    for number in range(MANY):
        clients.append(await Client.connect(guarded))
        # At once: who has sent nothing is hung up on without a word, and 800 take a while to come.
        await clients[-1].send(parts[number % len(parts)])
    answers = asyncio.gather(*(client.answer() for client in clients))
    async with asyncio.timeout(allowed(2.0)):
        assert (await guarded.http.get("/tasks")).status_code == 200
    async with asyncio.timeout(allowed(10.0)):
        statuses = {_problem(answer)[0] for answer in await answers}
    assert statuses == {408}


async def test_of_too_many_connections_the_oldest_that_sent_no_request_has_to_go(
    infrastructure: Services, skills_folder: Path
) -> None:
    limits = ConnectionLimits(most=20)
    async with api_stage(infrastructure, skills_folder, works=False, connections=limits) as stage:
        clients = [await Client.connect(stage) for _ in range(30)]
        assert (await stage.http.get("/tasks")).status_code == 200
        async with asyncio.timeout(WAIT_SECONDS):
            answers = await asyncio.gather(*(client.answer() for client in clients[:10]))
        # Some may be gone before they are told: in a flood, places are worth more than words.
        assert {_problem(answer)[0] for answer in answers if answer} == {503}
        for client in clients:
            client.hang_up()


async def test_when_all_connections_have_sent_a_request_a_newcomer_is_refused(
    infrastructure: Services, skills_folder: Path
) -> None:
    limits = ConnectionLimits(most=20)
    async with api_stage(infrastructure, skills_folder, works=False, connections=limits) as stage:
        clients = [await Client.connect(stage) for _ in range(20)]
        for client in clients:
            await client.send(HALF_A_BODY)
        await asyncio.sleep(0.2)
        newcomer = await Client.connect(stage)
        async with asyncio.timeout(WAIT_SECONDS):
            status, detail = _problem(await newcomer.answer())
        assert (status, "Too many connections" in detail) == (503, True)
        for client in clients:
            client.hang_up()


async def test_clients_that_have_gone_leave_no_connection_without_limits(
    infrastructure: Services, skills_folder: Path
) -> None:
    limits = ConnectionLimits(most=3, head_seconds=1.0)
    async with api_stage(infrastructure, skills_folder, works=False, connections=limits) as stage:
        address = urlsplit(stage.url)
        for _ in range(200):
            with suppress(OSError), socket.create_connection((address.hostname, address.port)):
                pass  # Those that wait for the server's loop have gone when it sees them.
        client = await Client.connect(stage)
        await client.send(HALF_A_HEAD)
        assert _problem(await _cut(client))[0] in (408, 503)


HALF_A_HEAD_REQUEST = "HEAD /api/v1/tasks HTTP/1.1\r\nHost: x\r\n"


async def test_an_answer_to_head_has_no_body_when_its_request_is_broken(guarded: Stage) -> None:
    client = await Client.connect(guarded)
    await client.send(HALF_A_HEAD_REQUEST + "Transfer-Encoding: chunked\r\n\r\nzz\r\n")
    head, _, body = (await _cut(client)).partition(b"\r\n\r\n")
    assert body == b""
    assert head.startswith(b"HTTP/1.1 4")


async def test_what_is_no_http_is_answered_with_a_problem_document(guarded: Stage) -> None:
    client = await Client.connect(guarded)
    await client.send("what is this\r\n\r\n")
    status, detail = _problem(await _cut(client))
    assert (status, "not valid HTTP" in detail) == (400, True)


async def test_a_head_that_is_too_large_is_refused(guarded: Stage) -> None:
    client = await Client.connect(guarded)
    await client.send("GET /api/v1/tasks HTTP/1.1\r\n" + "a: b\r\n" * 30_000)
    assert _problem(await _cut(client))[0] == 400
