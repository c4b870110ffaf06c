"""The supervisor, on small programs."""

import asyncio
import errno
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from deploy.local.errors import NotReady, PartDidNotStart, PartFailed
from deploy.local.part import Part
from deploy.local.supervisor import Supervisor
from deploy.local.tcp_ports import choose_ports

SLEEP = ("/bin/sleep", "600")


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
async def changes() -> asyncio.Queue[None]:
    return asyncio.Queue()


@pytest.fixture
async def supervisor(tmp_path: Path, lock: int, changes: asyncio.Queue[None]) -> Supervisor:
    return Supervisor(tmp_path, lock, lambda: changes.put_nowait(None))


async def test_a_part_that_dies_is_started_again(
    supervisor: Supervisor, changes: asyncio.Queue[None], tmp_path: Path
) -> None:
    await supervisor.start(Part("sleeper", SLEEP, tmp_path))
    (first,) = supervisor.processes
    os.kill(first.pid, signal.SIGKILL)
    await asyncio.wait_for(changes.get(), 5)
    (second,) = supervisor.processes
    assert second.pid != first.pid
    await supervisor.stop("sleeper")
    assert second.status == "signal SIGTERM"


async def test_parts_are_started_again_when_that_cannot_be_written_down(
    tmp_path: Path, lock: int, changes: asyncio.Queue[None]
) -> None:
    def on_a_full_disk() -> None:
        changes.put_nowait(None)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    supervisor = Supervisor(tmp_path, lock, on_a_full_disk)
    await supervisor.start(Part("sleeper", SLEEP, tmp_path))
    for _ in range(2):
        os.kill(supervisor.processes[0].pid, signal.SIGKILL)
        await asyncio.wait_for(changes.get(), 30)
    await supervisor.stop("sleeper")
    await supervisor.wait()


async def test_a_part_that_dies_again_and_again_ends_the_wait_with_its_last_words(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    await supervisor.start(Part("hapless", ("/bin/sh", "-c", "echo no disk; exit 3"), tmp_path))
    with pytest.raises(PartFailed, match=r"`hapless`.*5 times.*exit code 3.*no disk"):
        await asyncio.wait_for(supervisor.wait(), 30)
    await supervisor.stop("hapless")


async def test_waiting_ends_when_all_parts_were_stopped(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    await supervisor.start(Part("sleeper", SLEEP, tmp_path))
    waiting = asyncio.create_task(supervisor.wait())
    await supervisor.stop("sleeper")
    await asyncio.wait_for(waiting, 5)


async def test_a_part_that_ignores_the_stop_signal_is_killed(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    deaf = "import signal, time; signal.signal(15, 1); print(1, flush=True); time.sleep(600)"
    log = tmp_path / "deaf.log"

    async def has_spoken() -> None:
        while not log.read_text():
            await asyncio.sleep(0.01)

    part = Part("deaf", (sys.executable, "-c", deaf), tmp_path, ready=has_spoken, stop_seconds=0.1)
    await supervisor.start(part)
    (process,) = supervisor.processes
    await supervisor.stop("deaf")
    assert process.status == "signal SIGKILL"


async def test_a_port_that_another_program_takes_at_the_last_moment_gives_way(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    thieves: list[socket.socket] = []

    def build(ports: Sequence[int]) -> Part:
        if not thieves:
            thieves.append(socket.create_server(("127.0.0.1", ports[0])))
        server = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(ports[0]))

        async def accepts() -> None:
            _, writer = await asyncio.open_connection("127.0.0.1", ports[0])
            writer.close()

        return Part("server", server, tmp_path, ready=accepts, ports=ports)

    (wanted,) = choose_ports([None])
    (got,) = await supervisor.start_on_ports([wanted], build)
    assert got != wanted
    await supervisor.stop("server")
    thieves[0].close()


async def test_a_part_that_ends_before_it_is_ready_is_an_error_at_once(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    async def never() -> None:
        raise NotReady(reason="never")

    part = Part("hapless", ("/bin/sh", "-c", "echo bad flag; exit 2"), tmp_path, ready=never)
    with pytest.raises(PartDidNotStart, match=r"exit code 2.*bad flag"):
        await supervisor.start(part)
    assert supervisor.processes == ()


async def test_a_log_that_has_grown_too_long_is_put_aside_at_the_next_start(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    log = tmp_path / "sleeper.log"
    log.write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    await supervisor.start(Part("sleeper", SLEEP, tmp_path))
    assert log.stat().st_size == 0
    assert log.with_name("sleeper.log.1").stat().st_size > 10 * 1024 * 1024
    await supervisor.stop("sleeper")


async def test_a_part_sees_no_more_of_our_environment_than_it_is_given(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    part = Part("env", ("/usr/bin/env",), tmp_path, environment={"ONLY": "this"})
    assert await supervisor.run_to_end(part) == "exit code 0"
    seen = (tmp_path / "env.log").read_text().splitlines()
    assert [line for line in seen if not line.startswith("LC_CTYPE=")] == ["ONLY=this"]
