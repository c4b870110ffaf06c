"""What agents that stay wrote down to remember: a bounded number of notes, found by their words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import DateTime, Text, Uuid

from activities.store.database import Database
from activities.store.reading.cursor import Cursor, cut
from workflows.definitions.note import MAX_NOTES, MAX_QUERY_CHARACTERS

_MAX_WORDS = 32

# Scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, Japanese and Chinese.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]{2,}"
)


@dataclass(frozen=True, slots=True)
class Note:
    """``is_new``: it has just been written."""

    id: UUID
    text: str
    created_at: datetime
    is_new: bool = field(default=False, compare=False)


class NotKept(Enum):
    """Why a note was not written."""

    GONE = auto()  # No such agent in this team, or one that is deleted.
    TERMINATED = auto()
    FULL = auto()


async def keep(
    database: Database, agent_id: UUID, team_id: UUID, note_id: UUID, words: str
) -> Note | NotKept:
    """Write a note. A repeat with the same id gives what was written first."""
    async with database.writing() as connection:
        return await keep_within(connection, agent_id, team_id, note_id, words)


async def keep_within(
    connection: AsyncConnection, agent_id: UUID, team_id: UUID, note_id: UUID, words: str
) -> Note | NotKept:
    """The same within the caller's transaction."""
    of_agent = {"agent_id": agent_id, "team_id": team_id}
    # Locked by itself: what is counted afterwards are the notes that others wrote meanwhile, too.
    agent = (await connection.execute(_LOCK, of_agent)).one_or_none()
    if agent is None:
        return NotKept.GONE
    earlier = (await connection.execute(_FIND, of_agent | {"id": note_id})).one_or_none()
    if earlier is not None:
        return Note(*earlier)
    if agent.is_terminated:
        return NotKept.TERMINATED
    values = of_agent | {"id": note_id, "text": storable(words), "most": MAX_NOTES}
    written = (await connection.execute(_KEEP, values)).one_or_none()
    return (
        NotKept.FULL
        if written is None
        else Note(written.id, written.text, written.created_at, is_new=True)
    )


async def forget(database: Database, agent_id: UUID, team_id: UUID, note_id: UUID) -> bool:
    """Delete a note; False when there is none."""
    async with database.writing() as connection:
        return await forget_within(connection, agent_id, team_id, note_id)


async def forget_within(
    connection: AsyncConnection, agent_id: UUID, team_id: UUID, note_id: UUID
) -> bool:
    """The same within the caller's transaction."""
    values = {"agent_id": agent_id, "team_id": team_id, "id": note_id}
    return (await connection.execute(_FORGET, values)).rowcount > 0


async def recall(database: Database, agent_id: UUID, query: str, limit: int) -> Sequence[Note]:
    """The notes that have most words of ``query``, or words that begin with those; a word that few
    have counts more. Without any, the latest. What is too long of a query is passed over."""
    async with database.reading(fresh=True) as connection:
        if not query.strip():
            rows = await connection.execute(_LATEST, {"agent_id": agent_id, "limit": limit})
        else:
            values = {"agent_id": agent_id, "limit": limit, **_searched(query)}
            rows = await connection.execute(_RECALL, values)
        return [Note(*row) for row in rows]


async def list_notes(
    database: Database, agent_id: UUID, query: str | None, cursor: Cursor | None, limit: int
) -> tuple[Sequence[Note], Cursor | None]:
    """A page of the notes that have all words of ``query``, or words that begin with those, the
    latest first; and the place of its last one if there are more."""
    values = {
        "agent_id": agent_id,
        "limit": limit + 1,
        "at": cursor and cursor.moment,
        "id": cursor and cursor.id,
    }
    async with database.reading(fresh=True) as connection:
        if query is None or not query.strip():
            rows = await connection.execute(_PAGE, values)
        else:
            rows = await connection.execute(_SEARCH, values | _searched(query))
        found = [Note(*row) for row in rows]
    return cut(found, limit, lambda note: Cursor(note.created_at, note.id))


async def count_notes(database: Database, agent_id: UUID) -> int:
    """``agent_id`` may be that of an exchange: it stands for its agent."""
    [row] = await database.execute(_COUNT, {"agent_id": agent_id})
    count: int = row.count
    return count


def storable(words: str) -> str:
    """PostgreSQL keeps no NUL in text, and no half of a character."""
    return words.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _searched(query: str) -> dict[str, object]:
    """A query, with the pairs of characters in it that stand for words where none is set apart."""
    asked = storable(query.strip()[:MAX_QUERY_CHARACTERS])
    runs = [run.group().lower() for run in _UNSPACED.finditer(asked)]
    pairs = dict.fromkeys(run[at : at + 2] for run in runs for at in range(len(run) - 1))
    # A query of nothing but such runs is their pairs; what else is in it, PostgreSQL takes apart.
    spaced = _UNSPACED.sub(" ", asked)
    return {"query": spaced, "whole": asked.lower(), "pairs": list(pairs)[:_MAX_WORDS]}


_AGENT, _ID = bindparam("agent_id", type_=Uuid()), bindparam("id", type_=Uuid())
_TEAM = bindparam("team_id", type_=Uuid())
_COLUMNS = "agent_notes.id, agent_notes.text, agent_notes.created_at"
_ORDER = "agent_notes.created_at DESC, agent_notes.id DESC"

_LOCK = text(
    """
    SELECT terminated_at IS NOT NULL AS is_terminated FROM agents
    WHERE id = :agent_id AND team_id = :team_id AND deleted_at IS NULL
    FOR NO KEY UPDATE
    """
).bindparams(_AGENT, _TEAM)
_FIND = text(
    f"SELECT {_COLUMNS} FROM agent_notes WHERE id = :id AND agent_id = :agent_id"
).bindparams(_AGENT, _ID)
_KEEP = text(
    f"""
    INSERT INTO agent_notes (id, team_id, agent_id, text)
    SELECT :id, :team_id, :agent_id, :text
    WHERE (SELECT count(*) FROM agent_notes WHERE agent_id = :agent_id) < :most
    RETURNING {_COLUMNS}
    """
).bindparams(_AGENT, _ID, _TEAM, bindparam("text", type_=Text()))
_FORGET = text(
    "DELETE FROM agent_notes WHERE id = :id AND agent_id = :agent_id AND team_id = :team_id"
).bindparams(_AGENT, _ID, _TEAM)
_COUNT = text(
    """
    SELECT count(*) FROM agent_notes
    WHERE agent_id = coalesce((SELECT parent_id FROM tasks WHERE id = :agent_id), :agent_id)
    """
)
_LATEST = text(
    f"SELECT {_COLUMNS} FROM agent_notes WHERE agent_id = :agent_id ORDER BY {_ORDER} LIMIT :limit"
).bindparams(_AGENT)

# The words of a query are those that PostgreSQL itself makes of it, each as it is written between
# quotes: so nothing in it is taken for an operator. What is no word in any script, such as a sign,
# is looked for as it stands; so are words of other scripts, which may have no space before them. An
# agent has a thousand notes at most.
_WORDS = f"""
    lexeme AS (
        SELECT unnest(tsvector_to_array(to_tsvector('simple', :query))) AS word LIMIT {_MAX_WORDS}
    ), word AS (
        SELECT word, octet_length(word) <> char_length(word) AS is_within, CAST(
            '''' || replace(replace(word, '\\', '\\\\'), '''', '''''') || ''':*' AS tsquery
        ) AS query
        FROM lexeme
        UNION ALL
        SELECT pair, true, NULL FROM unnest(CAST(:pairs AS text[])) AS pair
        UNION ALL
        SELECT :whole, true, NULL
        WHERE NOT EXISTS (SELECT FROM lexeme) AND CAST(:pairs AS text[]) = '{{}}'
    ), hit AS (
        SELECT agent_notes.id, word.word FROM agent_notes JOIN word
            ON agent_notes.words @@ word.query
            OR (word.is_within AND strpos(lower(agent_notes.text), word.word) > 0)
        WHERE agent_id = :agent_id
    )"""
_SEARCHED = (
    bindparam("query", type_=Text()),
    bindparam("whole", type_=Text()),
    bindparam("pairs", type_=ARRAY(Text())),
)
_RECALL = text(
    f"""
    WITH {_WORDS}, worth AS (
        SELECT word, 1.0 / count(*) AS each FROM hit GROUP BY word
    ), found AS (
        SELECT id, sum(worth.each) AS worth FROM hit JOIN worth USING (word) GROUP BY id
    )
    SELECT {_COLUMNS} FROM found JOIN agent_notes USING (id)
    ORDER BY found.worth DESC, {_ORDER} LIMIT :limit
    """
).bindparams(_AGENT, *_SEARCHED)

_IS_BEHIND = (
    "(CAST(:at AS timestamptz) IS NULL OR (agent_notes.created_at, agent_notes.id) < (:at, :id))"
)
_PLACE = (_AGENT, _ID, bindparam("at", type_=DateTime(timezone=True)))
_PAGE = text(
    f"""
    SELECT {_COLUMNS} FROM agent_notes WHERE agent_id = :agent_id AND {_IS_BEHIND}
    ORDER BY {_ORDER} LIMIT :limit
    """
).bindparams(*_PLACE)
_SEARCH = text(
    f"""
    WITH {_WORDS}, found AS (
        SELECT id FROM hit GROUP BY id
        HAVING count(*) = (SELECT count(DISTINCT word) FROM word)
    )
    SELECT {_COLUMNS} FROM found JOIN agent_notes USING (id) WHERE {_IS_BEHIND}
    ORDER BY {_ORDER} LIMIT :limit
    """
).bindparams(*_PLACE, *_SEARCHED)
