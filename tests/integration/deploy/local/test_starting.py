"""How a stack starts: all at once, and each part with what it needs."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from activities.store import migrations
from activities.store.database import Database
from activities.store.migrations.check import is_current
from deploy import variables
from deploy.local.services import Services, StackOptions
from deploy.local.stack import Stack
from deploy.local.state import running_parts
from tests.folders import PROJECT
from tests.live import children_of
from workflows.errors.services import DatabaseOutdated

PATIENCE_SECONDS = 60


def arguments_of(pid: int) -> list[str]:
    return [os.fsdecode(word) for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]


def environment_of(pid: int) -> Mapping[str, str]:
    entries = os.fsdecode(Path(f"/proc/{pid}/environ").read_bytes()).split("\0")
    return dict(entry.split("=", 1) for entry in entries if entry)


def parts_of(data_dir: Path) -> Iterator[int]:
    """Those children with a log in this folder: the stacks of other tests have theirs here."""
    for pid in children_of(os.getpid()):
        with suppress(OSError):  # It has just ended.
            if Path(f"/proc/{pid}/fd/1").readlink().is_relative_to(data_dir):
                yield pid


def options(data_dir: Path) -> StackOptions:
    return StackOptions(
        data_dir,
        default_ports=False,
        migrate=migrations.migrate,
        environment=variables.inherited(),
    )


async def test_api_and_worker_are_loaded_once_while_their_services_start(tmp_path: Path) -> None:
    started: list[str] = []

    async def migrate(url: str) -> None:
        for pid in children_of(os.getpid()):
            with suppress(OSError):
                started.extend(arguments_of(pid))
        await migrations.migrate(url)

    async with Stack(replace(options(tmp_path / "data"), migrate=migrate)):
        assert "deploy.local.fork_server" in started
        # Their layouts of addresses are drawn anew at each start of a program.
        pids = [running_parts(tmp_path / "data")[part].pid for part in ("api", "worker")]
        assert len({Path(f"/proc/{pid}/auxv").read_bytes() for pid in pids}) == 1


async def test_a_port_taken_after_all_was_planned_is_no_wrong_address_for_api_and_worker(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "data"
    thief = asyncio.create_task(taken_from_temporal(data_dir))
    async with Stack(options(data_dir)) as services:
        with await thief as taken:
            host, port = taken.getsockname()
            assert services.temporal_address != f"{host}:{port}"
            for part in ("api", "worker"):
                told = environment_of(running_parts(data_dir)[part].pid)
                assert told["TEMPORAL_ADDRESS"] == services.temporal_address


async def taken_from_temporal(data_dir: Path) -> socket.socket:
    """The port that the Temporal server of the stack is about to listen on."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            for pid in children_of(os.getpid()):
                with suppress(OSError):  # It has just ended, and is of another test's stack.
                    if Path(f"/proc/{pid}/cwd").readlink() == data_dir / "temporal":
                        words = arguments_of(pid)
                        port = words[words.index("deploy.local.front") + 2]
                        return await taken_from(pid, int(port))
            await asyncio.sleep(0.001)


async def taken_from(pid: int, port: int) -> socket.socket:
    """The port, whichever of the two is quicker: a process that has it already is killed for it."""
    while True:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.001)


async def test_a_worker_waits_for_the_tables_that_it_needs(
    infrastructure: Services, empty_database_url: str, tmp_path: Path
) -> None:
    services = replace(infrastructure, database_url=empty_database_url, data_dir=tmp_path)
    own = {"AGENTOS_TASK_QUEUE": uuid.uuid4().hex, "PYTHONPATH": str(PROJECT)}
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "deploy.cli", "worker"),
        stderr=asyncio.subprocess.PIPE,
        env=variables.inherited() | services.environment() | own,
    )
    try:
        assert worker.stderr
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"not up to date" not in (line := await worker.stderr.readline()):
                assert b"worker.started" not in line
            await migrations.migrate(empty_database_url)
            while b"worker.started" not in await worker.stderr.readline():
                assert not worker.stderr.at_eof()
    finally:
        worker.terminate()
        await worker.communicate()


async def test_a_database_that_is_up_to_date_is_known_without_alembic(database_url: str) -> None:
    statement = (
        "import asyncio, sys; from activities.store.migrations import migrate; "
        f"asyncio.run(migrate({database_url!r})); print(*sys.modules)"
    )
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", statement],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = set(done.stdout.split())
    assert "asyncpg" in found
    assert found & {"alembic", "sqlalchemy"} == set()


async def test_a_database_without_tables_is_outdated(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    with pytest.raises(DatabaseOutdated, match="agentos migrate"):
        await database.check()
    assert not await is_current(empty_database_url)
    await migrations.migrate(empty_database_url)
    await database.check()
    await database.close()


async def test_a_database_that_is_not_there_yet_is_outdated(empty_database_url: str) -> None:
    database = Database(empty_database_url.replace("?", "-none?", 1))
    with pytest.raises(DatabaseOutdated):
        await database.check()
    await database.close()
