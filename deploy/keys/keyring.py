"""API keys of teams, in the database that the environment names, or in that of `agentos up`."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from activities.store import keys, limits, usage
from activities.store.audit import LOCAL_USER, Actor
from activities.store.database import Database
from activities.store.keys import KeyInfo
from deploy.team_database import team_database, team_named
from workflows.errors import AgentOSError


class KeyUnknown(AgentOSError):
    """Team {team!r} has no key {key} in use. `agentos keys ls --team {team}` lists its keys."""


async def create(data_dir: Path, name: str, team: str) -> str:
    """Create a key, and its team if it is new. Returns the key, which cannot be read again."""
    async with team_database(data_dir) as database:
        return (
            await keys.create_key(database, await keys.create_team(database, team), name)
        ).secret


async def listed(data_dir: Path, team: str) -> Sequence[KeyInfo]:
    """Raises ``TeamUnknown``."""
    async with team_database(data_dir) as database:
        return await keys.list_keys(database, await team_named(database, team))


async def revoke(data_dir: Path, key: UUID, team: str) -> None:
    """Raises ``TeamUnknown``, or ``KeyUnknown`` when the team has no such key in use."""
    async with team_database(data_dir) as database:
        if not await keys.revoke_key(database, await team_named(database, team), key):
            raise KeyUnknown(key=key, team=team)


async def set_quota(data_dir: Path, team: str, tokens: int | None) -> None:
    """Set a team's quota of tokens a day; None is that of the settings. Raises ``TeamUnknown``."""
    async with team_database(data_dir) as database:
        await usage.set_daily_tokens(database, await team_named(database, team), tokens)


async def set_limit(data_dir: Path, team: str, running: int | None) -> None:
    """Set how much of a team's work may run at once; None is no limit. Raises ``TeamUnknown``."""
    async with team_database(data_dir) as database:
        await limits.set_max_running(database, await _actor(database, team), running)


async def set_thinking(data_dir: Path, team: str, agents: int | None) -> None:
    """Set how many agents that stay of a team may think at once; None is no limit. Raises
    ``TeamUnknown``."""
    async with team_database(data_dir) as database:
        await limits.set_max_thinking(database, await _actor(database, team), agents)


async def set_weight(data_dir: Path, team: str, weight: float | None) -> None:
    """Set a team's share in the workers; None is the usual one. Raises ``TeamUnknown``."""
    async with team_database(data_dir) as database:
        await limits.set_weight(database, await _actor(database, team), weight)


async def _actor(database: Database, team: str) -> Actor:
    """Whoever can write to the database needs no key."""
    return Actor(await team_named(database, team), LOCAL_USER)
