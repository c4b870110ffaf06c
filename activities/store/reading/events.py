"""Reading the events of a task, in the order of their numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from activities.store.columns import member_of
from activities.store.database import Database
from workflows.events import EventType
from workflows.states import Status

# A page ends before the event that would make it larger. Many may be held at once, each until a
# slow client has taken it.
PAGE_EVENTS = 200
PAGE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """``seq`` grows within the task."""

    seq: int
    type: str
    data: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class EventPage:
    """``has_more``: others follow. ``has_ended``: none will, unless a person retries the task."""

    events: Sequence[StoredEvent]
    has_more: bool
    has_ended: bool


@dataclass(frozen=True, slots=True)
class EventEnd:
    """How far the events of a task go: the number of the last, and whether the task has ended."""

    seq: int
    is_final: bool


async def find_end(database: Database, team_id: UUID, task_id: UUID) -> EventEnd | None:
    """None when the team has no such task."""
    rows = await database.execute(_END, {"team_id": team_id, "task_id": task_id})
    return EventEnd(rows[0].event_seq, is_final(rows[0].status)) if rows else None


async def read_events(database: Database, task_id: UUID, after: int) -> EventPage:
    """The next events with numbers above ``after``. A task that is gone has ended.

    From the primary: a replica may not have yet what a notification has just announced.
    """
    values = {"task_id": task_id, "after": after, "limit": PAGE_EVENTS, "most_bytes": PAGE_BYTES}
    rows = await database.execute(_NEXT, values)
    if not rows:
        return EventPage((), has_more=False, has_ended=True)
    events = [
        StoredEvent(row.seq, row.type, row.data, row.created_at)
        for row in rows
        if row.seq is not None
    ]
    has_more = bool(events) and events[-1].seq < rows[0].event_seq
    has_ended = not has_more and is_final(rows[0].status)
    return EventPage(events, has_more=has_more, has_ended=has_ended)


async def find_beginning(database: Database, task_id: UUID) -> int:
    """The number of the event before the oldest attempt or turn that goes on; else of the last."""
    values = {"task_id": task_id, "begins": _BEGINS, "ends": _ENDS}
    [row] = await database.execute(_BEGINNING, values)
    return int(row.seq)


def is_final(status: str) -> bool:
    """Raises ``DatabaseNewer``."""
    return member_of(Status, status).is_final


_END = text(
    """
    SELECT status, event_seq FROM tasks
    WHERE id = :task_id AND team_id = :team_id AND deleted_at IS NULL
    """
)

# One statement, so that it cannot tell of an end whose event it does not see.
_NEXT = text(
    """
    SELECT status, event_seq, event.seq, event.type, event.data, event.created_at
    FROM tasks LEFT JOIN LATERAL (
        SELECT *, sum(octet_length(CAST(data AS text))) OVER up_to_here AS bytes,
               row_number() OVER up_to_here AS place
        FROM (
            SELECT seq, type, data, created_at FROM events
            WHERE task_id = tasks.id AND seq > :after
            ORDER BY seq LIMIT :limit
        ) AS following
        WINDOW up_to_here AS (ORDER BY seq)
    ) AS event ON event.place = 1 OR event.bytes <= :most_bytes
    WHERE tasks.id = :task_id
    ORDER BY event.seq
    """
)

# Of attempts at a step or call, and of what a model says in a turn.
_BEGINS = [EventType.STEP_STARTED.value, EventType.TURN_STARTED.value]
_ENDS = [
    EventType.STEP_RETRYING.value,
    EventType.STEP_HELD.value,
    EventType.STEP_COMPLETED.value,
    EventType.STEP_FAILED.value,
    EventType.STEP_BLOCKED.value,
    EventType.STEP_CANCELLED.value,
    EventType.MESSAGE_CREATED.value,
]
_BEGINNING = text(
    """
    SELECT coalesce(
        (SELECT min(began) - 1
        FROM (
            SELECT max(seq) FILTER (WHERE type = ANY(CAST(:begins AS text[]))) AS began,
                max(seq) FILTER (WHERE type = ANY(CAST(:ends AS text[]))) AS ended
            FROM events
            WHERE task_id = :task_id
                AND type = ANY(CAST(:begins AS text[]) || CAST(:ends AS text[]))
            GROUP BY data ->> 'step'
        ) AS parts
        WHERE began > coalesce(ended, 0)),
        (SELECT event_seq FROM tasks WHERE id = :task_id),
        0
    ) AS seq
    """
)
