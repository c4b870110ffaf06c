"""``agentos keys``: API keys of teams, managed in the database and not over HTTP."""

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer
from pydantic import BaseModel, ConfigDict

from api.cli.commands.options import Format, Output
from api.cli.commands.printing import print_json, print_table
from api.wire.responses.pages import Page
from deploy.team_options import DATA_DIR, DataDir, Team
from workflows.definitions.agent import MAX_TOKENS

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
    print_table(("ID", "NAME", "BEGINS WITH", "CREATED", "REVOKED"), rows, cut="NAME")


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
