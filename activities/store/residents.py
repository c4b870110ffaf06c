"""Writing agents that stay: make them, change them, and what people do to one.

Each act judges the state under the lock of the agent's row, by the table of
``workflows.resident_states``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.store import audit, events
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.resident_locks import LockedAgent, lock_agent, tell_viewers
from activities.store.team_lock import lock_team
from workflows.definitions.resident import DEFAULT_CHILDREN, MAX_DEPTH
from workflows.resident_states import AgentAct, is_legal
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


@dataclass(frozen=True, slots=True)
class Acted:
    """``agent`` is as it was before; not ``is_done``: that is not legal in its state."""

    agent: LockedAgent
    is_done: bool


class Changed(Enum):
    """What became of a change."""

    DONE = auto()
    GONE = auto()
    TERMINATED = auto()
    NAME_TAKEN = auto()
    MOVED = auto()  # Somebody else has changed it since it was read.


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


async def change_resident(
    database: Database,
    actor: Actor,
    agent_id: UUID,
    *,
    name: str,
    seen: Mapping[str, JsonValue],
    definition: Mapping[str, JsonValue],
    fields: list[str],
) -> Changed:
    """Give an agent whose definition is the one that was ``seen`` a new one, from its next turn on.
    ``fields`` are those that were asked for."""
    values = {"agent_id": agent_id, "team_id": actor.team_id, "name": name}
    async with database.writing() as connection:
        await lock_team(connection, actor.team_id)  # Names are given out one at a time.
        found = await lock_agent(connection, actor.team_id, agent_id)
        if found is None:
            return Changed.GONE
        if not is_legal(AgentAct.CHANGE, found.state):
            return Changed.TERMINATED
        if await connection.scalar(_HAS_NAME, values):
            return Changed.NAME_TAKEN
        documents = {"seen": events.as_json(seen), "definition": events.as_json(definition)}
        changed = await connection.scalar(_CHANGE, {**values, **documents})
        if changed is None:
            return Changed.MOVED
        deed = Deed("agent.changed", str(agent_id), details={"fields": [*fields]})
        await audit.note(connection, actor, deed)
        await tell_viewers(connection, actor.team_id, [agent_id])
    return Changed.DONE


async def pause_resident(database: Database, actor: Actor, agent_id: UUID) -> Acted | None:
    """None when there is no such agent; so it is with the others."""
    return await _do(database, actor, agent_id, _Step(AgentAct.PAUSE, "agent.paused", _PAUSE))


async def resume_resident(database: Database, actor: Actor, agent_id: UUID) -> Acted | None:
    return await _do(database, actor, agent_id, _Step(AgentAct.RESUME, "agent.resumed", _RESUME))


async def restart_resident(
    database: Database, actor: Actor, agent_id: UUID, *, skip: bool
) -> Acted | None:
    """What the failed exchange was to answer is taken again; with ``skip`` it counts as read."""
    statement = _SKIP if skip else _RESTART
    step = _Step(AgentAct.RESTART, "agent.restarted", statement, {"skip": skip})
    return await _do(database, actor, agent_id, step)


async def delete_resident(database: Database, actor: Actor, agent_id: UUID) -> Acted | None:
    """From now on nobody is shown it. Its row, and what it has said, stay for housekeeping."""
    return await _do(database, actor, agent_id, _Step(AgentAct.DELETE, "agent.deleted", _DELETE))


@dataclass(frozen=True, slots=True)
class _Step:
    """The ``statement`` that does ``act`` to ``:agent_id``, and the deed that it is."""

    act: AgentAct
    action: str
    statement: TextClause
    details: Mapping[str, JsonValue] = field(default_factory=dict)


async def _do(database: Database, actor: Actor, agent_id: UUID, step: _Step) -> Acted | None:
    async with database.writing() as connection:
        found = await lock_agent(connection, actor.team_id, agent_id)
        if found is None:
            return None
        if not is_legal(step.act, found.state):
            return Acted(found, is_done=False)
        await connection.execute(step.statement, {"agent_id": agent_id})
        await audit.note(connection, actor, Deed(step.action, str(agent_id), details=step.details))
        await tell_viewers(connection, actor.team_id, [agent_id])
    return Acted(found, is_done=True)


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
    if await connection.scalar(_HAS_NAME, values):
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

_HAS_NAME = text(
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

_CHANGE = text(
    """
    UPDATE agents
    SET name = :name, definition = CAST(:definition AS jsonb), updated_at = now()
    WHERE id = :agent_id AND definition = CAST(:seen AS jsonb)
    RETURNING id
    """
)

_PAUSE = text("UPDATE agents SET paused_at = now(), updated_at = now() WHERE id = :agent_id")

# Whoever tells workflows does so again: the word of whoever does this may be lost. What an exchange
# has taken that goes on, that reads by itself.
_UNTELL = """
    told_seq = least(told_seq, coalesce((
        SELECT min(seq) - 1 FROM inbox
        WHERE inbox.agent_id = agents.id AND read_at IS NULL {and_is_waiting}
    ), told_seq))
"""
_NOT_TAKEN = "AND (inbox.exchange_id = agents.exchange_id) IS NOT TRUE"

_RESUME = text(
    f"""
    UPDATE agents
    SET paused_at = NULL, {_UNTELL.format(and_is_waiting=_NOT_TAKEN)}, updated_at = now()
    WHERE id = :agent_id
    """
)

_RESTART = text(
    f"""
    UPDATE agents
    SET exchange_id = NULL, {_UNTELL.format(and_is_waiting="")}, updated_at = now()
    WHERE id = :agent_id
    """
)

_SKIP = text(
    f"""
    WITH failed AS (
        SELECT id, exchange_id FROM agents WHERE id = :agent_id
    ), skipped AS (
        UPDATE inbox SET read_at = now()
        FROM failed
        WHERE inbox.agent_id = failed.id AND inbox.exchange_id = failed.exchange_id
          AND inbox.read_at IS NULL
    )
    UPDATE agents
    SET exchange_id = NULL, {_UNTELL.format(and_is_waiting=_NOT_TAKEN)}, updated_at = now()
    WHERE id = :agent_id
    """
)

# What it has not read nobody will: whoever looks for such messages finds none of these.
_DELETE = text(
    """
    WITH unread AS (
        UPDATE inbox SET read_at = now() WHERE agent_id = :agent_id AND read_at IS NULL
    )
    UPDATE agents SET deleted_at = now(), updated_at = now() WHERE id = :agent_id
    """
)
