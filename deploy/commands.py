"""The commands that run the parts, or all of them.

What runs a part is imported when it is asked for: it takes longer to load than all else here.
"""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from api import garbage_collector
from deploy import variables

DataDir = Annotated[
    Path,
    typer.Option(envvar="AGENTOS_DATA_DIR", help="Folder of `agentos up`, with all its state."),
]


def is_named(context: typer.Context) -> bool:
    """Whether the command line says which data folder."""
    source = context.get_parameter_source("data_dir")
    return source is not None and source.name == "COMMANDLINE"


Host = Annotated[
    str, typer.Option(help="IP address to listen on. Beyond loopback, keys are required.")
]
Port = Annotated[int, typer.Option(min=1, max=65_535)]


def up(
    data_dir: DataDir = Path(".agentos"),
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65_535,
            show_default=False,
            help="Of the API. Without it, that of last time or 8000, or another where it is taken.",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, show_default=False, help="How many; 1 without it.")
    ] = None,
) -> None:
    """Start everything on this machine and keep it running until Ctrl-C.

    Where it runs on the folder already, it says where, and is left as it is: that is success,
    unless another port or another number of workers was asked for.
    """
    garbage_collector.pause()
    from deploy.local.fork_process import begin

    # Before all else: everything waits for what it loads.
    process = begin(variables.inherited())
    from deploy import logs
    from deploy.up import run_up

    logs.show(sys.stdout)
    asyncio.run(run_up(data_dir, process, port=port, workers=workers))


def demo() -> None:
    """Run a pipeline, an agent and a plan on real data, on a temporary stack of their own."""
    from deploy.demo.run import run_demo

    raise typer.Exit(asyncio.run(run_demo()))


def api(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Run the API against the services that the environment names."""
    garbage_collector.pause()
    from deploy import logs, temporal_connection
    from deploy.api_host import reaches_only_us

    reaches_only_us(host)
    logs.configure()
    given = temporal_connection.load_settings()
    # Last: what is wrong above is told two seconds earlier.
    from deploy.api import run_api

    asyncio.run(run_api(given, host, port))


def worker(
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Run none: fail unless one of this machine takes work, for monitors."
        ),
    ] = False,
) -> None:
    """Run one worker against the services that the environment names."""
    garbage_collector.pause()
    from deploy import logs, temporal_connection

    loaded = temporal_connection.load_settings()
    if check:
        from deploy.polling import check_polling

        asyncio.run(check_polling(loaded.task_queue))
        return
    logs.configure()
    from deploy.worker import run_worker

    asyncio.run(run_worker(loaded))


def model(
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: any free port.")] = 8001,
    tokens_per_second: Annotated[
        float, typer.Option(min=0, help="Streaming speed; 0: as fast as possible.")
    ] = 200.0,
    allow_scripts: Annotated[
        bool, typer.Option(help="Let POST /scripts set the answers. For tests.")
    ] = False,
) -> None:
    """Serve the offline model on its own: keyword rules, not a language model."""
    from api.cli import terminal
    from deploy.offline_model import LABEL
    from deploy.offline_model.app import ModelServerOptions
    from deploy.offline_model.server import serve

    def tell(base_url: str) -> None:
        terminal.stderr().print(f"{LABEL} answers at {base_url}", soft_wrap=True)

    options = ModelServerOptions(tokens_per_second, allow_scripts)
    asyncio.run(serve(host, port, options, tell))


def migrate() -> None:
    """Bring the database up to date, and let Temporal list tasks by name. Safe to repeat.

    Temporal is asked where TEMPORAL_ADDRESS, or the file of its SDK, names one. If it refuses, that
    is said, and tasks run all the same.
    """
    from activities.store import migrations
    from api.cli import terminal
    from deploy import settings, temporal_connection

    url = settings.load_database_url()
    temporal_connection.connection_if_any()  # What is wrong with it is said before any change.
    asyncio.run(migrations.migrate(url))
    from deploy.search_attributes import register_where_it_is

    if told := asyncio.run(register_where_it_is()):
        terminal.stderr().print(told, soft_wrap=True)
