"""Agents that stay which have something to read and may not know."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from activities.store.daily_limits import USED_UP
from activities.store.database import Database
from activities.store.resident_state import HAS_UNREAD, JOINED
from workflows.states import FINAL, LIVING, MessageMode, Status

# Who was told, reads within this time, or its workflow was ended from outside.
SILENT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Untold:
    """``seq`` is the number of the last message; one of those that are not taken ``interrupts``."""

    agent_id: UUID
    team_id: UUID
    name: str
    seq: int
    interrupts: bool


async def untold(database: Database, limit: int, *, silent: bool = True) -> Sequence[Untold]:
    """Those that can read, and were not told of their last message, or have been told for long and
    have not begun to. None that are paused, in error or terminated, or have used what they may use
    on a day: those wait for the next. And none that answer, paused or not, unless something
    interrupts them: their workflows look again when they have answered. Unless it looks for
    ``silent`` ones, those that have been told for long are left out: each agent with unread
    messages is visited for it."""
    values = {"limit": limit, "silent": silent, "silent_seconds": SILENT_SECONDS}
    rows = await database.execute(_UNTOLD, values)
    return [
        Untold(row.id, row.team_id, row.name, row.message_seq, interrupts=row.interrupts)
        for row in rows
    ]


_BAD = ", ".join(f"'{status}'" for status in sorted(FINAL - {Status.COMPLETED}))
_LIVING = ", ".join(f"'{status}'" for status in sorted(LIVING))

# One that answers can be told of nothing but an interruption: whether there is one.
_IS_CUT = f"""EXISTS (
    SELECT FROM inbox
    WHERE inbox.agent_id = agents.id AND read_at IS NULL AND exchange_id IS NULL
      AND mode = '{MessageMode.INTERRUPT}' AND seq > told_seq
)"""

# By its state, whether it may be told: see ``resident_states``.
CAN_BE_TOLD = f"""CASE
    WHEN terminated_at IS NOT NULL OR agents.deleted_at IS NOT NULL THEN false
    WHEN exchange.status IN ({_LIVING}) THEN {_IS_CUT}
    WHEN exchange.status IN ({_BAD}) OR paused_at IS NOT NULL THEN false
    ELSE {USED_UP} IS NULL
END"""

_UNTOLD = text(
    f"""
    -- From one agent to the next in the index, however many messages each has not read.
    WITH RECURSIVE unread AS (
        SELECT (SELECT agent_id FROM inbox WHERE read_at IS NULL ORDER BY agent_id LIMIT 1)
        WHERE CAST(:silent AS bool)
        UNION ALL
        SELECT (SELECT agent_id FROM inbox
                WHERE read_at IS NULL AND agent_id > unread.agent_id
                ORDER BY agent_id LIMIT 1)
        FROM unread WHERE unread.agent_id IS NOT NULL
    ), due AS (
        SELECT id FROM agents WHERE message_seq > told_seq
        UNION
        SELECT agents.id FROM unread JOIN agents ON agents.id = unread.agent_id
        WHERE agents.told_at < now() - make_interval(secs => :silent_seconds)
    )
    SELECT agents.id, agents.team_id, agents.name, agents.message_seq,
           EXISTS (
               SELECT FROM inbox
               WHERE inbox.agent_id = agents.id AND read_at IS NULL AND exchange_id IS NULL
                 AND mode = '{MessageMode.INTERRUPT}'
           ) AS interrupts
    FROM due JOIN agents ON agents.id = due.id
        {JOINED}
    WHERE {HAS_UNREAD} AND {CAN_BE_TOLD}
    ORDER BY agents.told_at, agents.id
    LIMIT :limit
    """
)
