"""``agentos keys``: API keys of teams, made where the database is, not over HTTP."""

import asyncio
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from activities.store import keys
from activities.store.database import Database
from deploy import settings
from workflows.errors import AgentOSError

app = typer.Typer(help="API keys of teams. Needs the database, not the API.")

Team = Annotated[str, typer.Option(help="Name of the team.")]


class TeamUnknown(AgentOSError):
    """There is no team {team!r}. `agentos keys create --team {team}` makes it."""


class KeyUnknown(AgentOSError):
    """Team {team!r} has no key {key} in use. `agentos keys ls --team {team}` lists its keys."""


@app.command()
def create(name: str, team: Team = "default") -> None:
    """Make a key, and the team if it is new. The key is shown once, on stdout."""
    print(asyncio.run(_create(name, team)))  # noqa: T201


@app.command()
def ls(team: Team = "default") -> None:
    """List a team's keys."""
    table = Table("ID", "NAME", "BEGINS WITH", "CREATED", "REVOKED", box=None)
    for key in asyncio.run(_list(team)):
        revoked = f"{key.revoked_at:%F %T}" if key.revoked_at else ""
        table.add_row(str(key.id), key.name, key.prefix, f"{key.created_at:%F %T}", revoked)
    Console().print(table)


@app.command()
def revoke(key: UUID, team: Team = "default") -> None:
    """Make a key useless."""
    asyncio.run(_revoke(key, team))


async def _create(name: str, team: str) -> str:
    database = Database(settings.load().database_url)
    try:
        return (
            await keys.create_key(database, await keys.create_team(database, team), name)
        ).secret
    finally:
        await database.close()


async def _list(team: str) -> list[keys.KeyInfo]:
    database = Database(settings.load().database_url)
    try:
        return list(await keys.list_keys(database, await _find(database, team)))
    finally:
        await database.close()


async def _revoke(key: UUID, team: str) -> None:
    database = Database(settings.load().database_url)
    try:
        if not await keys.revoke_key(database, await _find(database, team), key):
            raise KeyUnknown(key=key, team=team)
    finally:
        await database.close()


async def _find(database: Database, team: str) -> UUID:
    found = await keys.find_team(database, team)
    if found is None:
        raise TeamUnknown(team=team)
    return found
