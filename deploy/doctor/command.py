"""``agentos doctor``."""

import asyncio
from pathlib import Path

import typer

from api.cli.commands.options import Format, Output
from deploy.commands import DataDir
from deploy.doctor.report import run_doctor


def doctor(data_dir: DataDir = Path(".agentos"), output: Output = Format.TABLE) -> None:
    """Say what is wrong with this machine or the services, and how to mend it."""
    raise typer.Exit(asyncio.run(run_doctor(data_dir, output)))
