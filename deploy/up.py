"""``agentos up``: the embedded stack, kept running."""

import asyncio
import signal
from pathlib import Path

from rich.console import Console
from rich.table import Table

from activities.store import migrations
from deploy import settings
from deploy.local.errors import StackInUse
from deploy.local.services import Services, StackOptions
from deploy.local.stack import Stack
from deploy.offline_model import LABEL


async def run_up(data_dir: Path, *, port: int, workers: int) -> None:
    """Start the stack, print its addresses, and stop it at SIGINT, SIGTERM or SIGHUP.

    A stack that runs already on the folder is told about, and left alone.

    Raises:
        AgentOSError: a part cannot run, or did not keep running; nothing is left behind.
    """
    console = Console(highlight=False)
    options = StackOptions(
        data_dir=data_dir,
        port=port,
        workers=workers,
        migrate=migrations.migrate,
        environment=settings.inherited(),
    )
    stack = Stack(options)
    stop = asyncio.create_task(_signalled())
    running = asyncio.create_task(_run(stack, console))
    try:
        await asyncio.wait({stop, running}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        running.cancel()
        await stack.stop()
    if running.done() and not running.cancelled():
        try:
            running.result()
        except StackInUse as error:
            console.print(str(error), markup=False)
    else:
        console.print("Everything is stopped. `agentos up` goes on where it was.", markup=False)


async def _run(stack: Stack, console: Console) -> None:
    with console.status("Starting PostgreSQL, Temporal, S3, API and worker..."):
        services = await stack.start()
    console.print(_addresses(services))
    console.print("Ctrl-C stops everything. State is kept in", str(services.data_dir))
    await stack.wait()


async def _signalled() -> None:
    received = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, received.set)
    await received.wait()


def _addresses(services: Services) -> Table:
    table = Table.grid(padding=(0, 2))
    rows = {
        "API": services.api_url or "",
        "Temporal Web UI": services.temporal_ui_url,
        "Temporal": services.temporal_address,
        "S3": services.s3.endpoint,
        "PostgreSQL": services.database_url,
        **({"Model": f"{services.model_url}  {LABEL}"} if services.model_url else {}),
        "All of these": str(services.data_dir / "services.json"),
    }
    for name, address in rows.items():
        table.add_row(f"[bold]{name}[/bold]", address)
    return table
