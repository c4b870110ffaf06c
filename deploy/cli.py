"""The command ``agentos``: the commands of the client, and those that run the parts.

What runs a part is imported when it is asked for: a client's command starts in a third of the time.
"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from api.cli.commands.options import Format, Output
from api.cli.commands.skills import app as skills
from api.cli.main import app, run
from deploy.keys.commands import app as keys
from deploy.skill_validation import validate

DataDir = Annotated[Path, typer.Option(envvar="AGENTOS_DATA_DIR", help="Folder for all state.")]
Host = Annotated[
    str, typer.Option(help="Address to listen on. Beyond loopback, keys are required.")
]
Port = Annotated[int, typer.Option(min=1, max=65_535)]

app.add_typer(keys, name="keys", rich_help_panel="Run")
skills.command()(validate)


@app.command(rich_help_panel="Run")
def up(
    data_dir: DataDir = Path(".agentos"),
    port: Port = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64)] = 1,
) -> None:
    """Start everything on this machine and keep it running until Ctrl-C."""
    from deploy.up import run_up

    asyncio.run(run_up(data_dir, port=port, workers=workers))


@app.command(rich_help_panel="Run")
def demo() -> None:
    """Run a pipeline and an agent on real data, on a temporary stack of their own."""
    from deploy.demo.run import run_demo

    raise typer.Exit(asyncio.run(run_demo()))


@app.command(rich_help_panel="Run")
def doctor(data_dir: DataDir = Path(".agentos"), output: Output = Format.TABLE) -> None:
    """Check this machine and the services; report what is wrong and how to fix it."""
    from deploy.doctor.report import run_doctor

    raise typer.Exit(asyncio.run(run_doctor(data_dir, output)))


@app.command(rich_help_panel="Run")
def api(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Run the API against the services that the environment names."""
    from deploy import logs, settings
    from deploy.api import run_api

    logs.configure()
    asyncio.run(run_api(settings.load(), host, port))


@app.command(rich_help_panel="Run")
def worker() -> None:
    """Run one worker against the services that the environment names."""
    from deploy import logs, settings
    from deploy.worker import run_worker

    logs.configure()
    asyncio.run(run_worker(settings.load()))


@app.command(rich_help_panel="Run")
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
    from deploy.offline_model import LABEL
    from deploy.offline_model.app import ModelServerOptions
    from deploy.offline_model.server import serve

    def tell(base_url: str) -> None:
        typer.echo(f"{LABEL} answers at {base_url}", err=True)

    options = ModelServerOptions(tokens_per_second, allow_scripts)
    asyncio.run(serve(host, port, options, tell))


@app.command(rich_help_panel="Run")
def migrate() -> None:
    """Bring the database up to date. Safe to repeat."""
    from activities.store import migrations
    from deploy import settings

    asyncio.run(migrations.migrate(settings.load().database_url))


def main() -> None:
    run(app)


if __name__ == "__main__":
    main()
