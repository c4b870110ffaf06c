"""``agentos doctor``."""

import asyncio
from pathlib import Path

import typer

from api.cli.commands.options import Format, Output
from deploy import logs
from deploy.commands import DataDir
from deploy.doctor.report import run_doctor


def doctor(data_dir: DataDir = Path(".agentos"), output: Output = Format.TABLE) -> None:
    """Check this machine and the services; report what is wrong and how to fix it."""
    logs.configure("CRITICAL")  # What it would log belongs to workers: here are findings alone.
    raise typer.Exit(asyncio.run(run_doctor(data_dir, output)))
