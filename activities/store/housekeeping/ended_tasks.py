"""Sweeps of what tasks leave behind that have ended: a task that lives keeps all it has.

They walk along the tasks in the order of their ends, so that each look costs a few entries of an
index, and what was swept once is never looked at again. A task that is retried ends anew, and comes
last again. Nodes of a plan go with the plan. Exchanges of agents that stay are walked along by
sweeps of their own: what was asked and replied in them stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import DateTime, Uuid

from activities.store import fence
from activities.store.housekeeping import named
from activities.store.housekeeping.base import MOST_COUNTED, Scope, Step, Sweep
from activities.store.reading.cursor import Cursor
from workflows.states import Status

FEWEST_TASKS, MOST_TASKS = 5, 500
ROWS_OF_A_TASK = 12
# What a completed step has printed, as far as this, is its result: steps after it, and whoever
# looks at the task, read it there.
KEPT_OUTPUT_BYTES = 64 * 1024

# Those that somebody has submitted, and those that are exchanges of agents that stay.
TASKS = "parent_id IS NULL"
EXCHANGES = "type = 'exchange'"


@dataclass(frozen=True)
class EndedTasks(Sweep):
    """Each of the ``statements`` changes up to ``:limit`` rows of the tasks ``:ids`` that need it,
    and gives no row twice. ``of`` is the condition of an index on the ends of tasks."""

    name: str
    keep: str | None
    statements: tuple[TextClause, ...]
    of: str = TASKS

    async def step(self, connection: AsyncConnection, scope: Scope) -> Step:
        # To lock a row is to write it: not many more than the step will get done.
        most = min(MOST_TASKS, max(FEWEST_TASKS, scope.limit // ROWS_OF_A_TASK))
        tops = (await connection.execute(self._ended, scope.values | {"most": most})).all()
        if not tops:
            return Step(0, True, scope.after)
        last = Cursor(tops[-1].finished_at, tops[-1].id)
        ids = await with_nodes(connection, [row.id for row in tops])
        removed = 0
        for statement in self.statements:
            values = {"ids": ids, "limit": scope.limit - removed}
            removed += (await connection.execute(statement, values)).rowcount
            if removed >= scope.limit:  # Of these tasks there is more.
                return Step(removed, False, scope.after, reached=last.moment)
        return Step(removed, len(tops) < most, last, reached=last.moment)

    async def count_left(self, connection: AsyncConnection, scope: Scope) -> int:
        values = scope.values | {"most": MOST_COUNTED}
        return await connection.scalar(self._count, values) or 0

    @property
    def _ended(self) -> TextClause:
        # Locked: whoever retries one of them now waits, and then sees how far the sweep has come.
        # One that somebody has locked is about to be retried, and ends anew.
        return text(
            f"""
            SELECT id, finished_at FROM tasks WHERE {self.of} AND {_IS_BEHIND}
            ORDER BY finished_at, id LIMIT :most FOR NO KEY UPDATE SKIP LOCKED
            """
        ).bindparams(*_TYPES)

    @property
    def _count(self) -> TextClause:
        behind = f"SELECT FROM tasks WHERE {self.of} AND {_IS_BEHIND} LIMIT :most"
        return text(f"SELECT count(*) FROM ({behind}) AS left_over").bindparams(*_TYPES)


async def with_nodes(connection: AsyncConnection, task_ids: Sequence[UUID]) -> Sequence[UUID]:
    """Tasks, with those of their nodes, and of theirs."""
    return (await connection.scalars(_WITH_NODES, {"ids": task_ids})).all()


_IS_BEHIND = f"""
    team_id = :team_id AND finished_at < :before AND deleted_at IS NULL
    AND status IN ({fence.FINAL_STATES}) AND (finished_at, id) > (:at, :id)"""
_TYPES = (
    bindparam("team_id", type_=Uuid()),
    bindparam("before", type_=DateTime(timezone=True)),
    bindparam("at", type_=DateTime(timezone=True)),
    bindparam("id", type_=Uuid()),
)

_WITH_NODES = text(
    """
    WITH RECURSIVE below AS (
        SELECT unnest(CAST(:ids AS uuid[])) AS id
        UNION
        SELECT tasks.id FROM below JOIN tasks ON tasks.parent_id = below.id
    )
    SELECT id FROM below
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid())))


def _of_tasks(sql: str) -> TextClause:
    return text(sql).bindparams(bindparam("ids", type_=ARRAY(Uuid())))


def delete_of(table: str, where: str = "true") -> TextClause:
    """Deletes ``:limit`` rows of the tasks ``:ids``."""
    return _of_tasks(
        f"""
        DELETE FROM {table} WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM {table} WHERE task_id = ANY(:ids) AND {where} LIMIT :limit))
        """
    )


def _blank(table: str, assignments: str, where: str) -> TextClause:
    return _of_tasks(
        f"""
        UPDATE {table} SET {assignments} WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM {table} WHERE task_id = ANY(:ids) AND ({where}) LIMIT :limit))
        """
    )


EVENTS = EndedTasks("events", "events", (delete_of("events"),))

# The rows stay: they tell how long each attempt took, and what it cost.
_IS_RESULT = f"(status = '{Status.COMPLETED}' AND octet_length(stdout) <= {KEPT_OUTPUT_BYTES})"
LOGS = EndedTasks(
    "logs",
    "logs",
    (
        _blank(
            "execution_logs",
            f"stderr = '', stdout = CASE WHEN {_IS_RESULT} THEN stdout ELSE '' END",
            f"stderr <> '' OR (stdout <> '' AND NOT {_IS_RESULT})",
        ),
    ),
)
CONVERSATIONS = EndedTasks(
    "conversations",
    "conversations",
    (
        _blank(
            "messages",
            "content = '', requests = NULL, opaque = NULL, thought = NULL",
            "content <> '' OR requests IS NOT NULL OR opaque IS NOT NULL OR thought IS NOT NULL",
        ),
        _blank(
            "sub_tasks",
            "input_context = jsonb_set(input_context, '{arguments}', '{}')",
            "input_context ? 'request_id' AND input_context -> 'arguments' <> '{}'",
        ),
        delete_of("told_messages"),
    ),
)
# One that a task or schedule names as its input is theirs as well.
_IS_UNNAMED = named.is_unnamed("'artifact:' || task_artifacts.id")
ARTIFACTS = EndedTasks("artifacts", "artifacts", (delete_of("task_artifacts", _IS_UNNAMED),))

OF_AGENTS = tuple(
    replace(sweep, name=f"agent_{sweep.name}", of=EXCHANGES)
    for sweep in (EVENTS, LOGS, CONVERSATIONS, ARTIFACTS)
)
