"""``agentos keys``: API keys of teams, made where the database is, not over HTTP."""

import asyncio
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(help="API keys of teams. Needs the database, not the API.")

Team = Annotated[str, typer.Option(help="Name of the team.")]


@app.command()
def create(name: str, team: Team = "default") -> None:
    """Make a key, and the team if it is new. The key is shown once, on stdout."""
    from deploy.keys import keyring

    print(asyncio.run(keyring.create(name, team)))  # noqa: T201


@app.command()
def ls(team: Team = "default") -> None:
    """List a team's keys."""
    from deploy.keys import keyring

    table = Table(box=None)
    table.add_column("ID", no_wrap=True, min_width=36)  # Whole, or `revoke` could not be given it.
    for name in ("NAME", "BEGINS WITH", "CREATED", "REVOKED"):
        table.add_column(name, overflow="fold")
    for key in asyncio.run(keyring.listed(team)):
        revoked = f"{key.revoked_at:%F}" if key.revoked_at else ""
        table.add_row(str(key.id), key.name, key.prefix, f"{key.created_at:%F}", revoked)
    Console().print(table)


@app.command()
def revoke(key: UUID, team: Team = "default") -> None:
    """Make a key useless."""
    from deploy.keys import keyring

    asyncio.run(keyring.revoke(key, team))


@app.command()
def quota(
    tokens: Annotated[
        int | None,
        typer.Argument(min=0, show_default=False, help="0: no limit. Left out: the server's own."),
    ] = None,
    team: Team = "default",
) -> None:
    """Set how many tokens a team's agents may use a day. It counts from their next turn on."""
    from deploy.keys import keyring

    asyncio.run(keyring.set_quota(team, tokens))
