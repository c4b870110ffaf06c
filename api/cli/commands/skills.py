"""``agentos skills``: folders of scripts, with instructions for using them."""

from typing import Annotated

import typer

from api.cli import terminal
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.printing import Cell, print_fields, print_json, print_table
from api.cli.terminal import safe_line
from api.client import AsyncClient as Client
from api.wire.responses.skills import Skill

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="A skill's name.")]


@app.command()
def ls(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List the installed skills."""
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
