"""How long things are kept: what the server's settings say, and what a team has instead."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import select, text
from sqlmodel import col

from activities.retention import FOREVER, NAMES, Retention
from activities.store.audit import Actor, Deed, note
from activities.store.database import Database
from activities.store.tables import Team


@dataclass(frozen=True, slots=True)
class TeamRetention:
    """``own`` is what the team has set: days by name, None for ever."""

    own: Mapping[str, int | None]

    def over(self, settings: Retention) -> Retention:
        """What holds for the team. A name that this version does not know is passed over."""
        known = {name: days for name, days in self.own.items() if name in NAMES}
        return Retention.model_validate({**settings.model_dump(), **known})


async def team_retention(database: Database, team_id: UUID) -> TeamRetention:
    async with database.reading(fresh=True) as connection:
        own = await connection.scalar(select(col(Team.retention)).where(col(Team.id) == team_id))
    return TeamRetention(own or {})


async def set_retention(
    database: Database, actor: Actor, changes: Mapping[str, int | None], reset: tuple[str, ...]
) -> TeamRetention:
    """Change what a team has set; ``reset`` are names for which the settings count again."""
    values = {"team_id": actor.team_id, "changes": json.dumps(dict(changes)), "reset": list(reset)}
    details: dict[str, JsonValue] = {
        **{name: FOREVER if days is None else days for name, days in changes.items()},
        **dict.fromkeys(reset, "as in the settings"),
    }
    async with database.writing() as connection:
        own = await connection.scalar(_SET, values)
        deed = Deed("team.retention_set", str(actor.team_id), details=details)
        await note(connection, actor, deed)
    return TeamRetention(own or {})


_SET = text(
    """
    UPDATE teams
    SET retention = (coalesce(retention, '{}') || CAST(:changes AS jsonb)) - CAST(:reset AS text[])
    WHERE id = :team_id
    RETURNING retention
    """
)
