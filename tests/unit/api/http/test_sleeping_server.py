"""A server that is told to end, and does not look for it."""

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import uvicorn

from api.http.sleeping_server import SleepingServer

# Far below the second for which it sleeps, and far above what it takes to end: one of a few tries
# is so quick on a busy machine, too.
AT_ONCE_SECONDS = 0.6
TRIES = 5
SOON_SECONDS = 0.05


async def app(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


class Server(SleepingServer):
    def handle_exit(self, sig: int, frame: object) -> None:
        self.stop()


def new_server() -> Server:
    return Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))


async def started() -> tuple[Server, "asyncio.Task[None]", str]:
    server, listener = new_server(), socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    await asyncio.sleep(SOON_SECONDS)  # It sleeps by now.
    return server, serving, "http://{}:{}".format(*listener.getsockname())


async def told_seconds() -> float:
    """How long it takes to end when it is told."""
    server, serving, _ = await started()
    began = time.monotonic()
    server.stop()
    await serving
    return time.monotonic() - began


async def signalled_seconds() -> float:
    """How long it takes to end at a signal."""
    _, serving, _ = await started()
    sent: list[float] = []

    def send() -> None:
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Timer(SOON_SECONDS, send).start()
    await serving
    return time.monotonic() - sent[0]


@pytest.mark.parametrize("seconds", [told_seconds, signalled_seconds])
async def test_it_ends_as_soon_as_it_is_told(seconds: Callable[[], Awaitable[float]]) -> None:
    assert min([await seconds() for _ in range(TRIES)]) < AT_ONCE_SECONDS


async def test_it_ends_when_it_was_told_before_it_began() -> None:
    async def told_before_seconds() -> float:
        server = new_server()
        server.stop()
        began = time.monotonic()
        await server.serve([socket.create_server(("127.0.0.1", 0))])
        return time.monotonic() - began

    assert min([await told_before_seconds() for _ in range(TRIES)]) < AT_ONCE_SECONDS


async def test_the_date_of_its_answers_goes_on() -> None:
    server, serving, url = await started()
    async with httpx.AsyncClient() as client:
        first = (await client.get(url)).headers["date"]
        async with asyncio.timeout(5.0):
            while (await client.get(url)).headers["date"] == first:
                await asyncio.sleep(SOON_SECONDS)
    server.stop()
    await serving
