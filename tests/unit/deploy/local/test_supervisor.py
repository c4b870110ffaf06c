"""The supervisor, on small programs."""

import asyncio
import errno
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import structlog

from activities.units import MEBIBYTE
from deploy.local.errors import NotReady, PartDidNotStart, PartFailed
from deploy.local.part import Part
from deploy.local.supervisor import Pauses, Supervisor
from deploy.local.tcp_ports import choose_ports
from tests.live import until
from tests.small_disks import fill, small_disk

SLEEP = ("/bin/sleep", "600")
# Parts of a stack are given more time, for which no test need wait.
QUICK = Pauses(first_delay=0.01, rest=0.5, logs=0.1, room=0.1)


@pytest.fixture
async def changes() -> asyncio.Queue[None]:
    return asyncio.Queue()


@pytest.fixture
async def supervisor(tmp_path: Path, lock: int, changes: asyncio.Queue[None]) -> Supervisor:
    return Supervisor(tmp_path, lock, lambda: changes.put_nowait(None), pauses=QUICK)


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

    supervisor = Supervisor(tmp_path, lock, on_a_full_disk, pauses=QUICK)
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

    asked: list[int] = []

    def suits(port: int) -> bool:
        asked.append(port)
        return len(asked) > 1

    (wanted,) = choose_ports([None])
    (got,) = await supervisor.start_on_ports([wanted], build, suits=suits)
    assert got == asked[1]
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


async def test_a_log_that_grows_too_long_is_put_aside_while_its_part_runs(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    # Enough for once: to look at a file while the next one takes its place would be chance.
    talk = "head -c 11000000 /dev/zero; while :; do echo more; sleep 0.1; done"
    await supervisor.start(Part("talker", ("/bin/sh", "-c", talk), tmp_path))
    aside, log = tmp_path / "talker.log.1", tmp_path / "talker.log"

    async def is_short_again() -> bool:
        return aside.exists() and log.stat().st_size < aside.stat().st_size

    await until(is_short_again)
    await supervisor.stop("talker")
    # It appends: what it writes on is no file with a hole in front.
    assert log.stat().st_blocks * 512 >= log.stat().st_size


async def test_the_last_words_of_a_part_are_not_those_of_an_earlier_start(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    (tmp_path / "mute.log").write_text("an old complaint\n")

    async def never() -> None:
        raise NotReady(reason="not yet")

    part = Part("mute", ("/bin/sh", "-c", "echo new words; exit 2"), tmp_path, ready=never)
    with pytest.raises(PartDidNotStart, match=r"ends with: new words$"):
        await supervisor.start(part)


async def test_a_part_that_the_others_can_do_without_rests_when_it_dies_again_and_again(
    tmp_path: Path, lock: int, changes: asyncio.Queue[None]
) -> None:
    supervisor = Supervisor(tmp_path, lock, lambda: changes.put_nowait(None), pauses=QUICK)
    await supervisor.start(Part("sleeper", SLEEP, tmp_path))
    starts = tmp_path / "starts"
    starts.touch()
    dies = f"echo x >> {starts}; exit 3"
    with structlog.testing.capture_logs() as lines:
        hapless = Part("hapless", ("/bin/sh", "-c", dies), tmp_path, needed=False)
        await supervisor.start(hapless)

        async def is_started_again() -> bool:
            return len(starts.read_text().split()) > 5

        await until(is_started_again)
    [rests] = [line for line in lines if line["event"] == "part.rests"]
    assert "`hapless`" in rests["reason"]
    assert "exit code 3" in rests["reason"]
    assert "sleeper" in [process.part.name for process in supervisor.processes]
    await supervisor.stop("hapless", "sleeper")
    await supervisor.wait()


async def test_a_part_that_dies_of_a_full_disk_is_started_again_when_there_is_room(
    tmp_path: Path, lock: int
) -> None:
    """One without which the others are of no use, too."""
    with small_disk(tmp_path / "disk", 64) as disk:
        supervisor = Supervisor(disk, lock, lambda: None, pauses=QUICK)
        ballast = fill(disk)
        needs_room = f"echo x > {disk}/written && [ -s {disk}/written ] || exit 1; exec sleep 600"
        with structlog.testing.capture_logs() as lines:
            await supervisor.start(Part("writer", ("/bin/sh", "-c", needs_room), tmp_path))

            async def waits() -> bool:
                return "part.waits_for_room" in [line["event"] for line in lines]

            await until(waits)
        ballast.unlink()

        async def has_written() -> bool:
            return (disk / "written").exists() and (disk / "written").read_text() == "x\n"

        await until(has_written)
        await supervisor.stop("writer")
        await supervisor.wait()


async def test_a_disk_that_runs_full_is_told_of_once_and_so_is_room(
    tmp_path: Path, lock: int
) -> None:
    told: list[str] = []
    with small_disk(tmp_path / "disk", 64) as disk:
        supervisor = Supervisor(disk, lock, lambda: None, pauses=QUICK, on_disk=told.append)
        await supervisor.start(Part("sleeper", SLEEP, tmp_path))
        ballast = fill(disk)

        async def has_told(count: int) -> bool:
            return len(told) >= count

        await until(lambda: has_told(1))
        await asyncio.sleep(3 * QUICK.logs)
        ballast.unlink()
        await until(lambda: has_told(2))
        await supervisor.stop("sleeper")
    full, room = told
    assert "is full" in full
    assert "0 MiB free, and 33 MiB must stay free. Free some space" in full
    assert "room again" in room


@pytest.mark.parametrize("broken", [errno.ENOSPC, errno.EPIPE])
async def test_a_disk_that_could_not_be_told_of_is_told_of_again_and_logs_are_kept_short(
    tmp_path: Path, lock: int, broken: int
) -> None:
    """What `agentos up` prints may go to a file on that very disk, or to nobody any more."""
    told: list[str] = []

    def tell(said: str) -> None:
        told.append(said)
        if len(told) == 1:
            raise OSError(broken, os.strerror(broken))

    with small_disk(tmp_path / "disk", 64) as disk:
        ballast = fill(disk, left_bytes=16 * MEBIBYTE)
        supervisor = Supervisor(disk, lock, lambda: None, pauses=QUICK, on_disk=tell)
        await supervisor.start(Part("sleeper", SLEEP, tmp_path))

        async def has_told(count: int) -> bool:
            return len(told) >= count

        await until(lambda: has_told(2))
        with (disk / "sleeper.log").open("ab") as log:
            log.write(bytes(10 * MEBIBYTE + 1))

        async def is_short_again() -> bool:
            return (disk / "sleeper.log").stat().st_size < MEBIBYTE

        await until(is_short_again)
        ballast.unlink()
        await until(lambda: has_told(3))
        await supervisor.stop("sleeper")
    first, second, room = told
    assert first == second
    assert "room again" in room


async def test_a_part_sees_no_more_of_our_environment_than_it_is_given(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    part = Part("env", ("/usr/bin/env",), tmp_path, environment={"ONLY": "this"})
    status, _ = await supervisor.run_to_end(part)
    assert status == "exit code 0"
    seen = (tmp_path / "env.log").read_text().splitlines()
    assert [line for line in seen if not line.startswith("LC_CTYPE=")] == ["ONLY=this"]
