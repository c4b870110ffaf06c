"""Starting: the stack against its services alone, commands against the libraries they use."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from deploy.local.services import StackOptions
from deploy.local.stack import Stack
from deploy.local.state import running_parts
from deploy.local.tcp_ports import choose_ports
from tests.benchmarks.judgement import Bound, Effort, Measure, Verdict, measure
from tests.benchmarks.report import compare
from tests.benchmarks.stage import Stage

# The services start in programs of their own. What `up` takes beside them is the load of some 2,250
# modules by one interpreter, all others being forks of it: a second or so, which an old folder,
# whose services are quicker, hides less of. The bounds are for a third more than that.
ON_A_NEW_FOLDER = Bound(most=2.2, goal=1.6)
ON_AN_OLD_FOLDER = Bound(most=2.8, goal=1.6)
HELP = Bound(most=1.6)
LS = Bound(most=3.2)
STARTS = Effort(most=9, seconds=35)
RUNS = Effort(least=20, most=40, seconds=12)
PATIENCE_SECONDS = 120
_POLL_SECONDS = 0.01
_AGENTOS = (sys.executable, "-P", "-m", "deploy.cli")


async def stack() -> Verdict:
    """`agentos up` until a worker polls; its services alone, from a process that is loaded.

    So the difference is, for the most part, what it takes one interpreter to load all modules.
    """
    with new_folder() as folder:
        await _services_alone(folder / "warm")
        new = await measure(
            lambda: _up(folder / "ours", is_new=True),
            lambda: _services_alone(folder / "bare", is_new=True),
            ON_A_NEW_FOLDER,
            STARTS,
        )
        old = await measure(
            lambda: _up(folder / "ours"),
            lambda: _services_alone(folder / "bare"),
            ON_AN_OLD_FOLDER,
            STARTS,
        )
    baseline = "PostgreSQL, Temporal and S3 alone"
    return max(
        compare(
            "agentos up, on a new folder",
            new,
            baseline_name=baseline,
            unit="s",
            bound=ON_A_NEW_FOLDER,
        ),
        compare(
            "agentos up, on an old folder",
            old,
            baseline_name=baseline,
            unit="s",
            bound=ON_AN_OLD_FOLDER,
        ),
    )


async def commands(stage: Stage) -> Verdict:
    """Commands, against Python with what they need of libraries."""
    url = {"AGENTOS_API_URL": stage.services.api_url or ""}
    return max(
        await _command("agentos --help", ("--help",), url, "import typer, rich.markdown", HELP),
        await _command(
            "agentos ls", ("ls",), url, "import asyncio, typer, rich.table, httpx2, pydantic", LS
        ),
    )


async def _command(
    title: str, words: tuple[str, ...], environment: dict[str, str], libraries: str, bound: Bound
) -> Verdict:
    ours = _run(*_AGENTOS, *words, **environment)
    alone = _run(sys.executable, "-c", libraries)
    await ours()  # The first fills caches.
    await alone()
    pairs = await measure(ours, alone, bound, RUNS)
    return compare(title, pairs, baseline_name=f"python -c '{libraries}'", unit="ms", bound=bound)


def _run(*command: str, **environment: str) -> Measure:
    async def run() -> float:
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.DEVNULL, env=os.environ | environment
        )
        assert await process.wait() == 0
        return (time.perf_counter() - began) * 1_000

    return run


async def _up(data_dir: Path, *, is_new: bool = False) -> float:
    """Seconds until it says that everything can be used."""
    if is_new:
        await asyncio.to_thread(shutil.rmtree, data_dir, ignore_errors=True)
    began = time.perf_counter()
    async with up(data_dir):
        return time.perf_counter() - began


@asynccontextmanager
async def up(data_dir: Path) -> AsyncIterator[int]:
    """`agentos up`, until it says that everything can be used; gives its process's id."""
    [port] = choose_ports([None])
    process = await asyncio.create_subprocess_exec(
        *(*_AGENTOS, "up", "--data-dir", str(data_dir), "--port", str(port)),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "worker" not in running_parts(data_dir):
                assert process.returncode is None
                await asyncio.sleep(_POLL_SECONDS)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def _services_alone(data_dir: Path, *, is_new: bool = False) -> float:
    if is_new:
        await asyncio.to_thread(shutil.rmtree, data_dir, ignore_errors=True)
    began = time.perf_counter()
    async with Stack(StackOptions(data_dir, application=False)):
        return time.perf_counter() - began


@contextmanager
def new_folder() -> Iterator[Path]:
    # In /tmp, open to all: the sandbox's user must be able to pass through.
    folder = Path(tempfile.mkdtemp(prefix="agentos-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
