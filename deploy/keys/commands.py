"""``agentos keys``: API keys of teams, managed in the database and not over HTTP."""

import asyncio
from datetime import datetime
from math import isnan
from typing import Annotated
from uuid import UUID

import typer
from pydantic import BaseModel, ConfigDict

from api.cli.commands.options import Format, Output
from api.cli.commands.printing import print_json, print_line, print_table
from api.wire.responses.pages import Page
from deploy.team_options import DATA_DIR, DataDir, Team
from workflows.definitions.agent import MAX_TOKENS
from workflows.definitions.limits import LEAST_WEIGHT, MAX_BOUND, MOST_WEIGHT

app = typer.Typer(help="API keys of teams. Uses the database directly, not the API.")


class Key(BaseModel):
    """What may be shown of a key: ``prefix`` is its beginning."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None


@app.command()
def create(name: str, team: Team = "default", data_dir: DataDir = DATA_DIR) -> None:
    """Create a key, and its team if it is new. The key is shown only once, on stdout."""
    from deploy.keys import keyring

    print(asyncio.run(keyring.create(data_dir, name, team)))  # noqa: T201


@app.command()
def ls(team: Team = "default", data_dir: DataDir = DATA_DIR, output: Output = Format.TABLE) -> None:
    """List a team's keys."""
    from deploy.keys import keyring

    found = [Key.model_validate(key) for key in asyncio.run(keyring.listed(data_dir, team))]
    if output is Format.JSON:
        print_json(Page(items=found))
        return
    rows = [
        (
            str(key.id),
            key.name,
            key.prefix,
            f"{key.created_at:%F}",
            f"{key.revoked_at:%F}" if key.revoked_at else "",
        )
        for key in found
    ]
    print_table(
        ("ID", "NAME", "BEGINS WITH", "CREATED", "REVOKED"),
        rows,
        cut="NAME",
        spare=("REVOKED", "CREATED"),
    )


@app.command()
def revoke(key: UUID, team: Team = "default", data_dir: DataDir = DATA_DIR) -> None:
    """Revoke a key."""
    from deploy.keys import keyring

    asyncio.run(keyring.revoke(data_dir, key, team))


@app.command()
def quota(
    tokens: Annotated[
        int | None,
        typer.Argument(
            min=0,
            max=MAX_TOKENS,
            show_default=False,
            help="0: no limit. Omitted: the default.",
        ),
    ] = None,
    team: Team = "default",
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Set how many tokens a team's agents may use per day. Applies from their next turn on."""
    from deploy.keys import keyring

    asyncio.run(keyring.set_quota(data_dir, team, tokens))


@app.command()
def limit(
    running: Annotated[
        int | None,
        typer.Argument(min=0, max=MAX_BOUND, show_default=False, help="0 or omitted: no limit."),
    ] = None,
    team: Team = "default",
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Set how many steps, calls and turns of a team may run at once. The rest waits in order."""
    from deploy.keys import keyring

    asyncio.run(keyring.set_limit(data_dir, team, running or None))
    said = f"{running} at once" if running else "no limit"
    print_line(f"limit of team {team}: {said}")


@app.command()
def thinking(
    agents: Annotated[
        int | None,
        typer.Argument(min=0, max=MAX_BOUND, show_default=False, help="0 or omitted: no limit."),
    ] = None,
    team: Team = "default",
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Set how many agents that stay of a team may think at once. The others wait in order."""
    from deploy.keys import keyring

    asyncio.run(keyring.set_thinking(data_dir, team, agents or None))
    said = f"{agents} agents at once" if agents else "no limit"
    print_line(f"thinking of team {team}: {said}")


@app.command()
def weight(
    weight: Annotated[
        float | None,
        typer.Argument(
            min=LEAST_WEIGHT, max=MOST_WEIGHT, show_default=False, help="Omitted: 1, the default."
        ),
    ] = None,
    team: Team = "default",
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Set a team's share of the workers when all are busy. Applies to tasks started from now on."""
    from deploy.keys import keyring

    if weight is not None and isnan(weight):
        raise typer.BadParameter("give a number")
    asyncio.run(keyring.set_weight(data_dir, team, weight))
    print_line(f"weight of team {team}: {1 if weight is None else weight:g}")
