"""Finding tasks among a million: the ids of those that a filter lets through, newest first.

PostgreSQL has no order among several states at once, so each pair of type and state is read by
itself, in the order of the index, and the beginnings are merged. A text is looked for in the newest
tasks as they are. What is not found there is rare, and looked for by its trigrams: an index of them
reads every task that has a common word before it can tell which is the newest. A whole name has an
index of its own, of the tasks that have ended; what has not ended is little beside them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.store import fence
from activities.store.housekeeping import named
from activities.store.reading.cursor import Cursor
from workflows.states import Status, TaskType

# So many of the newest are looked through for a text: 5 ms.
MAX_LOOKED_THROUGH = 10_000
# A shorter text has no trigram, and is looked for in the newest only.
MIN_INDEXED_CHARACTERS = 3

_PLACE = "created_at DESC, id DESC"
# A step or call that has failed and waits for its next attempt, or a turn; and every plan above. A
# step that is held before its first attempt has not failed.
RETRYING = """
    WITH RECURSIVE retrying AS (
        SELECT task_id AS id FROM sub_tasks
        WHERE team_id = :team_id AND next_attempt_at IS NOT NULL
          AND (waits_for IS NULL OR retry_count > 0)
        UNION
        SELECT id FROM tasks
        WHERE team_id = :team_id AND status = 'running' AND error IS NOT NULL
        UNION
        SELECT tasks.parent_id FROM retrying JOIN tasks ON tasks.id = retrying.id
        WHERE tasks.parent_id IS NOT NULL
    )
    SELECT id FROM retrying
"""
# Found by their index, however many other tasks there are.
_GIVEN = f"""
    SELECT id FROM tasks
    WHERE team_id = :team_id AND {named.by_task("tasks", "CAST(:given AS text)")}
"""
# As the index has it: the team is one more word, so that no search is led through another's tasks.
_HAS_WORDS = """
    (agentos_trigrams(name, prompt) || ARRAY[CAST(team_id AS text)])
    @> (agentos_trigrams(:text, NULL) || ARRAY[CAST(:team AS text)])
"""
# What the index of names leaves out, as that of living tasks has it.
_IS_UNFINISHED = f"finished_at IS NULL AND {fence.IS_LIVING}"
_LIKE_SPECIAL = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """``text`` is looked for in name and prompt, whatever the case: of tasks that are not among the
    newest in their first 1,000 characters. Nodes of plans are listed with the plan that is their
    ``parent_id`` only. ``is_retrying``: something of it has failed and is to be tried again.
    ``agent_id`` is the agent that stays which has begun them. ``name`` is the whole name. ``given``
    is a reference that is among their inputs. ``as_of`` leaves out what was submitted, or has
    ended, since."""

    statuses: Sequence[Status] = ()
    types: Sequence[TaskType] = ()
    text: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    parent_id: UUID | None = None
    schedule_id: UUID | None = None
    is_retrying: bool = False
    agent_id: UUID | None = None
    name: str | None = None
    given: str | None = None
    as_of: datetime | None = None


async def find_page(
    connection: AsyncConnection,
    team_id: UUID,
    wanted: TaskFilter,
    cursor: Cursor | None,
    limit: int,
    *,
    looked_through: int = MAX_LOOKED_THROUGH,
) -> Sequence[UUID]:
    """At most ``limit`` ids, from behind ``cursor`` on."""
    places = await find_places(
        connection, team_id, wanted, cursor, limit, looked_through=looked_through
    )
    return [place.id for place in places]


async def find_places(
    connection: AsyncConnection,
    team_id: UUID,
    wanted: TaskFilter,
    cursor: Cursor | None,
    limit: int,
    *,
    looked_through: int = MAX_LOOKED_THROUGH,
) -> Sequence[Cursor]:
    """As ``find_page``, with the place of each."""
    search = _Search(connection, team_id, wanted, limit, looked_through)
    if wanted.text is None and wanted.name is None:
        return await search.all(cursor)
    places, following = await search.newest(cursor)
    if following is not None and len(places) < limit:
        places = [*places, *await search.indexed(following, limit - len(places))]
    return places


class _Search:
    def __init__(
        self,
        connection: AsyncConnection,
        team_id: UUID,
        wanted: TaskFilter,
        limit: int,
        looked_through: int,
    ) -> None:
        self._connection = connection
        self._wanted = wanted
        self._text = wanted.text or ""
        escaped = self._text.translate(_LIKE_SPECIAL)
        self._values: dict[str, Any] = {
            "team_id": team_id,
            "parent_id": wanted.parent_id,
            "schedule_id": wanted.schedule_id,
            "agent_id": wanted.agent_id,
            "name": wanted.name,
            "given": wanted.given,
            "types": [str(each) for each in dict.fromkeys(wanted.types or TaskType)],
            "statuses": [str(each) for each in dict.fromkeys(wanted.statuses or Status)],
            "after": wanted.created_after,
            "before": wanted.created_before,
            "as_of": wanted.as_of,
            "text": self._text,
            "team": str(team_id),
            "pattern": f"%{escaped}%",
            "limit": limit,
            "looked_through": looked_through,
        }

    async def all(self, cursor: Cursor | None) -> Sequence[Cursor]:
        return await self._places(self._source("id, created_at", cursor, ":limit"), cursor)

    async def newest(self, cursor: Cursor | None) -> tuple[Sequence[Cursor], Cursor | None]:
        """Those among the newest, and the last place that was looked at if there are more."""
        source = self._source("id, created_at, name, prompt", cursor, ":looked_through")
        statement = f"""
            WITH newest AS MATERIALIZED ({source}), found AS (
                SELECT created_at, id FROM newest
                WHERE {self._matches}
                ORDER BY {_PLACE} LIMIT :limit
            )
            SELECT created_at, id, false AS is_last FROM found
            UNION ALL
            (SELECT created_at, id, true FROM newest
             WHERE (SELECT count(*) FROM newest) = :looked_through
             ORDER BY created_at, id LIMIT 1)
            ORDER BY is_last, {_PLACE}
        """
        rows = (await self._execute(statement, cursor)).all()
        places = [Cursor(row.created_at, row.id) for row in rows]
        if rows and rows[-1].is_last:
            return places[:-1], places[-1]
        return places, None

    async def indexed(self, cursor: Cursor, limit: int) -> Sequence[Cursor]:
        """Those behind the newest."""
        if self._wanted.name is not None:
            of_name = f"{self._matches} AND"
            sources = [f"{of_name} finished_at IS NOT NULL", f"{of_name} {_IS_UNFINISHED}"]
        elif len(self._text) >= MIN_INDEXED_CHARACTERS:
            sources = [f"{_HAS_WORDS} AND {self._matches}"]
        else:
            return ()
        shared = f"type = ANY(:types) AND status = ANY(:statuses) AND {self._where(cursor)}"
        found = " UNION ALL ".join(
            f"SELECT id, created_at FROM tasks WHERE {shared} AND {source}" for source in sources
        )
        statement = f"""
            WITH found AS MATERIALIZED ({found})
            SELECT created_at, id FROM found ORDER BY {_PLACE} LIMIT :limit
        """
        self._values["limit"] = limit
        return await self._places(statement, cursor)

    @property
    def _matches(self) -> str:
        wanted = self._wanted
        parts = ["name = :name"] if wanted.name is not None else []
        if wanted.text is not None:
            parts.append("(name ILIKE :pattern OR prompt ILIKE :pattern)")
        return " AND ".join(parts)

    def _source(self, columns: str, cursor: Cursor | None, limit: str) -> str:
        """The newest ones that fit, but for the text."""
        where = self._where(cursor)
        ordered = f"ORDER BY {_PLACE} LIMIT {limit}"
        wanted = self._wanted
        family = wanted.parent_id or wanted.schedule_id or wanted.agent_id
        is_few = wanted.is_retrying or wanted.given is not None or family is not None
        if not (wanted.statuses or wanted.types) or is_few:
            states = "type = ANY(:types) AND status = ANY(:statuses) AND" if is_few else ""
            return f"SELECT {columns} FROM tasks WHERE {states} {where} {ordered}"
        return f"""
            SELECT {", ".join(f"each.{column}" for column in columns.split(", "))}
            FROM unnest(CAST(:types AS text[])) AS a(type),
                 unnest(CAST(:statuses AS text[])) AS b(status),
                 LATERAL (
                     SELECT {columns} FROM tasks
                     WHERE tasks.type = a.type AND tasks.status = b.status AND {where} {ordered}
                 ) AS each
            {ordered}
        """

    def _where(self, cursor: Cursor | None) -> str:
        parts = ["team_id = :team_id", "deleted_at IS NULL"]
        has_parent = self._wanted.parent_id is not None
        parts.append("parent_id = :parent_id" if has_parent else "parent_id IS NULL")
        if self._wanted.schedule_id is not None:
            parts.append("schedule_id = :schedule_id")
        if self._wanted.is_retrying:
            parts.append(f"id = ANY(ARRAY({RETRYING}))")
        if self._wanted.given is not None:
            parts.append(f"id = ANY(ARRAY({_GIVEN}))")
        if self._wanted.agent_id is not None:
            parts.append("agent_id = :agent_id")
        if self._wanted.created_after is not None:
            parts.append("created_at > :after")
        if self._wanted.created_before is not None:
            parts.append("created_at < :before")
        if self._wanted.as_of is not None:
            parts.append("created_at <= :as_of")
            parts.append("(finished_at IS NULL OR finished_at <= :as_of)")
        if cursor is not None:
            parts.append("(created_at, id) < (:moment, :id)")
        return " AND ".join(parts)

    async def _places(self, statement: str, cursor: Cursor | None) -> Sequence[Cursor]:
        return [Cursor(row.created_at, row.id) for row in await self._execute(statement, cursor)]

    async def _execute(self, statement: str, cursor: Cursor | None) -> Any:
        values: dict[str, Any] = dict(self._values)
        if cursor is not None:
            values |= {"moment": cursor.moment, "id": cursor.id}
        clause = text(statement)
        return await self._connection.execute(
            clause, {name: values[name] for name in clause.compile().params}
        )
