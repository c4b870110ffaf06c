"""``agentos skills validate``: it reads skills as a worker does, and needs what a worker needs."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.text import Text

from api.cli import terminal
from api.cli.commands.options import Format, Output
from api.cli.commands.printing import draw, print_json
from api.cli.commands.skills import app
from api.cli.display.glyphs import glyphs_of, style_of
from api.cli.exit_codes import ExitCode
from api.cli.terminal import safe_line
from api.wire.responses.pages import Page
from workflows.states import Status

Folders = Annotated[list[Path], typer.Argument(metavar="FOLDER...", show_default=False)]


class Validated(BaseModel):
    """A folder, and what is wrong with the skill in it."""

    folder: Path
    problems: list[str]


@app.command()
def validate(folders: Folders, output: Output = Format.TABLE) -> None:
    """Check skills in folders on this machine; exit with 2 when something is wrong."""

    from activities.skills.validation import validate as problems_of

    async def check() -> list[Validated]:
        return [Validated(folder=path, problems=await problems_of(path)) for path in folders]

    checked = asyncio.run(check())
    if output is Format.JSON:
        print_json(Page(items=checked))
    else:
        for item in checked:
            _print_validated(item)
    is_sound = not any(item.problems for item in checked)
    raise typer.Exit(ExitCode.OK if is_sound else ExitCode.USAGE)


def _print_validated(validated: Validated) -> None:
    status = Status.FAILED if validated.problems else Status.COMPLETED
    sign = (f"{glyphs_of(terminal.stdout()).of(status)} ", style_of(status))
    draw(Text.assemble(sign, safe_line(str(validated.folder))))
    for problem in validated.problems:
        draw(Text(f"  {safe_line(problem)}"))
