"""``agentos up``: the embedded stack, kept running."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from activities.store import migrations
from api import garbage_collector
from api.cli import terminal
from api.cli.terminal import safe_line
from deploy import variables
from deploy.local.errors import DataFolderNewer, StackInUse
from deploy.local.fork_process import ForkProcess
from deploy.local.forking import ForkServer
from deploy.local.services import Services, StackOptions
from deploy.local.stack import Stack
from deploy.offline_model import LABEL
from deploy.second_up import lines_on_the_port, where_it_runs

if TYPE_CHECKING:
    from activities.llm.base import ModelOptions


async def run_up(
    data_dir: Path, process: ForkProcess | None, *, port: int | None, workers: int | None
) -> None:
    """Start the stack, print its addresses, and stop it at SIGINT, SIGTERM or SIGHUP.

    ``process`` is a fork server that loads meanwhile; it ends with us. If a stack already runs on
    the folder, its address is reported and it is left as it is.

    Raises:
        SettingsInvalid: a variable is wrong; nothing was made or started.
        StackDiffers: what runs is not as was asked for.
        AgentOSError: a part cannot run, or did not keep running; nothing is left behind.
    """
    with closing(ForkServer(variables.inherited(), process)) as fork_server:
        check_settings()
        await _keep_up(data_dir, fork_server, port=port, workers=workers)


async def _keep_up(
    data_dir: Path, fork_server: ForkServer, *, port: int | None, workers: int | None
) -> None:
    console = terminal.stdout()
    progress = _Progress()
    options = StackOptions(
        data_dir=data_dir,
        port=port,
        workers=workers or 1,
        migrate=partial(migrate_unless_newer, data_dir),
        before_first_migration=migrations.load,
        environment=variables.inherited(),
        tell=progress.take,
        fork_server=fork_server,
        tell_of_disk=partial(console.print, style="bold yellow", markup=False, soft_wrap=True),
    )
    stack = Stack(options)
    stop = asyncio.create_task(_signalled())
    running = asyncio.create_task(_run(stack, console, progress, options))
    if await ended_by_itself(running, stop, stack.stop):
        try:
            running.result()
        except StackInUse as error:
            told = where_it_runs(error, port=port, workers=workers)
            console.print(safe_line(told), soft_wrap=True)
    else:
        console.print("Everything is stopped. `agentos up` resumes.")


async def ended_by_itself(
    running: asyncio.Task[None], stop: asyncio.Task[None], end: Callable[[], Awaitable[None]]
) -> bool:
    """Wait until what runs has ended, or is to ``stop``, ``end`` everything, and say which it was.

    A start that is cut off may end in the failure of a part that was stopped: that is no news to
    whoever stopped it.
    """
    try:
        await asyncio.wait({stop, running}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        was_cut_off = not running.done()
        running.cancel()
        await end()
        await asyncio.wait({running})
        if was_cut_off and not running.cancelled():
            running.exception()
    return not was_cut_off


def check_settings() -> None:
    """Before anything is made: API and workers would stop at it. What has its default needs no
    look, which costs half a second."""
    if not variables.have_settings():
        return
    from deploy.doctor import environment
    from deploy.settings import load_without_services

    load_without_services()
    for unknown in environment.unknown(variables.inherited()):
        warning = f"Warning: {unknown.name}: {unknown.detail}. {unknown.remedy}"
        terminal.stderr().print(safe_line(warning), style="yellow", soft_wrap=True)


class _Progress:
    """What a start is at: on a terminal beside the sign that something is going on, where it is
    gone once everything runs."""

    def __init__(self) -> None:
        self._ready: list[str] = []
        self._at = ""
        self.show: Callable[[str], None] = lambda text: None

    def take(self, what: str) -> None:
        part, _, state = what.partition(" is ")
        if state == "ready":
            self._ready.append(part)
        else:
            self._at = what
        self.show(self.text)

    @property
    def text(self) -> str:
        ready = f" {', '.join(self._ready)} ready." if self._ready else ""
        at = f" Now {self._at}." if self._at else ""
        return f"Starting PostgreSQL, Temporal, S3, API and worker...{ready}{at}"


async def _run(stack: Stack, console: Console, progress: _Progress, options: StackOptions) -> None:
    with console.status(progress.text) as status:
        progress.show = status.update
        services = await stack.start()
    garbage_collector.resume()
    for line in address_lines(services, None if services.model_url else _named_models()):
        console.print(line, soft_wrap=True)
    for hint in lines_on_the_port(services.api_url or "", was_asked_for=options.port is not None):
        console.print(safe_line(hint), style="bold yellow", soft_wrap=True)
    kept = f"Ctrl-C stops everything. State is kept in {services.data_dir}"
    console.print(safe_line(kept), soft_wrap=True)
    await stack.wait()


def _named_models() -> "ModelOptions | None":
    """Those of the environment, where it names any."""
    # Its many types take longer to load, and more memory, than the rest of this process.
    from deploy.settings import load_without_services

    return load_without_services().model_options


async def migrate_unless_newer(data_dir: Path, url: str) -> None:
    """A newer database is left alone: this version may not know what is in it, and would answer
    wrongly, or change it, before it comes upon that.

    Raises:
        DataFolderNewer
    """
    revision = await migrations.revision_of(url)
    if revision > migrations.NEWEST:
        raise DataFolderNewer(data_dir=data_dir, revision=revision, newest=migrations.NEWEST)
    if revision < migrations.NEWEST:
        await migrations.migrate(url)


async def _signalled() -> None:
    received = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, received.set)
    await received.wait()


def address_lines(services: Services, models: "ModelOptions | None") -> Iterator[Text]:
    """Where everything is, a line each, for the terminal to wrap: what is cut cannot be copied."""
    rows = {
        "API": services.api_url or "",
        "Temporal Web UI": services.temporal_ui_url,
        "Temporal": services.temporal_address,
        "S3": services.s3.endpoint,
        "PostgreSQL": services.database_url,
        "Models": _models(services, models),
        "All of these": str(services.data_dir / "services.json"),
    }
    width = max(map(len, rows)) + 2
    for name, address in rows.items():
        yield Text.assemble((f"{name:<{width}}", "bold"), address)


def _models(services: Services, models: "ModelOptions | None") -> str:
    if models is None:
        return f"{services.model_url}  {LABEL}"
    asked = f"  {', '.join(models.models)}" if models.models else ""
    return f"{models.base_url or 'OpenAI'}{asked}"
