"""``agentos pipelines``: pipelines in files."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

from api.cli.commands.checking import (
    Checked,
    check_files,
    print_checked,
    tell_unchecked,
)
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.printing import print_json
from api.cli.exit_codes import ExitCode

app = typer.Typer(no_args_is_help=True)

Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", show_default=False, help="YAML or JSON files; - for stdin."),
]


class CheckedFiles(BaseModel):
    items: list[Checked]


@app.callback()
def pipelines() -> None:
    """Pipelines in files."""


@app.command()
def validate(context: typer.Context, files: Files, output: Output = Format.TABLE) -> None:
    """Check pipelines whole, and run nothing; exit with 2 when something is wrong.

    Skills and tools are those of the server; where none answers, they are not checked.
    """
    checked = talk(context, lambda client: check_files(client, files))
    tell_unchecked(*checked)
    if output is Format.JSON:
        print_json(CheckedFiles(items=checked))
    else:
        for each in checked:
            print_checked(each)
    is_valid = all(each.valid for each in checked)
    raise typer.Exit(ExitCode.OK if is_valid else ExitCode.USAGE)
