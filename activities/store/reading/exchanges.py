"""What an agent and those who wrote to it have said so far: read from the end, and bounded in rows
and characters in the database, however long the agent lives and whatever was said."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Integer, Uuid

from activities.llm.base import ChatMessage, ToolRequest
from activities.store.database import Database
from workflows.resident_contracts import exchange_id
from workflows.states import Status

# Of the exchanges since the last summary, no more are looked at, from the last one back.
MOST_EXCHANGES = 200
_MOST_ROWS = 2_000
# Half of what is shown of a longer text is its beginning, half its end.
_CUT = "\n[...]\n"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a model has made of the exchanges up to the ``through``-th."""

    through: int = 0
    text: str = ""


NO_SUMMARY = Summary()


@dataclass(frozen=True, slots=True)
class PastExchange:
    """The ``number``-th exchange of an agent. ``messages`` are those after its prompt, None where
    they were not all read. ``reply`` is what it answered, ``error`` why it did not."""

    number: int
    prompt: str
    status: Status
    reply: str | None = None
    is_interrupted: bool = False
    error: str | None = None
    messages: tuple[ChatMessage, ...] | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """``characters`` of all messages together, ``each`` of one."""

    characters: int
    each: int


@dataclass(frozen=True, slots=True)
class Past:
    """``exchanges`` are the last ones since the summary, the oldest first."""

    summary: Summary = NO_SUMMARY
    exchanges: Sequence[PastExchange] = field(default=())


async def read_past(
    database: Database, agent_id: UUID, before: int, bounds: Bounds, *, first: bool = False
) -> Past:
    """What came before the ``before``-th exchange. ``first``: of more than can be read, those right
    after the summary in place of the last ones."""
    async with database.reading(fresh=True) as connection:
        row = (
            await connection.execute(
                _SUMMARY, {"agent_id": agent_id, "before": before, "each": 2 * bounds.each}
            )
        ).one_or_none()
        summary = NO_SUMMARY if row is None else Summary(row.through, row.text)
        since = range(summary.through + 1, before)
        numbers = since[:MOST_EXCHANGES] if first else since[-MOST_EXCHANGES:]
        values = {
            "ids": [exchange_id(agent_id, number) for number in numbers],
            "numbers": list(numbers),
            "half": max(bounds.each // 2, 1),
            "characters": bounds.characters,
            "direction": 1 if first else -1,
        }
        tasks = (await connection.execute(_TASKS, values)).all()
        rows = (await connection.execute(_MESSAGES, values)).all() if tasks else []
    read: dict[int, list[ChatMessage]] = {}
    wanted = {row.number: row.rows for row in tasks}
    for row in rows:
        read.setdefault(row.number, []).append(_message(row))
    whole = {number: tuple(found) for number, found in read.items() if len(found) == wanted[number]}
    return Past(summary, [_exchange(row, whole.get(row.number)) for row in tasks])


async def agent_of(database: Database, exchange_id: UUID) -> UUID | None:
    """The agent whose exchange it is; None where that is gone."""
    async with database.reading(fresh=True) as connection:
        found: UUID | None = await connection.scalar(_AGENT, {"id": exchange_id})
    return found


def _exchange(row: Any, messages: tuple[ChatMessage, ...] | None) -> PastExchange:
    return PastExchange(
        number=row.number,
        prompt=row.prompt or "",
        status=Status(row.status),
        reply=row.reply,
        is_interrupted=row.is_interrupted or False,
        error=row.error,
        messages=messages if messages is not None or row.rows else (),
    )


def _message(row: Any) -> ChatMessage:
    requests = tuple(
        ToolRequest(str(item["id"]), str(item["name"]), str(item["arguments"]))
        for item in row.requests or ()
    )
    return ChatMessage(row.role, row.content, requests, row.request_id)


def _clipped(column: str) -> str:
    return (
        f"CASE WHEN char_length({column}) <= 2 * :half THEN {column}"
        f" ELSE left({column}, :half) || '{_CUT}' || right({column}, :half) END"
    )


_AGENT = text("SELECT parent_id FROM tasks WHERE id = :id").bindparams(
    bindparam("id", type_=Uuid())
)
_SUMMARY = text(
    """
    SELECT through, left(text, :each) AS text FROM agent_summaries
    WHERE agent_id = :agent_id AND through < :before ORDER BY through DESC LIMIT 1
    """
).bindparams(bindparam("agent_id", type_=Uuid()))

_WANTED = """
    wanted AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS int[])) AS wanted(id, number)
    )"""
_TYPES = (
    bindparam("ids", type_=ARRAY(Uuid())),
    bindparam("numbers", type_=ARRAY(Integer())),
    bindparam("half", type_=Integer()),
)
# Messages whose words housekeeping has taken count for nothing: what was asked and replied stays.
_IS_PART = """
    messages.role <> 'system' AND (messages.seq > 2 OR messages.role <> 'user')
    AND (messages.content <> '' OR messages.requests IS NOT NULL)"""

_TASKS = text(
    f"""
    WITH {_WANTED}
    SELECT number, status, {_clipped("prompt")} AS prompt,
           {_clipped("result ->> 'reply'")} AS reply,
           CAST(result ->> 'interrupted' AS bool) AS is_interrupted,
           left(error ->> 'message', 300) AS error,
           (SELECT count(*) FROM messages WHERE task_id = tasks.id AND {_IS_PART}) AS rows
    FROM wanted JOIN tasks USING (id) WHERE deleted_at IS NULL ORDER BY number
    """
).bindparams(*_TYPES)

# The opaque state of models is left where it is: no model wants that of turns that are over.
_MESSAGES = text(
    f"""
    WITH {_WANTED}, part AS (
        SELECT number, seq, role, request_id, {_clipped("content")} AS content, (
                   SELECT jsonb_agg(
                       CASE WHEN char_length(item ->> 'arguments') <= 2 * :half THEN item
                       ELSE item || jsonb_build_object('arguments', CAST(:nothing AS text)) END
                       ORDER BY place)
                   FROM jsonb_array_elements(
                       CASE WHEN jsonb_typeof(requests) = 'array' THEN requests ELSE '[]' END
                   ) WITH ORDINALITY AS each(item, place)
               ) AS requests
        FROM wanted JOIN messages ON messages.task_id = wanted.id
        WHERE {_IS_PART}
        ORDER BY number * :direction, seq * :direction LIMIT {_MOST_ROWS}
    ), counted AS (
        SELECT *, sum(char_length(content) + coalesce(octet_length(CAST(requests AS text)), 0) + 16)
                  OVER (ORDER BY number * :direction, seq * :direction) AS characters
        FROM part
    )
    SELECT number, role, request_id, content, requests FROM counted
    WHERE characters <= :characters ORDER BY number, seq
    """
).bindparams(*_TYPES, bindparam("nothing", json.dumps({"shortened": "this was long"})))
