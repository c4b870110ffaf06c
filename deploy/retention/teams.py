"""How long teams keep things, in the database that the environment names, or in that of
`agentos up`."""

from collections.abc import Mapping
from pathlib import Path

from activities.store import retention
from activities.store.audit import LOCAL_USER, Actor
from deploy.team_database import team_database, team_named


async def shown(data_dir: Path, team: str) -> dict[str, int | None]:
    """Days by name, None for ever. Raises ``TeamUnknown``."""
    async with team_database(data_dir) as database:
        team_id = await team_named(database, team)
        return dict((await retention.team_retention(database, team_id)).own)


async def change(
    data_dir: Path, team: str, kept: Mapping[str, object], reset: tuple[str, ...]
) -> dict[str, int | None]:
    """Set days by name, None for ever; what ``reset`` names is as in the settings again. Gives all
    that the team has set then. Raises ``TeamUnknown``."""
    days = {name: value if isinstance(value, int) else None for name, value in kept.items()}
    async with team_database(data_dir) as database:
        actor = Actor(await team_named(database, team), LOCAL_USER)
        return dict((await retention.set_retention(database, actor, days, reset)).own)
