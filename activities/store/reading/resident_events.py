"""What those who view agents that stay are shown: how each is now, and what came into its inbox.

Nobody writes events of an agent. Its state is derived of its rows, and its inbox is numbered, so
that whoever has seen row n has missed nothing below it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from activities.store.database import Database, Row
from activities.store.reading.events import PAGE_BYTES, PAGE_EVENTS, is_final
from activities.store.reading.inbox import StoredInboxMessage, stored_message
from activities.store.resident_state import JOINED, STATE
from workflows.states import AgentState, Status

# Of a team, in one reading.
PAGE_AGENTS = 500
# A transaction dates a change by its beginning: others may be visible before it. So much of the
# past is read again each time.
OVERLAP_SECONDS = 10.0

# The error of a task is as long as somebody made it.
_ERROR_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class ResidentGlance:
    """How an agent is now. ``shown`` is what people see of it. There are inbox rows up to
    ``message_seq``. Its last exchange is the ``number``-th, the task ``exchange_id``, with events
    up to ``exchange_seq``; it ``is_answering`` while that goes on."""

    shown: Mapping[str, Any]
    message_seq: int
    number: int
    exchange_id: UUID | None
    exchange_seq: int
    is_answering: bool


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Rows of an inbox, and how its agent was at that moment; None when it is gone."""

    messages: Sequence[StoredInboxMessage]
    glance: ResidentGlance | None
    has_more: bool


@dataclass(frozen=True, slots=True)
class ChangedAgents:
    """Agents that changed, in the order of their changes: what is shown of each, None once it is
    deleted. ``read_at`` is when this was read, by the clock of the database."""

    agents: Sequence[tuple[UUID, datetime, Mapping[str, Any] | None]]
    read_at: datetime
    has_more: bool


async def find_glance(database: Database, team_id: UUID, agent_id: UUID) -> ResidentGlance | None:
    """None when the team has no such agent."""
    values = {"agent_id": agent_id, "team_id": team_id}
    rows = await database.execute(_GLANCE, values)
    return _glance(rows[0]) if rows else None


async def read_inbox(database: Database, agent_id: UUID, after: int) -> InboxPage:
    """The next rows with numbers above ``after``, and how the agent was.

    Both are of one statement: whoever sees a reply sees that its exchange has ended. From the
    primary, as ``read_events``.
    """
    values = {
        "agent_id": agent_id,
        "after": after,
        "limit": PAGE_EVENTS,
        "most_bytes": PAGE_BYTES,
    }
    rows = await database.execute(_NEXT, values)
    if not rows:
        return InboxPage((), None, has_more=False)
    glance = _glance(rows[0])
    messages = [stored_message(row) for row in rows if row.seq is not None]
    has_more = bool(messages) and messages[-1].seq < glance.message_seq
    return InboxPage(messages, glance, has_more)


async def read_changed(
    database: Database,
    team_id: UUID,
    since: datetime | None,
    after: tuple[datetime, UUID] | None,
) -> ChangedAgents:
    """The agents of a team that changed since shortly before a moment, by default now.

    ``after``: the change, and the agent, that an earlier page ended with.
    """
    values = {
        "team_id": team_id,
        "since": since,
        "overlap_seconds": OVERLAP_SECONDS,
        "after": after and after[0],
        "after_id": after and after[1],
        "limit": PAGE_AGENTS,
    }
    rows = await database.execute(_CHANGED, values)
    agents = [
        (row.agent_id, row.updated_at, _shown(row) if row.deleted_at is None else None)
        for row in rows
        if row.agent_id is not None
    ]
    return ChangedAgents(agents, rows[0].read_at, has_more=len(agents) == PAGE_AGENTS)


def _glance(row: Row) -> ResidentGlance:
    status = row.exchange_status
    return ResidentGlance(
        shown=_shown(row),
        message_seq=row.message_seq,
        number=row.exchanges,
        exchange_id=row.last_exchange_id,
        exchange_seq=row.exchange_seq or 0,
        is_answering=status is not None and not is_final(status),
    )


def _shown(row: Row) -> Mapping[str, Any]:
    state = AgentState(row.state)
    is_answering = row.exchange_status is not None and not is_final(row.exchange_status)
    shown = {
        "id": str(row.agent_id),
        "name": row.name,
        "state": state.value,
        "unread": row.unread,
        "read_seq": row.message_seq if row.first_unread is None else row.first_unread - 1,
        "message_seq": row.message_seq,
        "task_id": str(row.last_exchange_id) if is_answering else None,
        "waits_for": row.waits_for,
        "error": _error(row.exchange_error) if state is AgentState.ERROR else None,
        "parent_id": row.parent_id and str(row.parent_id),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _error(error: Mapping[str, Any] | None) -> Mapping[str, str] | None:
    if error is None:
        return None
    return {
        "code": str(error.get("code", "")),
        "message": str(error.get("message", ""))[:_ERROR_CHARACTERS],
    }


# Named apart from the columns of a message.
_AGENT = f"""agents.id AS agent_id, agents.name, agents.parent_id, agents.message_seq,
       agents.exchanges, agents.exchange_id AS last_exchange_id, agents.updated_at,
       agents.deleted_at, {STATE} AS state,
       exchange.status AS exchange_status, exchange.event_seq AS exchange_seq,
       exchange.error AS exchange_error,
       CASE
           WHEN exchange.status = '{Status.WAITING}' THEN 'a person'
           WHEN exchange.finished_at IS NULL THEN coalesce(exchange.waits_for, (
               SELECT min(waits_for) FROM sub_tasks
               WHERE task_id = exchange.id AND status = '{Status.QUEUED}'
           ))
       END AS waits_for, unread.count AS unread, unread.first AS first_unread"""

_UNREAD = """CROSS JOIN LATERAL (
        SELECT count(*) AS count, min(seq) AS first FROM inbox
        WHERE inbox.agent_id = agents.id AND inbox.read_at IS NULL
    ) AS unread"""

_GLANCE = text(
    f"""
    SELECT {_AGENT} FROM agents {JOINED} {_UNREAD}
    WHERE agents.id = :agent_id AND agents.team_id = :team_id AND agents.deleted_at IS NULL
    """
)

_NEXT = text(
    f"""
    SELECT {_AGENT}, message.id, message.seq, message.kind, message.from_agent_id,
           message.from_name, message.to_agent_id, message.to_name, message.content,
           message.attachments, message.mode, message.reply_to, message.exchange_id,
           message.group_id, message.is_interrupted, message.read_at, message.created_at
    FROM agents {JOINED} {_UNREAD}
    LEFT JOIN LATERAL (
        SELECT *, sum(octet_length(content)) OVER up_to_here AS bytes,
               row_number() OVER up_to_here AS place
        FROM (
            SELECT * FROM inbox
            WHERE agent_id = agents.id AND inbox.seq > :after AND withdrawn_at IS NULL
            ORDER BY inbox.seq LIMIT :limit
        ) AS following
        WINDOW up_to_here AS (ORDER BY seq)
    ) AS message ON message.place = 1 OR message.bytes <= :most_bytes
    WHERE agents.id = :agent_id AND agents.deleted_at IS NULL
    ORDER BY message.seq
    """
)

_CHANGED = text(
    f"""
    SELECT clock.read_at, changed.*
    FROM (SELECT now() AS read_at) AS clock LEFT JOIN LATERAL (
        SELECT {_AGENT} FROM agents {JOINED} {_UNREAD}
        WHERE agents.team_id = :team_id
          AND agents.updated_at > coalesce(CAST(:since AS timestamptz), now())
              - CAST(:overlap_seconds AS float) * interval '1 second'
          AND (CAST(:after AS timestamptz) IS NULL OR (agents.updated_at, agents.id)
              > (CAST(:after AS timestamptz), CAST(:after_id AS uuid)))
        ORDER BY agents.updated_at, agents.id LIMIT :limit
    ) AS changed ON true
    ORDER BY changed.updated_at, changed.agent_id
    """
)
