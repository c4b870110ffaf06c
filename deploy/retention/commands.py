"""``agentos retention``: what a team keeps for another time than the settings say."""

import asyncio
from typing import Annotated

import typer
from pydantic import BaseModel

from activities.retention import FOREVER, MOST_DAYS, NAMES
from api.cli.commands.options import Format, Output
from api.cli.commands.printing import print_json, print_table
from deploy.team_options import DATA_DIR, DataDir, Team
from workflows.errors import BadInput

app = typer.Typer(help="How long a team's things are kept. Uses the database directly.")

DEFAULT = "default"


class RetentionMalformed(BadInput):
    """{text!r} does not say how long something is kept. Write NAME=DAYS with 1 to {most} days,
    NAME=forever, or NAME=default for what the settings say; NAME is one of: {names}."""


class TeamRetention(BaseModel):
    """What a team has set: days by name, null for ever. The settings say the rest."""

    team: str
    own: dict[str, int | None]


@app.command()
def show(
    team: Team = "default", data_dir: DataDir = DATA_DIR, output: Output = Format.TABLE
) -> None:
    """Show what a team keeps for another time than the settings say."""
    from deploy.retention import teams

    _print(TeamRetention(team=team, own=asyncio.run(teams.shown(data_dir, team))), output)


@app.command(name="set")
def set_(
    changes: Annotated[
        list[str],
        typer.Argument(metavar="NAME=DAYS...", help="Or NAME=forever, NAME=default."),
    ],
    team: Team = "default",
    data_dir: DataDir = DATA_DIR,
    output: Output = Format.TABLE,
) -> None:
    """Set how long a team's things are kept, such as events=10 logs=forever files=default."""
    from deploy.retention import teams

    wanted = dict(map(parse, changes))
    kept = {name: days for name, days in wanted.items() if days != DEFAULT}
    reset = tuple(name for name, days in wanted.items() if days == DEFAULT)
    own = asyncio.run(teams.change(data_dir, team, kept, reset))
    _print(TeamRetention(team=team, own=own), output)


def parse(text: str) -> tuple[str, int | str | None]:
    """``NAME=DAYS``: the name, and days, None for ever, or ``default``.

    Raises:
        RetentionMalformed
    """
    name, _, value = text.partition("=")
    is_number = value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= MOST_DAYS
    if name not in NAMES or not (is_number or value in (FOREVER, DEFAULT)):
        raise RetentionMalformed(text=text[:100], most=MOST_DAYS, names=", ".join(NAMES))
    if is_number:
        return name, int(value)
    return name, None if value == FOREVER else DEFAULT


def _print(found: TeamRetention, output: Format) -> None:
    if output is Format.JSON:
        print_json(found)
        return
    rows = [
        (name, FOREVER if days is None else f"{days:,} days") for name, days in found.own.items()
    ]
    print_table(("WHAT", "KEPT"), rows)
