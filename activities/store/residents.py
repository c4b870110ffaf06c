"""Writing agents that stay: change them, and what people do to one.

Each act judges the state under the lock of the agent's row, by the table of
``workflows.resident_states``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import TextClause, text

from activities.store import audit, events
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.new_residents import HAS_NAME
from activities.store.resident_locks import LockedAgent, lock_agent, tell_viewers
from activities.store.team_lock import lock_team
from workflows.resident_states import AgentAct, is_legal


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
        if await connection.scalar(HAS_NAME, values):
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
