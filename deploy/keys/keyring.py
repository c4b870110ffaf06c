"""API keys of teams, in the database that the environment names."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from activities.store import keys, usage
from activities.store.database import Database
from activities.store.keys import KeyInfo
from deploy import settings
from workflows.errors import AgentOSError


class TeamUnknown(AgentOSError):
    """There is no team {team!r}. Create it with `agentos keys create NAME --team {team}`."""


class KeyUnknown(AgentOSError):
    """Team {team!r} has no key {key} in use. `agentos keys ls --team {team}` lists its keys."""


async def create(name: str, team: str) -> str:
    """Create a key, and its team if it is new. Returns the key, which cannot be read again."""
    async with _database() as database:
        return (
            await keys.create_key(database, await keys.create_team(database, team), name)
        ).secret


async def listed(team: str) -> Sequence[KeyInfo]:
    """Raises ``TeamUnknown``."""
    async with _database() as database:
        return await keys.list_keys(database, await _find(database, team))


async def revoke(key: UUID, team: str) -> None:
    """Raises ``TeamUnknown``, or ``KeyUnknown`` when the team has no such key in use."""
    async with _database() as database:
        if not await keys.revoke_key(database, await _find(database, team), key):
            raise KeyUnknown(key=key, team=team)


async def set_quota(team: str, tokens: int | None) -> None:
    """Set a team's quota of tokens a day; None is that of the settings. Raises ``TeamUnknown``."""
    async with _database() as database:
        await usage.set_daily_tokens(database, await _find(database, team), tokens)


@asynccontextmanager
async def _database() -> AsyncIterator[Database]:
    database = Database(settings.load().database_url)
    try:
        yield database
    finally:
        await database.close()


async def _find(database: Database, team: str) -> UUID:
    found = await keys.find_team(database, team)
    if found is None:
        raise TeamUnknown(team=team)
    return found
