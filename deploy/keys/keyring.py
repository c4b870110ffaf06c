"""API keys of teams, in the database that the environment names, or in that of `agentos up`."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from activities.store import keys, usage
from activities.store.database import Database
from activities.store.errors import database_refusals
from activities.store.keys import KeyInfo
from deploy import settings, variables
from deploy.local.state import running_parts
from workflows.errors import AgentOSError


class TeamUnknown(AgentOSError):
    """There is no team {team!r}. Create it with `agentos keys create NAME --team {team}`."""


class KeyUnknown(AgentOSError):
    """Team {team!r} has no key {key} in use. `agentos keys ls --team {team}` lists its keys."""


class NoDatabase(AgentOSError):
    """Whose keys? AGENTOS_DATABASE_URL is not set, and no stack runs on {data_dir}. Start one with
    `agentos up`, say where it is with --data-dir, or set AGENTOS_DATABASE_URL."""


async def create(data_dir: Path, name: str, team: str) -> str:
    """Create a key, and its team if it is new. Returns the key, which cannot be read again."""
    async with _database(data_dir) as database:
        return (
            await keys.create_key(database, await keys.create_team(database, team), name)
        ).secret


async def listed(data_dir: Path, team: str) -> Sequence[KeyInfo]:
    """Raises ``TeamUnknown``."""
    async with _database(data_dir) as database:
        return await keys.list_keys(database, await _find(database, team))


async def revoke(data_dir: Path, key: UUID, team: str) -> None:
    """Raises ``TeamUnknown``, or ``KeyUnknown`` when the team has no such key in use."""
    async with _database(data_dir) as database:
        if not await keys.revoke_key(database, await _find(database, team), key):
            raise KeyUnknown(key=key, team=team)


async def set_quota(data_dir: Path, team: str, tokens: int | None) -> None:
    """Set a team's quota of tokens a day; None is that of the settings. Raises ``TeamUnknown``."""
    async with _database(data_dir) as database:
        await usage.set_daily_tokens(database, await _find(database, team), tokens)


@asynccontextmanager
async def _database(data_dir: Path) -> AsyncIterator[Database]:
    async with database_refusals():
        database = Database(_database_url(data_dir))
        try:
            yield database
        finally:
            await database.close()


def _database_url(data_dir: Path) -> str:
    if variables.names_services():
        return settings.load_database_url()
    part = running_parts(data_dir).get("postgres")
    if part is None or part.url is None:
        raise NoDatabase(data_dir=data_dir.absolute())
    # As `up` tells it, it is libpq's.
    return part.url.replace("postgresql:", "postgresql+asyncpg:", 1)


async def _find(database: Database, team: str) -> UUID:
    found = await keys.find_team(database, team)
    if found is None:
        raise TeamUnknown(team=team)
    return found
