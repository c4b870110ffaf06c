"""What runs beside the benchmarks is scheduled as AgentOS is, and ends with them."""

import asyncio
import os
import sys
from pathlib import Path

import tests
from tests.benchmarks.beside import beside
from tests.benchmarks.processes import tree

_ROOT = Path(tests.__path__[0]).parent


async def check_beside(script: str) -> None:
    """Run a script that prints the id of what it starts, and kill it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", f"import asyncio, sys, time\n{script}"),
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
    )
    try:
        assert process.stdout is not None
        started = int(await process.stdout.readline())
        assert os.getsid(started) == started
    finally:
        process.kill()
        await process.wait()
    async with asyncio.timeout(10):
        while is_alive(started):
            await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # Where nobody waits for orphans.


async def test_what_is_beside_has_a_session_of_its_own_and_ends_with_its_block() -> None:
    async with beside("/bin/sleep", "60") as pid:
        assert os.getsid(pid) == pid
        assert pid in tree(os.getpid())
    assert not is_alive(pid)


async def test_what_is_beside_ends_when_the_benchmark_is_killed() -> None:
    await check_beside(
        "from tests.benchmarks.beside import beside\n"
        "async def main():\n"
        "    async with beside('/bin/sleep', '60') as pid:\n"
        "        print(pid, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )


async def test_what_is_beside_may_have_ended_before_its_block() -> None:
    async with beside("/bin/true") as pid, asyncio.timeout(10):
        while is_alive(pid):
            await asyncio.sleep(0.02)
