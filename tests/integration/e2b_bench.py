"""E2B's backend on a double of its service, for the tests of it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from activities.sandbox.base import Job, Stream
from activities.sandbox.e2b import E2B
from tests.doubles.e2b_machine import Machine
from tests.doubles.e2b_server import E2BServer


@asynccontextmanager
async def backend(server: E2BServer) -> AsyncIterator[E2B]:
    """The backend on the double, which holds no sandbox any more at the end."""
    sandbox = E2B(server.api_key, api_url=server.url, sandbox_url=server.url)
    yield sandbox
    await sandbox.close()
    assert server.machines == {}, "a paid sandbox was left running"


class Printed:
    """What a job printed so far; calls ``on_text`` with it as more comes."""

    def __init__(self, on_text: Callable[[str], None] = lambda text: None) -> None:
        self.stdout = b""
        self.stderr = b""
        self._on_text = on_text

    def __call__(self, stream: Stream, data: bytes) -> None:
        if stream is Stream.STDOUT:
            self.stdout += data
        else:
            self.stderr += data
        self._on_text(self.stdout.decode())


def shell(script: str, output: Path, **options: object) -> Job:
    return Job(("/bin/sh", "-c", script), output, **options)  # type: ignore[arg-type]


def only_machine(server: E2BServer) -> Machine:
    (machine,) = server.machines.values()
    return machine


def lie(server: E2BServer, entries: str) -> None:
    """Have the sandbox list ``entries`` from now on: type, size, time and path, NUL after each."""
    fake_find(server, f"printf '{entries}'")


def fake_find(server: E2BServer, script: str) -> None:
    """Put another `find` in place, as a job can that becomes root in its sandbox."""
    find = only_machine(server).outside("/usr/local/sbin/find")
    find.write_text(f"#!/bin/sh\n{script}\n")
    find.chmod(0o755)
