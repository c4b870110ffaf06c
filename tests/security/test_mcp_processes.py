"""Nothing of an MCP server outlives the worker, however either of them dies."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from activities.tools.mcp import keeper
from tests.security.processes import alive, mark, running, until

ROOT = Path(__file__).parents[2]


@dataclass
class Worker:
    """``word`` is among the arguments of the program and of its keeper; ``child`` is a process that
    the program started in a session of its own."""

    process: asyncio.subprocess.Process
    word: str
    child: int

    @property
    def servers(self) -> list[int]:
        return [pid for pid in alive(self.word) if pid != self.process.pid]

    @property
    def keeper(self) -> int:
        script = str(keeper.__file__).encode()
        [found] = [p for p in self.servers if script in Path(f"/proc/{p}/cmdline").read_bytes()]
        return found

    @property
    def program(self) -> int:
        [found] = [pid for pid in self.servers if pid != self.keeper]
        return found


@asynccontextmanager
async def working() -> AsyncIterator[Worker]:
    word = mark()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.doubles.mcp_worker", word), stdout=PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    worker = Worker(process, word, 0)
    try:
        while not (line := await process.stdout.readline()).strip().isdigit():
            assert line, "it must not end"
        worker.child = int(line)
        assert len(worker.servers) == 2
        yield worker
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        for pid in [*worker.servers, *running([worker.child] if worker.child else [])]:
            os.kill(pid, signal.SIGKILL)


async def test_a_killed_worker_leaves_nothing() -> None:
    async with working() as worker:
        worker.process.kill()
        await until(lambda: not worker.servers and not running([worker.child]))


async def test_a_program_that_dies_leaves_nothing() -> None:
    async with working() as worker:
        os.kill(worker.program, signal.SIGKILL)
        await until(lambda: not worker.servers and not running([worker.child]))


async def test_a_keeper_that_is_killed_takes_the_program_with_it() -> None:
    async with working() as worker:
        program = worker.program
        os.kill(worker.keeper, signal.SIGKILL)
        await until(lambda: not running([program]))


@pytest.mark.parametrize(
    ("source", "code"),
    [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137)],
)
async def test_the_keeper_tells_how_the_program_ended(source: str, code: int) -> None:
    assert await keep(sys.executable, "-c", source) == code


async def test_the_keeper_tells_of_a_program_that_cannot_be_run(tmp_path: Path) -> None:
    assert await keep(str(tmp_path / "nothing")) == keeper.NOT_STARTED


async def keep(*command: str) -> int:
    held, leash = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(keeper.__file__), str(held), *command),
        pass_fds=(held,),
        stderr=DEVNULL,
    )
    os.close(held)
    try:
        return await asyncio.wait_for(process.wait(), 10)
    finally:
        os.close(leash)
