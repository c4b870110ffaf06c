"""``agentos doctor``: what the doctor found, for people to read."""

from pathlib import Path

import uv
from rich.console import Console
from rich.table import Table
from temporalio.client import Client
from temporalio.envconfig import ClientConfig

from activities.sandbox.bubblewrap import Bubblewrap
from activities.sandbox.interpreter import sandbox_python
from activities.store.blobs import Blobs
from deploy import settings
from deploy.doctor import Patient, Remote, diagnose
from deploy.folders import work_folder
from deploy.local.machine import Finding


async def run_doctor(data_dir: Path) -> int:
    """Look at this machine, and at the services if the environment names them.

    Gives the exit code: 0 when nothing is wrong.
    """
    environment = settings.inherited()
    sandbox = Bubblewrap(work_folder(data_dir))
    try:
        findings = await diagnose(
            Patient(
                data_dir=data_dir,
                sandbox=sandbox,
                script_python=sandbox_python,
                uv=Path(uv.find_uv_bin()),
                search_path=environment.get("PATH", ""),
                services=_remote() if settings.names_services() else None,
                models=settings.load_models(),
            )
        )
    finally:
        await sandbox.close()
    Console(highlight=False).print(_table(findings))
    return 0 if all(finding.ok for finding in findings) else 1


def _remote() -> Remote:
    told = settings.load()

    async def connect() -> Client:
        return await Client.connect(**ClientConfig.load_client_connect_config())

    return Remote(told.database_url, Blobs(told.s3), connect)


def _table(findings: list[Finding]) -> Table:
    table = Table.grid(padding=(0, 2))
    for finding in findings:
        mark = "[green]ok[/]" if finding.ok else "[bold red]wrong[/]"
        table.add_row(mark, f"[bold]{finding.name}[/]", finding.detail)
        if not finding.ok:
            table.add_row("", "", f"[yellow]{finding.remedy}[/]")
    return table
