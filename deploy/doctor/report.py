"""``agentos doctor``: what the doctor found, for people to read."""

import sys
from collections.abc import Sequence, Set
from pathlib import Path

import uv
from pydantic import BaseModel
from rich.table import Table
from rich.text import Text
from temporalio.client import Client

from activities.aes_keys import id_of
from activities.sandbox import backends
from activities.sandbox.base import Sandbox
from activities.store.blobs import Blobs
from api.cli import terminal
from api.cli.commands.options import Format
from api.cli.commands.printing import draw, print_json
from api.cli.terminal import safe_line
from deploy import temporal_connection, variables
from deploy.doctor import environment
from deploy.doctor.checks import Patient, diagnose
from deploy.doctor.services import Remote
from deploy.folders import work_folder_in
from deploy.local.machine import Finding
from deploy.settings import Settings, SettingsInvalid

_LOOKING = "Looking at this machine and the services: half a minute at most..."


class Findings(BaseModel):
    """What was found, as a document."""

    items: list[Finding]


async def run_doctor(data_dir: Path, output: Format) -> int:
    """Look at this machine, and at the services if the environment names them. Writes nothing.

    Gives the exit code: 0 when nothing is wrong.
    """
    sys.dont_write_bytecode = True
    names_services = variables.names_services()
    loaded = environment.usable(with_services=names_services)
    findings = environment.examine(variables.inherited(), with_services=names_services)

    def sandbox() -> Sandbox:
        return backends.build(loaded.sandbox, loaded.sandbox_options(work_folder_in(data_dir)))

    if not names_services:
        findings += _temporal_variables()
    patient = Patient(
        data_dir=data_dir,
        sandbox=sandbox,
        uv=_uv(),
        search_path=variables.inherited().get("PATH", ""),
        services=_remote(loaded, _wrong(findings)) if names_services else None,
        models=loaded.model_options,
        skill_folders=loaded.skill_folders,
        tool_folders=loaded.tool_folders,
        has_search=loaded.search_url is not None,
        codec_key_ids=[id_of(key) for key in loaded.codec_keys],
        secrets_key_ids=[id_of(key) for key in loaded.secrets_keys],
    )
    with terminal.stderr().status(_LOOKING):
        findings += await diagnose(patient)
    if output is Format.JSON:
        print_json(Findings(items=findings))
    else:
        draw(table(findings))
    return 0 if all(finding.ok for finding in findings) else 1


def _temporal_variables() -> list[Finding]:
    """What is wrong with those of Temporal's SDK where the environment names no services: then only
    commands such as `agentos migrate` heed them."""
    try:
        temporal_connection.connection_if_any()
    except SettingsInvalid as error:
        remedy = "Correct it, or unset them; `agentos up` has a Temporal of its own."
        return [Finding("temporal", False, str(error.fields["reason"]), remedy)]
    return []


def _uv() -> Path:
    try:
        return Path(uv.find_uv_bin())
    except FileNotFoundError:  # Then its check says so.
        return Path("uv")


def _wrong(findings: Sequence[Finding]) -> set[str]:
    return {finding.name for finding in findings if not finding.ok}


def _remote(loaded: Settings, wrong: Set[str]) -> Remote:
    """The services that the environment names, as far as it says it well."""

    async def connect() -> Client:
        return await Client.connect(**temporal_connection.connection())

    return Remote(
        None if "AGENTOS_DATABASE_URL" in wrong else loaded.database_url,
        None if any(name.startswith("AGENTOS_S3_") for name in wrong) else Blobs(loaded.s3),
        connect,
        loaded.task_queue,
    )


def table(findings: list[Finding]) -> Table:
    """What was found. Servers are quoted in it: their text is shown, and not obeyed."""
    grid = Table.grid(padding=(0, 2))
    for finding in findings:
        mark = Text("ok", style="green") if finding.ok else Text("wrong", style="bold red")
        name, detail = Text(finding.name, style="bold"), Text(safe_line(finding.detail))
        # Folded, not cut: an address that is cut cannot be copied.
        detail.overflow = "fold"
        grid.add_row(mark, name, detail)
        if not finding.ok and finding.remedy:
            grid.add_row("", "", Text(safe_line(finding.remedy), style="yellow"))
    return grid
