"""``agentos down``: stop the embedded stack, from wherever."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

from api.cli import terminal
from api.cli.commands.options import Format, Output
from api.cli.commands.printing import print_json, print_line
from api.cli.terminal import safe_line
from deploy.commands import DataDir, is_named
from deploy.local.errors import NoDataFolder
from deploy.local.holders import Holders, stop


class Stopped(BaseModel):
    """``stopped``: something ran there, and does not any more."""

    data_dir: Path
    stopped: bool


def down(
    context: typer.Context,
    data_dir: DataDir = Path(".agentos"),
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="SECONDS",
            show_default=False,
            help="How long to wait for its end; else as long as it takes.",
        ),
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Stop what `agentos up` runs, also from another terminal or after it was killed, and wait.

    What runs is given back to the next `agentos up`, as with Ctrl-C. Nothing is deleted. Where
    nothing runs, nothing is to be done, but --data-dir must name a data folder.
    """
    holders = Holders(data_dir)
    if not holders.is_known and is_named(context):
        raise NoDataFolder(data_dir=holders.path, reason=holders.why_unknown)
    runs = holders.is_held
    if runs:
        stop(holders, timeout_seconds=timeout, tell=_tell)
    if output is Format.JSON:
        print_json(Stopped(data_dir=holders.path, stopped=runs))
    elif runs:
        print_line("Everything is stopped. `agentos up` resumes.")
    else:
        why = "" if holders.is_known else f" It is no data folder: {holders.why_unknown}"
        print_line(f"Nothing runs on {holders.path}.{why}")


def _tell(text: str) -> None:
    terminal.stderr().print(safe_line(text), style="dim", soft_wrap=True)
