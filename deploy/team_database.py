"""The database of commands that manage teams: the one that the environment names, or that of the
stack of `agentos up`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from activities.store import keys
from activities.store.database import Database
from activities.store.errors import database_refusals
from deploy import settings, variables
from deploy.local.state import running_parts
from workflows.errors import AgentOSError


class TeamUnknown(AgentOSError):
    """There is no team {team!r}. Create it with `agentos keys create NAME --team {team}`."""


class NoDatabase(AgentOSError):
    """AGENTOS_DATABASE_URL is not set, and no stack runs on {data_dir}. Start one with
    `agentos up`, say where it is with --data-dir, or set AGENTOS_DATABASE_URL."""


@asynccontextmanager
async def team_database(data_dir: Path) -> AsyncIterator[Database]:
    """Raises ``NoDatabase``, ``StackNotOurs``, ``DatabaseRefused``."""
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


async def team_named(database: Database, team: str) -> UUID:
    """Raises ``TeamUnknown``."""
    found = await keys.find_team(database, team)
    if found is None:
        raise TeamUnknown(team=team)
    return found
