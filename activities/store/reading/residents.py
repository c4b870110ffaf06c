"""Agents that stay: as a list shows them, and as one is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Row, text

from activities.store.daily_limits import USED_UP
from activities.store.database import Database
from activities.store.reading.cursor import Cursor, cut
from activities.store.resident_state import IS_PRESENT, JOINED, STATE
from workflows.contracts import Failure
from workflows.definitions.resident import Resident
from workflows.states import LIVING, AgentState, Status

_IS_TODAY = "day = CAST(now() AT TIME ZONE 'UTC' AS date)"
_LIVING = ", ".join(f"'{status}'" for status in sorted(LIVING))


@dataclass(frozen=True, slots=True)
class ResidentFilter:
    """``text`` is found anywhere in a name, in any case; ``name`` is the whole of it."""

    states: Sequence[AgentState] = ()
    text: str | None = None
    name: str | None = None
    parent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class StoredResident:
    """``task_id`` is the exchange that it is in; ``error`` says how the last one ended badly, and
    ``waits_for`` what holds it up. ``unread`` counts messages. ``tokens`` and ``cost_usd`` are
    those of all exchanges that have ended, ``tokens_today`` and ``cost_today_usd`` those of this
    day in UTC. ``written`` is the definition as it is in the row: what was said of it."""

    id: UUID
    team_id: UUID
    name: str
    state: AgentState
    waits_for: str | None
    definition: Resident
    written: Mapping[str, JsonValue]
    template: str | None
    parent_id: UUID | None
    depth: int
    message_seq: int
    unread: int
    last_activity_at: datetime
    tokens: int
    cost_usd: float
    tokens_today: int
    cost_today_usd: float
    task_id: UUID | None
    error: Failure | None
    created_at: datetime


async def list_residents(
    database: Database, team_id: UUID, wanted: ResidentFilter, cursor: Cursor | None, limit: int
) -> tuple[Sequence[StoredResident], Cursor | None]:
    """A page of agents, the newest first, and the place of its last one if there are more.

    Who asks for a name is about to act on that agent, which a replica may not know yet, or may
    know another one by: it is read from the primary.
    """
    conditions = ["agents.team_id = :team_id", "agents.deleted_at IS NULL"]
    values: dict[str, Any] = {"team_id": team_id, "limit": limit + 1}
    if wanted.states:
        conditions.append(f"({STATE}) = ANY(CAST(:states AS text[]))")
        values["states"] = [state.value for state in wanted.states]
    if wanted.text is not None:
        conditions.append("strpos(lower(agents.name), lower(:text)) > 0")
        values["text"] = wanted.text
    if wanted.name is not None:
        conditions.append("agents.name = :name")
        values["name"] = wanted.name
    if wanted.parent_id is not None:
        conditions.append("agents.parent_id = :parent_id")
        values["parent_id"] = wanted.parent_id
    if cursor is not None:
        conditions.append("(agents.created_at, agents.id) < (:moment, :after)")
        values |= {"moment": cursor.moment, "after": cursor.id}
    query = _page(" AND ".join(conditions))
    async with database.reading(fresh=wanted.name is not None) as connection:
        found = (await connection.execute(text(query), values)).all()
    rows, following = cut(found, limit, lambda row: Cursor(row.created_at, row.id))
    return [_stored(row) for row in rows], following


async def find_resident(
    database: Database, team_id: UUID, agent_id: UUID, *, fresh: bool = True
) -> StoredResident | None:
    """One to act on, read from the primary. None when the team has none of this id."""
    values = {"team_id": team_id, "agent_id": agent_id, "limit": 1}
    async with database.reading(fresh=fresh) as connection:
        row = (await connection.execute(_ONE, values)).one_or_none()
    return None if row is None else _stored(row)


async def last_in_exchange(database: Database, agent_id: UUID) -> int | None:
    """The number of the last message that is being answered; None when none is."""
    async with database.reading(fresh=True) as connection:
        found: int | None = await connection.scalar(_LAST_IN_EXCHANGE, {"agent_id": agent_id})
    return found


def _stored(row: Row[Any]) -> StoredResident:
    return StoredResident(
        id=row.id,
        team_id=row.team_id,
        name=row.name,
        state=AgentState(row.state),
        waits_for=row.waits_for,
        definition=Resident.model_validate(row.definition),
        written=row.definition,
        template=row.template,
        parent_id=row.parent_id,
        depth=row.depth,
        message_seq=row.message_seq,
        unread=row.unread,
        last_activity_at=row.last_activity_at,
        tokens=int(row.tokens),
        cost_usd=row.cost_usd,
        tokens_today=int(row.tokens_today),
        cost_today_usd=row.cost_today_usd,
        task_id=row.task_id,
        error=row.error and Failure.model_validate(row.error),
        created_at=row.created_at,
    )


def _page(conditions: str) -> str:
    """What is shown of each is looked up for the agents of the page alone."""
    return f"""
    WITH page AS MATERIALIZED (
        SELECT agents.id FROM agents {JOINED}
        WHERE {conditions}
        ORDER BY agents.created_at DESC, agents.id DESC
        LIMIT :limit
    )
    SELECT agents.id, agents.team_id, agents.name, agents.definition, agents.template,
           agents.parent_id, agents.depth, agents.message_seq, agents.created_at,
           {STATE} AS state,
           CASE WHEN exchange.status IN ({_LIVING}) THEN exchange.id END AS task_id,
           exchange.error,
           CASE
               WHEN exchange.status = '{Status.WAITING}' THEN 'a person'
               WHEN exchange.status IN ({_LIVING}) THEN coalesce(
                   (SELECT min(waits_for) FROM slot_waits WHERE task_id = exchange.id),
                   exchange.waits_for,
                   (SELECT min(waits_for) FROM sub_tasks
                    WHERE task_id = exchange.id AND status = '{Status.QUEUED}')
               )
               WHEN ({STATE}) = '{AgentState.RUNNING}' THEN {USED_UP}
           END AS waits_for,
           (SELECT count(*) FROM inbox
            WHERE inbox.agent_id = agents.id AND inbox.read_at IS NULL) AS unread,
           greatest(agents.created_at, exchange.updated_at, (
               SELECT max(last.created_at) FROM inbox AS last
               WHERE last.agent_id = agents.id AND last.seq = agents.message_seq
           )) AS last_activity_at,
           coalesce(used.tokens, 0) AS tokens,
           coalesce(used.cost_usd, 0.0) AS cost_usd,
           coalesce(used.tokens_today, 0) AS tokens_today,
           coalesce(used.cost_today_usd, 0.0) AS cost_today_usd
    FROM page JOIN agents ON agents.id = page.id {JOINED}
    LEFT JOIN LATERAL (
        SELECT sum(tokens) AS tokens, sum(cost_usd) AS cost_usd,
               sum(tokens) FILTER (WHERE {_IS_TODAY}) AS tokens_today,
               sum(cost_usd) FILTER (WHERE {_IS_TODAY}) AS cost_today_usd
        FROM agent_usage WHERE agent_usage.agent_id = agents.id
    ) AS used ON true
    ORDER BY agents.created_at DESC, agents.id DESC
    """


_ONE = text(_page(IS_PRESENT))

_LAST_IN_EXCHANGE = text(
    f"""
    SELECT max(inbox.seq)
    FROM agents
    JOIN tasks AS exchange ON exchange.id = agents.exchange_id
    JOIN inbox ON inbox.exchange_id = exchange.id AND inbox.agent_id = agents.id
    WHERE agents.id = :agent_id AND exchange.status IN ({_LIVING})
    """
)
