"""``agentos demo``: the embedded stack in a temporary folder, and a real job on it.

It types what a newcomer would type: the same commands, in processes of their own.
"""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from activities.store import migrations
from deploy import settings
from deploy.local.services import Services, StackOptions
from deploy.local.stack import Stack

FOLDER = Path(__file__).parent
PIPELINE = FOLDER / "pipeline.yaml"
DATA = FOLDER / "penguins_raw.csv"


async def run_demo() -> int:
    """Gives the exit code of the job: 0 when the pipeline completed."""
    console = Console(stderr=True, highlight=False)
    folder = await asyncio.to_thread(_make_folder)
    options = StackOptions(
        data_dir=folder / "data",
        default_ports=False,
        migrate=migrations.migrate,
        environment=settings.inherited(),
    )
    stack = Stack(options)
    try:
        with console.status("Starting PostgreSQL, Temporal, S3, API and worker..."):
            services = await stack.start()
        return await _run_job(services, folder / "artifacts", console)
    finally:
        await stack.stop()
        await asyncio.to_thread(shutil.rmtree, folder / "data", ignore_errors=True)


def _make_folder() -> Path:
    """Open to all: where this runs as root, the sandbox's user must pass through."""
    folder = Path(tempfile.mkdtemp(prefix="agentos-demo-"))
    folder.chmod(0o755)
    return folder


async def _run_job(services: Services, artifacts: Path, console: Console) -> int:
    job = ("submit", "pipeline", str(PIPELINE), "--input", f"data={DATA}", "--wait")
    code, task_id = await _type(services, console, *job)
    if code == 0:
        code, _ = await _type(
            services, console, "artifacts", "get", "--task", task_id, "-o", str(artifacts)
        )
    if code == 0:
        console.print(f"\nThe report is {artifacts / 'report.html'}", soft_wrap=True)
    return code


async def _type(services: Services, console: Console, *words: str) -> tuple[int, str]:
    """Run one command as a newcomer would, and show it. Gives its exit code and stdout."""
    console.print(f"\n[bold green]$[/] [bold]agentos {' '.join(words)}[/]", soft_wrap=True)
    environment = settings.inherited() | {"AGENTOS_API_URL": services.api_url or ""}
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
