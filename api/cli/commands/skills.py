"""``agentos skills``: folders with scripts and the words that tell how to use them."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.text import Text

from activities.skills.validation import validate as problems_of
from api.cli import terminal
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.printing import Cell, draw, print_fields, print_json, print_table
from api.cli.display.glyphs import STYLES, glyphs_of
from api.cli.exit_codes import ExitCode
from api.cli.terminal import safe_line
from api.client import Client
from api.wire.responses import Page, Skill
from workflows.states import Status

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="A skill's name.")]
Folders = Annotated[list[Path], typer.Argument(metavar="FOLDER...", show_default=False)]


class Validated(BaseModel):
    """A folder, and what is wrong with the skill in it."""

    folder: Path
    problems: list[str]


@app.command()
def ls(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List the skills that are installed."""
    page = talk(context, Client.skills)
    if output is Format.JSON:
        print_json(page)
        return
    rows = [(skill.name, str(len(skill.scripts)), skill.description) for skill in page.items]
    print_table(("NAME", "SCRIPTS", "DESCRIPTION"), rows, cut="DESCRIPTION")
    for refused in page.refused:
        line = f"{refused.folder}: {refused.reason}"
        terminal.stderr().print(safe_line(line), style="yellow", soft_wrap=True)


@app.command()
def show(context: typer.Context, name: Name, output: Output = Format.TABLE) -> None:
    """Show a skill with its scripts and files."""
    skill = talk(context, lambda client: client.skill(name))
    print_json(skill) if output is Format.JSON else print_fields(_fields(skill))


@app.command()
def validate(folders: Folders, output: Output = Format.TABLE) -> None:
    """Check skills in folders on this machine; exit with 1 when something is wrong."""

    async def check() -> list[Validated]:
        return [Validated(folder=path, problems=await problems_of(path)) for path in folders]

    checked = asyncio.run(check())
    if output is Format.JSON:
        print_json(Page(items=checked))
    else:
        for item in checked:
            _print_validated(item)
    is_sound = not any(item.problems for item in checked)
    raise typer.Exit(ExitCode.OK if is_sound else ExitCode.FAILED)


def _print_validated(validated: Validated) -> None:
    status = Status.FAILED if validated.problems else Status.COMPLETED
    sign = (f"{glyphs_of(terminal.stdout()).of(status)} ", STYLES[status])
    draw(Text.assemble(sign, safe_line(str(validated.folder))))
    for problem in validated.problems:
        draw(Text(f"  {safe_line(problem)}"))


def _fields(skill: Skill) -> list[tuple[str, Cell]]:
    scripts = [("Script", script) for script in skill.scripts]
    others = [("File", file) for file in skill.files if file not in skill.scripts]
    fields: list[tuple[str, Cell]] = [
        ("Skill", skill.name),
        ("Description", skill.description),
        ("License", skill.license or ""),
        ("Compatibility", skill.compatibility or ""),
        ("Tools", " ".join(skill.allowed_tools)),
        ("Digest", skill.digest),
        *((f"Metadata {key}", value) for key, value in skill.metadata.items()),
        *scripts,
        *others,
        *(("Warning", warning) for warning in skill.warnings),
    ]
    return [(label, value) for label, value in fields if value]
