"""``agentos demo``: the embedded stack in a temporary folder, and a real job on it.

It types what a newcomer would type: the same commands, in processes of their own.
"""

import asyncio
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
_KEY = "demo"  # So that the task can be named again after it was submitted.


async def run_demo() -> int:
    """Gives the exit code of the job: 0 when the pipeline completed."""
    console = Console(stderr=True, highlight=False)
    folder = Path(tempfile.mkdtemp(prefix="agentos-demo-"))
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


async def _run_job(services: Services, artifacts: Path, console: Console) -> int:
    submit = ("submit", "pipeline", str(PIPELINE), "--input", f"data={DATA}")
    code = await _type(services, console, *submit, "--idempotency-key", _KEY, "--wait")
    if code == 0:
        listed = ("ls", "--limit", "1")
        code = await _type(services, console, *listed)
    return code


async def _type(services: Services, console: Console, *words: str) -> int:
    """Run one command as a newcomer would, and show it."""
    console.print(f"\n[bold green]$[/] [bold]agentos {' '.join(words)}[/]")
    environment = settings.inherited() | {"AGENTOS_API_URL": services.api_url or ""}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "deploy.cli", *words, env=environment
    )
    return await process.wait()
