"""What a worker answers to monitors, and to whom."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from activities.metrics.definitions import STEP_SLOTS
from activities.metrics.numbers import Numbers
from activities.sandbox.base import Exit, Job, OnOutput, Sandbox
from deploy.worker_address import WorkerPortUnusable, listener_at
from worker.monitor import Monitor, serving
from worker.readiness import Check, NotUsable, Readiness, SandboxCheck, State
from workflows.errors import TemporaryFailure
from workflows.errors.scripts import SandboxUnavailable

TOKEN = "a-token-of-twenty-characters"


@dataclass(frozen=True)
class Answer:
    status: int
    head: str
    body: str

    @property
    def state(self) -> str:
        return str(json.loads(self.body)["state"])


class Place:
    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port

    async def ask(
        self, path: str, *fields: str, method: str = "GET", source: str | None = None
    ) -> Answer:
        lines = [f"{method} {path} HTTP/1.1", *(fields or (f"Host: {self.host}:{self.port}",))]
        return await self.send("\r\n".join([*lines, "", ""]).encode(), source=source)

    async def send(self, data: bytes, *, source: str | None = None) -> Answer:
        local = (source, 0) if source else None
        reader, writer = await asyncio.open_connection(self.host, self.port, local_addr=local)
        writer.write(data)
        answer = (await reader.read()).decode()
        writer.close()
        head, _, body = answer.partition("\r\n\r\n")
        return Answer(int(head.split(" ")[1]) if head else 0, head, body)


@asynccontextmanager
async def place(
    readiness: Readiness | None = None, *, token: str | None = TOKEN, host: str = "127.0.0.1"
) -> AsyncIterator[Place]:
    numbers = Numbers([STEP_SLOTS])
    numbers.set(STEP_SLOTS, 8)
    secret = SecretStr(token) if token else None
    monitor = Monitor(numbers, readiness or Readiness(), secret)
    listener = listener_at(f"{host}:0")
    assert listener is not None
    async with serving(monitor, listener):
        yield Place("127.0.0.1", listener.getsockname()[1])


async def well() -> None:
    pass


async def test_a_worker_is_alive_before_it_is_ready() -> None:
    async with place() as worker:
        assert (await worker.ask("/healthz")).status == 200
        answer = await worker.ask("/readyz")
    assert (answer.status, answer.state) == (503, "starting")


async def test_a_worker_is_ready_when_all_that_it_needs_answers_and_not_while_it_stops() -> None:
    readiness = Readiness()
    readiness.checks, readiness.state = {"postgres": well, "temporal": well}, State.READY
    async with place(readiness) as worker:
        answer = await worker.ask("/readyz")
        assert (answer.status, answer.state) == (200, "ready")
        names = [each["name"] for each in json.loads(answer.body)["dependencies"]]
        assert names == ["postgres", "temporal"]
        readiness.state = State.DRAINING
        answer = await worker.ask("/readyz")
        assert (answer.status, answer.state) == (503, "draining")
        assert (await worker.ask("/healthz")).status == 200


async def away() -> None:
    raise TemporaryFailure(service="PostgreSQL", reason="secret reason")


async def unusable() -> None:
    raise NotUsable("secret reason")


async def silent() -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize("check", [away, unusable, silent], ids=lambda check: check.__name__)
async def test_a_worker_is_not_ready_while_one_thing_is_away_and_does_not_tell_why(
    check: Check,
) -> None:
    readiness = Readiness(check_seconds=0.2)
    readiness.checks, readiness.state = {"postgres": check, "s3": well}, State.READY
    async with place(readiness) as worker:
        answer = await worker.ask("/readyz")
    assert (answer.status, answer.state) == (503, "not ready")
    states = {each["name"]: each["state"] for each in json.loads(answer.body)["dependencies"]}
    assert states == {"postgres": "down", "s3": "up"}
    assert "secret" not in answer.body


async def test_whoever_asks_often_has_nothing_asked_more_often() -> None:
    looks = 0

    async def check() -> None:
        nonlocal looks
        looks += 1

    readiness = Readiness()
    readiness.checks, readiness.state = {"postgres": check}, State.READY
    await asyncio.gather(*(readiness.look() for _ in range(50)))
    assert looks <= 2


async def test_metrics_are_for_the_user_who_runs_the_worker() -> None:
    async with place(token=None) as worker:
        answer = await worker.ask("/metrics")
    assert answer.status == 200
    assert "agentos_step_slots 8.0" in answer.body
    assert "text/plain" in answer.head


@pytest.mark.parametrize(
    "field",
    ["Host: evil.example", "Origin: http://evil.example", "X-Forwarded-For: 1.2.3.4", "Via: x"],
)
async def test_metrics_are_not_for_a_page_or_a_proxy(field: str) -> None:
    host = () if field.startswith("Host") else ("Host: 127.0.0.1",)
    async with place() as worker:
        answer = await worker.ask("/metrics", *host, field)
    assert answer.status == 401
    assert "agentos_step_slots" not in answer.body
    assert "AGENTOS_METRICS_TOKEN" in answer.body


async def test_metrics_are_not_for_a_sandbox_whose_way_out_is_this_machine() -> None:
    async with place() as worker:
        assert (await worker.ask("/metrics", source="127.0.0.2")).status == 401
        assert (await worker.ask("/healthz", source="127.0.0.2")).status == 200


async def test_metrics_are_for_whoever_has_the_token_wherever_they_come_from() -> None:
    async with place() as worker:
        for name, status in ((TOKEN, 200), ("x" * 28, 401), ("", 401), ("é", 401)):
            fields = ("Host: worker:8010", f"Authorization: Bearer {name}")
            answer = await worker.ask("/metrics", *fields, source="127.0.0.2")
            assert answer.status == status, name


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"\xff\xfe\x00 \r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 10_000 + b"\r\n\r\n",
    ],
    ids=["empty", "short", "version", "bytes", "long"],
)
async def test_what_is_no_request_is_hung_up_on_and_the_next_one_answered(data: bytes) -> None:
    async with place() as worker:
        try:
            answer = await worker.send(data)
        except ConnectionError:
            pass
        else:
            assert answer.status == 0
        assert (await worker.ask("/healthz")).status == 200


async def test_other_methods_and_paths_are_refused_and_a_head_has_no_body() -> None:
    async with place() as worker:
        assert (await worker.ask("/metrics", method="POST")).status == 405
        assert (await worker.ask("/secrets")).status == 404
        answer = await worker.ask("/healthz?x=1", method="HEAD")
    assert (answer.status, answer.body) == (200, "")


async def test_those_who_hold_connections_keep_nobody_out_for_long() -> None:
    async with place() as worker:
        held = [await asyncio.open_connection(worker.host, worker.port) for _ in range(40)]
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.1)
        assert (await worker.ask("/healthz")).status == 200


def test_the_usual_port_gives_way_and_one_that_was_chosen_does_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(WorkerPortUnusable, match=f"127.0.0.1:{port}"):
            listener_at(f"127.0.0.1:{port}")
    first, second = listener_at("127.0.0.1:8010"), listener_at("127.0.0.1:8010")
    assert first is not None
    assert second is not None
    with first, second:
        assert first.getsockname() != second.getsockname()
    assert listener_at("off") is None


class Trial(Sandbox):
    """One that fails as often as it is told to."""

    name = "trial"

    def __init__(self, failures: int) -> None:
        self.failures, self.checks = failures, 0

    @property
    def python(self) -> Path:
        return Path("python3")

    async def run(self, job: Job, on_output: OnOutput) -> Exit:
        raise NotImplementedError

    async def check(self) -> str:
        self.checks += 1
        if self.checks <= self.failures:
            raise SandboxUnavailable(sandbox="trial", reason="no room", remedy="Make some.")
        return "fine"


async def test_a_sandbox_is_not_tried_for_every_monitor() -> None:
    sandbox = Trial(failures=0)
    check = SandboxCheck(sandbox)
    await asyncio.gather(*(check() for _ in range(10)))
    await check()
    assert sandbox.checks == 1


async def test_a_sandbox_that_cannot_be_used_is_told_of_until_it_was_tried_again() -> None:
    sandbox = Trial(failures=1)
    check = SandboxCheck(sandbox, again_seconds=0.05)
    for _ in range(2):
        with pytest.raises(NotUsable, match="no room"):
            await check()
    await asyncio.sleep(0.1)
    await check()
    assert sandbox.checks == 2
    await check.close()
