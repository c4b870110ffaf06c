"""Ending an agent that stays, together with those that it has made, or without them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.store import audit
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.inbox import lock_agents
from activities.store.resident_locks import LockedAgent, lock_agent, tell_viewers
from activities.store.team_lock import lock_team
from workflows.definitions.resident import DEFAULT_CHILDREN
from workflows.resident_states import AgentAct, ChildrenFate, is_legal


@dataclass(frozen=True, slots=True)
class Ended:
    """``agent`` is as it was before. ``ids`` are the agents that are terminated now, whose
    workflows are to be cancelled; none where that was not legal, or its children cannot be handed
    over for a ``reason``, which says what to do. ``before`` are those, it and below it, that were
    terminated already, and may not have heard of it."""

    agent: LockedAgent
    ids: Sequence[UUID]
    reason: str | None = None
    before: Sequence[UUID] = ()


async def terminate_tree(
    database: Database, actor: Actor, agent_id: UUID, *, children: ChildrenFate
) -> Ended | None:
    """Terminate an agent. None when the team has no such agent.

    The rows come first: nobody can start again then what is cancelled next.
    """
    async with database.writing() as connection:
        await lock_team(connection, actor.team_id)  # Nobody makes a child of it meanwhile.
        tree = [row.id for row in await connection.execute(_TREE, {"agent_id": agent_id})]
        # One after the other they might wait for each other: see ``inbox``.
        await lock_agents(connection, [agent_id, *tree])
        found = await lock_agent(connection, actor.team_id, agent_id)
        if found is None:
            return None
        if not is_legal(AgentAct.TERMINATE, found.state):
            return Ended(found, (), before=[agent_id, *tree])
        ends = [agent_id] if children is ChildrenFate.HAND_OVER else [agent_id, *tree]
        if children is ChildrenFate.HAND_OVER:
            if reason := await _why_not_taken(connection, found):
                return Ended(found, (), reason)
            await _hand_over(connection, found)
        ended = await connection.execute(_TERMINATE, {"agent_ids": ends})
        ids = [row.id for row in ended]
        details = {"children": children.value, "terminated": len(ids)}
        await audit.note(connection, actor, Deed("agent.terminated", str(agent_id), "", details))
        await tell_viewers(connection, actor.team_id, [agent_id, *tree])
    return Ended(found, ids)


async def _why_not_taken(connection: AsyncConnection, agent: LockedAgent) -> str | None:
    """Who has as many children as it may is given no more: it would have another make them, and
    then terminate that one."""
    values = {"agent_id": agent.id, "parent_id": agent.parent_id}
    heir = (await connection.execute(_HEIR, values)).one_or_none()
    if heir is None or not heir.more or heir.children + heir.more <= heir.most:
        return None
    return (
        f"agent {heir.name!r}, to which its {heir.more} children would be handed over, has "
        f"{heir.children} others and may have {heir.most} in all; terminate some of them first, or "
        "this one together with its children"
    )


async def _hand_over(connection: AsyncConnection, agent: LockedAgent) -> None:
    """Its children come up one step, or to the top where nobody is left to have them."""
    await connection.execute(_HAND_OVER, {"agent_id": agent.id, "parent_id": agent.parent_id})


_BELOW = """
    below AS (
        SELECT id, team_id FROM agents WHERE parent_id = :agent_id AND deleted_at IS NULL
        UNION ALL
        SELECT child.id, child.team_id FROM agents AS child JOIN below ON child.parent_id = below.id
        WHERE child.deleted_at IS NULL
    )
"""

_TREE = text(f"WITH RECURSIVE {_BELOW} SELECT id FROM below")

_TERMINATE = text(
    """
    UPDATE agents SET terminated_at = now(), updated_at = now()
    WHERE id = ANY(CAST(:agent_ids AS uuid[])) AND terminated_at IS NULL
    RETURNING id
    """
)

_HEIR = text(
    f"""
    SELECT name, coalesce(CAST(definition #>> '{{limits,children}}' AS integer),
                          {DEFAULT_CHILDREN}) AS most,
           (SELECT count(*) FROM agents
            WHERE parent_id = :parent_id AND id <> :agent_id
              AND terminated_at IS NULL AND deleted_at IS NULL) AS children,
           (SELECT count(*) FROM agents
            WHERE parent_id = :agent_id AND terminated_at IS NULL AND deleted_at IS NULL) AS more
    FROM agents
    WHERE id = :parent_id AND terminated_at IS NULL AND deleted_at IS NULL
    """
)

_HAND_OVER = text(
    f"""
    WITH RECURSIVE {_BELOW}, heir AS (
        SELECT id, depth FROM agents
        WHERE id = :parent_id AND terminated_at IS NULL AND deleted_at IS NULL
    ), lifted AS (
        SELECT agents.depth - coalesce((SELECT depth FROM heir), -1) AS steps
        FROM agents WHERE id = :agent_id
    )
    UPDATE agents
    SET depth = agents.depth - lifted.steps, updated_at = now(),
        parent_id = CASE
            WHEN agents.parent_id = :agent_id THEN (SELECT id FROM heir)
            ELSE agents.parent_id
        END
    FROM below, lifted
    WHERE agents.id = below.id
    """
)
