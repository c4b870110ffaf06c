"""Templates of agents that stay which a team has set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from activities.store import audit
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.tables import AgentTemplate
from activities.store.team_lock import lock_team

MAX_TEMPLATES = 200


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """``definition`` has those fields of a ``Resident`` that were given."""

    name: str
    description: str
    definition: Mapping[str, JsonValue]


async def put_template(database: Database, actor: Actor, template: StoredTemplate) -> bool:
    """Set a template, whether or not there is one of its name. False when the team has as many as
    it may."""
    written = {
        "description": template.description,
        "definition": dict(template.definition),
        "updated_at": func.now(),
    }
    async with database.writing() as connection:
        await lock_team(connection, actor.team_id)
        others = await connection.scalar(
            select(func.count()).where(
                col(AgentTemplate.team_id) == actor.team_id,
                col(AgentTemplate.name) != template.name,
            )
        )
        if (others or 0) >= MAX_TEMPLATES:
            return False
        await connection.execute(
            insert(AgentTemplate)
            .values(team_id=actor.team_id, name=template.name, **written)
            .on_conflict_do_update(index_elements=["team_id", "name"], set_=written)
        )
        await audit.note(connection, actor, Deed("agent_template.set", template.name))
    return True


async def delete_template(database: Database, actor: Actor, name: str) -> bool:
    """False when the team has none of this name."""
    async with database.writing() as connection:
        deleted = await connection.scalar(
            delete(AgentTemplate)
            .where(col(AgentTemplate.team_id) == actor.team_id, col(AgentTemplate.name) == name)
            .returning(col(AgentTemplate.name))
        )
        if deleted is None:
            return False
        await audit.note(connection, actor, Deed("agent_template.deleted", name))
    return True


async def list_templates(
    database: Database, team_id: UUID, name: str | None = None
) -> Sequence[StoredTemplate]:
    """All of the team, by name; or the one of this ``name``."""
    query = select(
        col(AgentTemplate.name), col(AgentTemplate.description), col(AgentTemplate.definition)
    ).where(col(AgentTemplate.team_id) == team_id)
    if name is not None:
        query = query.where(col(AgentTemplate.name) == name)
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(query.order_by(col(AgentTemplate.name)))
        return [StoredTemplate(*row) for row in rows]
