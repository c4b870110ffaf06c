"""``agentos cache``: results that equal steps are given instead of being run."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.filesize import decimal

from api.cli import terminal
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.pages import whole_list
from api.cli.commands.printing import print_json, print_line, print_table, when
from api.cli.commands.request_body import built
from api.cli.display.amounts import duration, seconds_between
from api.wire.requests import ClearRequest

app = typer.Typer(no_args_is_help=True)

OfStep = Annotated[
    str | None,
    typer.Option("--step", metavar="ID", show_default=False, help="Only of steps with this id."),
]
OfSkill = Annotated[
    str | None,
    typer.Option("--skill", metavar="NAME", show_default=False, help="Only of this skill."),
]
OfTool = Annotated[
    str | None,
    typer.Option("--tool", metavar="NAME", show_default=False, help="Only of this tool."),
]


@app.command()
def ls(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List the results that are kept, newest first."""
    page = talk(context, lambda client: whole_list(client.cache))
    if output is Format.JSON:
        print_json(page)
        return
    rows = [
        (
            item.name,
            item.step,
            f"{item.files:,}",
            decimal(item.size),
            when(item.made_at),
            _until(item.expires_at),
            f"{item.hits:,}",
        )
        for item in page.items
    ]
    columns = ("NAME", "STEP", "FILES", "SIZE", "MADE", "EXPIRES", "HITS")
    print_table(columns, rows, cut="NAME", spare=("SIZE", "FILES", "MADE", "STEP", "HITS"))


def _until(moment: datetime) -> str:
    """For people how long still, for programs the moment."""
    if not terminal.stdout().is_terminal:
        return moment.isoformat(timespec="seconds")
    return f"in {duration(seconds_between(datetime.now(UTC), moment))}"


@app.command()
def clear(
    context: typer.Context,
    *,
    step: OfStep = None,
    skill: OfSkill = None,
    tool: OfTool = None,
    output: Output = Format.TABLE,
) -> None:
    """Remove results that are kept, so that equal steps run again: all, or only some."""
    request = built(ClearRequest, {"step": step, "skill": skill, "tool": tool})
    answer = talk(context, lambda client: client.clear_cache(request))
    if output is Format.JSON:
        print_json(answer)
        return
    print_line(str(answer.cleared))
    terminal.stderr().print("results were removed.", style="dim")
