"""``agentos demo``: the embedded stack in a temporary folder, a real job on it, and an agent's.

It types what a newcomer would type: the same commands, in processes of their own.
"""

import asyncio
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from activities.store import migrations
from deploy import variables
from deploy.folders import work_folder
from deploy.local.model import MODEL_VARIABLES
from deploy.local.services import Services, StackOptions
from deploy.local.stack import Stack
from deploy.offline_model import LABEL

FOLDER = Path(__file__).parent
PIPELINE = FOLDER / "pipeline.yaml"
DATA = FOLDER / "penguins_raw.csv"
PROMPT = (
    "Clean the data, profile it, draw a scatter chart (x=flipper_length_mm, y=body_mass_g, "
    "group=species) and write a report of what you found."
)


async def run_demo() -> int:
    """Returns 0 when the pipeline and the agent's task completed, else the job's exit code."""
    console = Console(stderr=True, highlight=False)
    folder = await asyncio.to_thread(_make_folder)
    options = StackOptions(
        data_dir=folder / "data",
        default_ports=False,
        migrate=migrations.migrate,
        before_first_migration=migrations.load,
        environment=variables.inherited(),
    )
    stack = Stack(options)
    try:
        with console.status("Starting PostgreSQL, Temporal, S3, API and worker..."):
            services = await stack.start()
        code = await _run_pipeline(services, folder / "artifacts", console)
        if code == 0:
            code = await _run_agent(services, folder / "agent-artifacts", console)
        return code
    finally:
        await stack.stop()
        await asyncio.to_thread(_remove, options.data_dir)


def _make_folder() -> Path:
    """Open to all: where this runs as root, the sandbox's user must pass through."""
    folder = Path(tempfile.mkdtemp(prefix="agentos-demo-"))
    folder.chmod(0o755)
    return folder


def _remove(data_dir: Path) -> None:
    shutil.rmtree(work_folder(data_dir), ignore_errors=True)  # It may be elsewhere.
    shutil.rmtree(data_dir, ignore_errors=True)


async def _run_pipeline(services: Services, artifacts: Path, console: Console) -> int:
    code = await _run_job(services, artifacts, console, "pipeline", str(PIPELINE))
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
    code = await _run_job(services, artifacts, console, "agent", PROMPT)
    if code == 0:
        console.print(f"\nThe agent's files are in {artifacts}", soft_wrap=True)
    return code


async def _run_job(
    services: Services, artifacts: Path, console: Console, kind: str, what: str
) -> int:
    job = ("submit", kind, what, "--input", f"data={DATA}", "--wait")
    code, task_id = await _type(services, console, *job)
    if code == 0:
        code, _ = await _type(
            services, console, "artifacts", "get", "--task", task_id, "-o", str(artifacts)
        )
    return code


async def _type(services: Services, console: Console, *words: str) -> tuple[int, str]:
    """Run one command as a newcomer would, and show it. Gives its exit code and stdout."""
    console.print(f"\n[bold green]$[/] [bold]agentos {shlex.join(words)}[/]", soft_wrap=True)
    environment = variables.inherited() | {"AGENTOS_API_URL": services.api_url or ""}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "deploy.cli",
        *words,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    stdout, _ = await process.communicate()
    printed = stdout.decode().strip()
    print(printed, flush=True)  # noqa: T201
    assert process.returncode is not None
    return process.returncode, printed
