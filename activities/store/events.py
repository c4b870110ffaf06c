"""Events: what happened to a task, in order, kept in PostgreSQL and announced with NOTIFY.

A notification carries the task's id only (its payload is limited to 8,000 bytes); whoever listens
reads the events it has not seen. The end of a task is announced once more by a word of its own:
whoever waits for that alone need not read what came before. Numbers are dealt out under the lock of
the task's row, so they become visible in order and without gaps: a reader that has seen number n
misses nothing below it.

Most events are written by the statement that makes what they tell of true. It has a part that
updates the row of the task, and one that inserts events: ``change`` is such a statement.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from workflows.events import Event, EventType, TaskStatus
from workflows.states import Status

CHANNEL = "agentos_events"
# An API of before passes over a word that is no id.
_ENDED = " ended"

INSERT = "INSERT INTO events (task_id, seq, team_id, type, data)"

# Of the row of the task: numbers for the events that ``given`` writes, and what it must know then.
COUNT = "event_seq = event_seq + :count, updated_at = now()"
NUMBERED = "tasks.id, tasks.team_id, event_seq - :count AS base"

# The message of the turn has the whole text. Those who follow are given some seconds to read it.
IS_OLD_DELTA = (
    f"events.type = '{EventType.LLM_DELTA}' AND events.created_at < now() - interval '10 seconds'"
)

_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def given(task: str) -> str:
    """The events that Python made: ``values`` of them."""
    return f"""
        SELECT {task}.id, base + place, {task}.team_id, made ->> 'type', made -> 'data'
        FROM {task}, jsonb_array_elements(CAST(:events AS jsonb)) WITH ORDINALITY AS x(made, place)
    """


def made(model: type[Event], *, task: str, seq: str, **columns: str) -> str:
    """One event of which only the statement knows the payload: an expression for each field.

    It comes before ``FROM``, and ``task`` must be in there.
    """
    unknown = columns.keys() - model.model_fields.keys()
    assert not unknown, f"{model.__name__} has no {unknown}"
    data = ", ".join(f"'{name}', {expression}" for name, expression in columns.items())
    document = f"jsonb_strip_nulls(jsonb_build_object({data}))"
    return f"SELECT {task}.id, {seq}, {task}.team_id, '{model.type}', {document}"


def status(status: Status, *, task: str = "task", seq: str = "event_seq") -> str:
    """The event of a state that the statement sets."""
    return made(TaskStatus, task=task, seq=seq, status=f"'{status}'")


def notify(task: str) -> str:
    return f"pg_notify('{CHANNEL}', CAST({task}.id AS text))"


def notify_end(task: str) -> str:
    """Beside ``notify``, where the statement ends a task."""
    return f"pg_notify('{CHANNEL}', CAST({task}.id AS text) || '{_ENDED}')"


@dataclass(frozen=True, slots=True)
class Word:
    """What a notification says: ``id`` is of what has changed; ``has_ended``: a task has."""

    id: UUID
    has_ended: bool


def read_word(word: str) -> Word:
    """Raises ``ValueError`` for one that is none of ours."""
    changed = word.removesuffix(_ENDED)
    return Word(UUID(changed), has_ended=changed != word)


def values(events: Sequence[Event]) -> dict[str, Any]:
    """For ``COUNT`` and ``given``."""
    documents = [{"type": event.type, "data": event.data} for event in events]
    return {"count": len(events), "events": as_json(documents)}


def change(*columns: str, where: str) -> TextClause:
    """The statement that changes these columns of the row of a task, and tells of it."""
    return text(
        f"""
        WITH task AS (
            UPDATE tasks SET {", ".join((COUNT, *columns))} WHERE {where} RETURNING {NUMBERED}
        ), event AS (
            {INSERT} {given("task")}
        )
        SELECT {notify("task")} FROM task
        """
    )


_APPEND = change(where="id = :task_id")


async def append(connection: AsyncConnection, task_id: UUID, events: Sequence[Event]) -> None:
    """Add events to a task, within the caller's transaction; listeners hear of them at commit."""
    if events:
        await connection.execute(_APPEND, {"task_id": task_id, **values(events)})


def as_json(value: object) -> str:
    """A JSON document that PostgreSQL takes: it keeps neither NUL nor half a character in text."""
    document = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    # Looking for it is quick, where the pattern is tried at each character.
    return _NUL.sub(r"\1\\ufffd", document) if r"\u0000" in document else document
