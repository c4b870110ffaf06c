"""``agentos secrets``: what MCP servers of teams are given, managed in the database."""

import asyncio
import sys
from datetime import datetime
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict

from api.cli.commands.options import Format, Output
from api.cli.commands.printing import print_json, print_table
from api.wire.responses.pages import Page
from deploy.team_options import DATA_DIR, DataDir, Team

app = typer.Typer(help="Secrets of MCP servers. Uses the database directly, not the API.")

TARGET_HELP = (
    "Where it may go: https://host[:port], or the command line of a program, "
    "which may end with * for any further arguments."
)


class Secret(BaseModel):
    """What may be shown of a secret."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    target: str
    updated_at: datetime


@app.command("set")
def set_(
    name: str,
    target: Annotated[str, typer.Option("--for", help=TARGET_HELP)],
    team: Team = "default",
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Set a secret: the value is asked for, or read from stdin. It is named secret:NAME."""
    from deploy.secrets import vault

    # Never an argument: everybody on the machine sees those.
    is_asked = sys.stdin.isatty()
    value = typer.prompt("Value", hide_input=True) if is_asked else sys.stdin.read()
    asyncio.run(vault.set_secret(data_dir, team, name, target, value.removesuffix("\n")))


@app.command()
def ls(team: Team = "default", data_dir: DataDir = DATA_DIR, output: Output = Format.TABLE) -> None:
    """List a team's secrets, without their values."""
    from deploy.secrets import vault

    found = [Secret.model_validate(each) for each in asyncio.run(vault.listed(data_dir, team))]
    if output is Format.JSON:
        print_json(Page(items=found))
        return
    rows = [(each.name, each.target, f"{each.updated_at:%F}") for each in found]
    print_table(("NAME", "FOR", "SET"), rows, cut="FOR", spare=("SET",))


@app.command()
def rm(
    name: str,
    target: Annotated[
        str | None, typer.Option("--for", help="Only the one for this target.")
    ] = None,
    team: Team = "default",
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Remove a secret. Servers that are connected keep it until they are disconnected."""
    from deploy.secrets import vault

    asyncio.run(vault.remove(data_dir, team, name, target))
