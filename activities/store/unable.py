"""Agents that stay which cannot read what has come for them, so that nobody looks at them again and
again: those that are paused, in error or terminated, or have used what they may use on a day."""

from sqlalchemy import text

from activities.store.database import Database
from activities.store.reading.untold import CAN_BE_TOLD
from activities.store.resident_state import JOINED
from workflows.states import LIVING

_LIVING = ", ".join(f"'{status}'" for status in sorted(LIVING))


async def note_unable(database: Database, limit: int) -> None:
    """Write down that they need not be told. Resuming or restarting one takes that back; a new day
    is seen by whoever looks for silent ones."""
    await database.execute(_NOTE, {"limit": limit})


# Who answers can read once it has answered. None is waited for that somebody else is writing, and
# none is left out that was written to since it was seen.
_NOTE = text(
    f"""
    WITH unable AS MATERIALIZED (
        SELECT agents.id, agents.updated_at
        FROM agents {JOINED}
        WHERE message_seq > told_seq AND NOT {CAN_BE_TOLD}
          AND (paused_at IS NOT NULL OR terminated_at IS NOT NULL
               OR exchange.status IS NULL OR exchange.status NOT IN ({_LIVING}))
        LIMIT :limit
    ), locked AS (
        SELECT agents.id
        FROM agents JOIN unable
            ON unable.id = agents.id AND unable.updated_at = agents.updated_at
        FOR UPDATE OF agents SKIP LOCKED
    )
    UPDATE agents SET told_seq = message_seq FROM locked WHERE agents.id = locked.id
    """
)
