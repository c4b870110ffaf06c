"""``agentos demo``: the embedded stack in a temporary folder, a real job on it, an agent's, and a
plan's.

It types what a newcomer would type: the same commands, in processes of their own.
"""

import asyncio
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from activities.store import migrations
from api.cli import terminal
from deploy import variables
from deploy.demo.species import split_by_species
from deploy.local.model import MODEL_VARIABLES
from deploy.local.services import Services, StackOptions
from deploy.local.stack import Stack
from deploy.offline_model import LABEL
from workflows.errors import AgentOSError

FOLDER = Path(__file__).parent
PIPELINE = FOLDER / "pipeline.yaml"
DATA = FOLDER / "penguins_raw.csv"
PROMPT = (
    "Clean the data, profile it, draw a scatter chart (x=flipper_length_mm, y=body_mass_g, "
    "group=species) and write a report of what you found."
)
PLAN_PROMPT = "Clean each file, profile it, and write one report of all of them."


async def run_demo() -> int:
    """Returns 0 when all three tasks completed, else the exit code of the first that did not.

    SIGTERM and SIGHUP end it as Ctrl-C does, with 128 and their number.

    Raises:
        AgentOSError: the stack did not start. Its logs are kept, and nothing else.
    """
    running, received = asyncio.create_task(_run()), list[int]()

    def stop(number: int) -> None:
        received.append(number)
        running.cancel()

    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        return await running
    except asyncio.CancelledError:
        if not received:
            raise
        return 128 + received[0]


async def _run() -> int:
    console = terminal.stderr()
    folder = await asyncio.to_thread(_make_folder)
    options = StackOptions(
        data_dir=folder / "data",
        default_ports=False,
        migrate=migrations.migrate,
        before_first_migration=migrations.load,
        environment=variables.inherited() | {"AGENTOS_KEYS_REQUIRED": "false"},
    )
    stack = Stack(options)
    kept: tuple[str, ...] = ()
    try:
        with console.status("Starting PostgreSQL, Temporal, S3, API and worker..."):
            services = await stack.start()
        code = await _run_pipeline(services, folder / "artifacts", console)
        if code == 0:
            code = await _run_agent(services, folder / "agent-artifacts", console)
        if code == 0:
            code = await _run_plan(services, folder, console)
        return code
    except AgentOSError:
        kept = ("logs",)  # The message says what to read there.
        raise
    finally:
        await stack.stop()
        await asyncio.to_thread(_remove, options.data_dir, kept)


def _make_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="agentos-demo-"))


def _remove(data_dir: Path, kept: Sequence[str]) -> None:
    if not kept:
        shutil.rmtree(data_dir, ignore_errors=True)
        return
    for path in data_dir.iterdir():
        if path.is_dir() and path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)


async def _run_pipeline(services: Services, artifacts: Path, console: Console) -> int:
    job = ("pipeline", str(PIPELINE))
    code, _ = await _run_job(services, artifacts, console, job, {"data": DATA})
    if code == 0:
        console.print(f"\nThe report is in {artifacts / 'report.html'}", soft_wrap=True)
    return code


async def _run_agent(services: Services, artifacts: Path, console: Console) -> int:
    if services.model_url:
        console.print(
            f"\nNow the same with an agent. Neither {' nor '.join(MODEL_VARIABLES)} is set, so it "
            f"uses the offline model: {LABEL}.",
            soft_wrap=True,
        )
    else:
        console.print("\nNow the same with an agent, using your own model.")
    code, _ = await _run_job(services, artifacts, console, ("agent", PROMPT), {"data": DATA})
    if code == 0:
        console.print(f"\nThe agent's files are in {artifacts}", soft_wrap=True)
    return code


async def _run_plan(services: Services, folder: Path, console: Console) -> int:
    console.print("\nNow with a file for each species, and without saying what is to run it.")
    inputs = await asyncio.to_thread(split_by_species, DATA, folder / "species")
    artifacts = folder / "plan-artifacts"
    code, task_id = await _run_job(services, artifacts, console, ("auto", PLAN_PROMPT), inputs)
    if code == 0:
        code, _ = await _type(services, console, "show", task_id)
        console.print(f"\nThe files of all nodes are in {artifacts}", soft_wrap=True)
    return code


async def _run_job(
    services: Services,
    artifacts: Path,
    console: Console,
    job: tuple[str, str],
    inputs: Mapping[str, Path],
) -> tuple[int, str]:
    """Submit a ``job``, its type and what to do, and fetch what it made. Gives the exit code and
    the id of the task."""
    given = [word for name, path in inputs.items() for word in ("--input", f"{name}={path}")]
    code, task_id = await _type(services, console, "submit", *job, *given, "--wait")
    if code == 0:
        code, _ = await _type(services, console, "artifacts", "get", task_id, "-o", str(artifacts))
    return code, task_id


async def _type(services: Services, console: Console, *words: str) -> tuple[int, str]:
    """Run one command as a newcomer would, and show it. Gives its exit code and stdout."""
    typed = f"agentos {shlex.join(words)}"
    console.print(Text.assemble("\n", ("$", "bold green"), " ", (typed, "bold")), soft_wrap=True)
    # A key in the environment is for another API, and this one refuses it.
    here = {"AGENTOS_API_URL": services.api_url or "", "AGENTOS_API_KEY": ""}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "deploy.cli",
        *words,
        env=variables.inherited() | here,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        stdout, _ = await process.communicate()
    finally:
        if process.returncode is None:  # We are told to end: it would wait for its API for ever.
            process.kill()
            await process.wait()
    printed = stdout.decode().strip()
    print(printed, flush=True)  # noqa: T201
    assert process.returncode is not None
    return process.returncode, printed
