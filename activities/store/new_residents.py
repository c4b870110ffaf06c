"""Making agents that stay: what one is made of, and why it may not be."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.store import audit, events
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.resident_locks import lock_agent, tell_viewers
from activities.store.team_lock import lock_team
from workflows.definitions.resident import DEFAULT_CHILDREN, MAX_DEPTH
from workflows.states import AgentState


class NotMade(Enum):
    """Why an agent was not written."""

    NAME_TAKEN = auto()
    KEY_TAKEN = auto()  # Another request has the same idempotency key.
    TOO_MANY = auto()  # The team has as many as it may.
    PARENT_GONE = auto()
    PARENT_TERMINATED = auto()
    TOO_MANY_CHILDREN = auto()  # The parent has as many as it may.
    TOO_DEEP = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResident:
    """``definition`` is a ``Resident``. One with the same ``id`` is the same agent; so is one with
    the same idempotency key, whose ``request_digest`` tells a repeat from another request."""

    id: UUID
    name: str
    definition: Mapping[str, JsonValue]
    parent_id: UUID | None = None
    template: str | None = None
    idempotency_key: str | None = None
    request_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """``is_new``: it was not there already."""

    id: UUID
    is_new: bool


async def create_resident(
    database: Database, actor: Actor, new: NewResident, *, most: int
) -> Made | NotMade:
    """Write an agent down, unless the team has ``most`` already, or one of this name."""
    async with database.writing() as connection:
        await lock_team(connection, actor.team_id)
        if (earlier := await _find_earlier(connection, actor.team_id, new)) is not None:
            return earlier
        depth = await _room(connection, actor.team_id, new, most)
        if isinstance(depth, NotMade):
            return depth
        await connection.execute(
            _INSERT,
            {
                "id": new.id,
                "team_id": actor.team_id,
                "name": new.name,
                "parent_id": new.parent_id,
                "depth": depth,
                "definition": events.as_json(new.definition),
                "template": new.template,
                "idempotency_key": new.idempotency_key,
                "request_digest": new.request_digest,
            },
        )
        told: dict[str, JsonValue] = {"name": new.name}
        if new.parent_id is not None:
            told["parent_id"] = str(new.parent_id)
        await audit.note(connection, actor, Deed("agent.created", str(new.id), details=told))
        await tell_viewers(connection, actor.team_id, [new.id])
    return Made(new.id, is_new=True)


async def find_made(database: Database, team_id: UUID, new: NewResident) -> Made | NotMade | None:
    """What an earlier request of the same id, or with the same key, has made; None if nothing."""
    async with database.reading(fresh=True) as connection:
        return await _find_earlier(connection, team_id, new)


async def _find_earlier(
    connection: AsyncConnection, team_id: UUID, new: NewResident
) -> Made | NotMade | None:
    values: dict[str, Any] = {"id": new.id, "team_id": team_id, "key": new.idempotency_key}
    row = (await connection.execute(_EARLIER, values)).first()
    if row is None:
        return None
    if row.id != new.id and row.request_digest != new.request_digest:
        return NotMade.KEY_TAKEN
    return Made(row.id, is_new=False)


async def _room(
    connection: AsyncConnection, team_id: UUID, new: NewResident, most: int
) -> int | NotMade:
    """The depth that the agent will have, or why there is no room for it."""
    values = {"team_id": team_id, "name": new.name, "agent_id": new.id}
    if await connection.scalar(HAS_NAME, values):
        return NotMade.NAME_TAKEN
    if (await connection.scalar(_COUNT, values) or 0) >= most:
        return NotMade.TOO_MANY
    if new.parent_id is None:
        return 0
    return await _room_below(connection, team_id, new.parent_id)


async def _room_below(connection: AsyncConnection, team_id: UUID, parent_id: UUID) -> int | NotMade:
    parent = await lock_agent(connection, team_id, parent_id)
    if parent is None:
        return NotMade.PARENT_GONE
    if parent.state is AgentState.TERMINATED:
        return NotMade.PARENT_TERMINATED
    if parent.depth + 1 >= MAX_DEPTH:
        return NotMade.TOO_DEEP
    if await connection.scalar(_HAS_ROOM, {"parent_id": parent.id}):
        return parent.depth + 1
    return NotMade.TOO_MANY_CHILDREN


_EARLIER = text(
    """
    SELECT id, request_digest FROM agents
    WHERE team_id = :team_id AND (id = :id OR idempotency_key = CAST(:key AS text))
    ORDER BY id = :id DESC LIMIT 1
    """
)

_INSERT = text(
    """
    INSERT INTO agents
        (id, team_id, name, parent_id, depth, definition, template, message_seq, told_seq,
         exchanges, idempotency_key, request_digest)
    VALUES (:id, :team_id, :name, :parent_id, :depth, CAST(:definition AS jsonb), :template, 0, 0,
            0, :idempotency_key, :request_digest)
    """
)

HAS_NAME = text(
    """
    SELECT true FROM agents
    WHERE team_id = :team_id AND name = :name AND deleted_at IS NULL AND id <> :agent_id
    """
)

_COUNT = text("SELECT count(*) FROM agents WHERE team_id = :team_id AND deleted_at IS NULL")

_HAS_ROOM = text(
    f"""
    SELECT coalesce(CAST(definition #>> '{{limits,children}}' AS integer), {DEFAULT_CHILDREN}) > (
        SELECT count(*) FROM agents AS children
        WHERE children.parent_id = agents.id AND children.terminated_at IS NULL
          AND children.deleted_at IS NULL
    )
    FROM agents WHERE id = :parent_id
    """
)
