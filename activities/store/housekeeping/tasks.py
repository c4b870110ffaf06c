"""Deleting tasks: first they are marked, and from then on nobody is shown them; then all that is
theirs goes, in pieces, and at last their own rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import DateTime, Uuid

from activities.store import fence
from activities.store.audit import Actor, Deed, note
from activities.store.database import Database
from activities.store.housekeeping import named
from activities.store.housekeeping.base import MOST_COUNTED, Scope, Step, Sweep, short_transaction
from activities.store.housekeeping.ended_tasks import delete_of, with_nodes
from workflows.states import FINAL, Status

# A task is some dozens of rows, and its plan some dozens of tasks.
MOST_MARKED = 100
MOST_PURGED = 100

# What belongs to a task, the most numerous first. Tables of which a task has a few rows only go
# with its own row (ON DELETE CASCADE).
_PARTS = tuple(
    delete_of(table)
    for table in (
        "events",
        "messages",
        "lost_answers",
        "task_artifacts",
        "execution_logs",
        "sub_tasks",
        "plan_revisions",
        "files",
    )
)


@dataclass(frozen=True, slots=True)
class NotDeleted:
    """Why a task stays: it, or ``by``, which belongs to it or uses a file of it, is ``status``; or
    it belongs to ``parent_id``, a plan or an agent; or ``schedule`` gives a file of it to its
    runs."""

    status: Status | None = None
    by: UUID | None = None
    parent_id: UUID | None = None
    schedule: str | None = None


async def mark_deleted(
    database: Database,
    actor: Actor,
    task_id: UUID,
    reason: str = "",
    details: Mapping[str, JsonValue] = MappingProxyType({}),
) -> NotDeleted | None:
    """Mark a task of the actor's team, with its nodes, as deleted. None when that is done.

    Raises:
        LookupError: there is no such task.
    """
    async with database.writing() as connection:
        values = {"id": task_id, "team_id": actor.team_id}
        task = (await connection.execute(_LOCK, values)).one_or_none()
        if task is None:
            raise LookupError(task_id)
        if task.parent_id is not None:
            return NotDeleted(parent_id=task.parent_id)
        ids = await with_nodes(connection, [task_id])
        # Whoever is about to name a file of one holds its row.
        await connection.execute(_LOCK_ALL, {"ids": ids})
        living = (await connection.execute(_LIVING, {"ids": ids})).first()
        if living is not None:
            return NotDeleted(Status(living.status), living.id)
        user = (await connection.execute(_SCHEDULED, {"ids": ids})).first()
        if user is not None:
            return NotDeleted(schedule=user.name)
        await connection.execute(_MARK, {"ids": ids})
        told = {"tasks": len(ids), **details}
        await note(connection, actor, Deed("task.deleted", str(task_id), reason, told))
    return None


async def mark(connection: AsyncConnection, task_ids: Sequence[UUID]) -> None:
    """Mark tasks as deleted: a sweep removes them, with all that is theirs."""
    await connection.execute(_MARK, {"ids": task_ids})


async def purge(database: Database, team_id: UUID, limit: int) -> Step:
    """Remove up to ``limit`` rows of deleted tasks."""
    async with short_transaction(database) as connection:
        return await _purge(connection, team_id, limit)


async def _purge(connection: AsyncConnection, team_id: UUID, limit: int) -> Step:
    found = await connection.scalars(_DELETED, {"team_id": team_id, "most": MOST_PURGED})
    ids = found.all()
    if not ids:
        return Step(0, is_done=True)
    removed = 0
    for statement in (*_PARTS, _MESSAGES):
        values = {"ids": ids, "limit": limit - removed}
        removed += (await connection.execute(statement, values)).rowcount
        if removed >= limit:
            return Step(removed, is_done=False)
    removed += (await connection.execute(_REMOVE, {"ids": ids})).rowcount
    return Step(removed, is_done=len(ids) < MOST_PURGED)


class ExpiredTasks(Sweep):
    """Marks tasks whose time is over, some at a time, and removes them. One stays whose file was
    given to a task that has not ended or to a schedule, or with a node that has not ended."""

    name = "tasks"
    keep = "tasks"

    async def step(self, connection: AsyncConnection, scope: Scope) -> Step:
        # Before others are marked: those would be found, and passed by, again and again.
        purged = await _purge(connection, scope.team_id, scope.limit)
        if purged.removed or not purged.is_done:
            return Step(purged.removed, is_done=False)
        values = {"team_id": scope.team_id, "before": scope.before, "most": MOST_MARKED}
        marked = (await connection.scalars(_EXPIRED, values)).all()
        if marked:
            ids = await with_nodes(connection, marked)
            await connection.execute(_MARK, {"ids": ids})
        return Step(0, is_done=not marked)

    async def count_left(self, connection: AsyncConnection, scope: Scope) -> int:
        values = {"team_id": scope.team_id, "before": scope.before, "most": MOST_COUNTED}
        return await connection.scalar(_COUNT_EXPIRED, values) or 0


class DeletedTasks(Sweep):
    """Removes what was marked, by a person or because its time was over."""

    name = "deleted"
    keep = None

    async def step(self, connection: AsyncConnection, scope: Scope) -> Step:
        return await _purge(connection, scope.team_id, scope.limit)

    async def count_left(self, connection: AsyncConnection, scope: Scope) -> int:
        values = {"team_id": scope.team_id, "most": MOST_COUNTED}
        return await connection.scalar(_COUNT_DELETED, values) or 0


# Of an exchange. Those that the agent has not read go with the agent alone.
_MESSAGES = text(
    """
    DELETE FROM inbox WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM inbox WHERE exchange_id = ANY(:ids) AND read_at IS NOT NULL LIMIT :limit))
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid())))

_TEAM = bindparam("team_id", type_=Uuid())
_IDS = bindparam("ids", type_=ARRAY(Uuid()))
_BEFORE = bindparam("before", type_=DateTime(timezone=True))
_FINAL = ", ".join(f"'{status}'" for status in sorted(FINAL))

_LOCK = text(
    """
    SELECT name, parent_id FROM tasks
    WHERE id = :id AND team_id = :team_id AND deleted_at IS NULL FOR UPDATE
    """
).bindparams(bindparam("id", type_=Uuid()), _TEAM)

_LOCK_ALL = text("SELECT FROM tasks WHERE id = ANY(:ids) ORDER BY id FOR UPDATE").bindparams(_IDS)

# Of the tasks themselves, and of those that were given one of their files.
_MADE = "'artifact:' || made.id"
_USERS = f"""
    SELECT user_.id, user_.status
    FROM task_artifacts AS made JOIN tasks AS user_ ON {named.by_task("user_", _MADE)}"""
_SCHEDULES = f"""
    SELECT schedules.id, schedules.name
    FROM task_artifacts AS made JOIN schedules ON {named.by_schedule("schedules", _MADE)}"""
_SCHEDULED = text(f"{_SCHEDULES} WHERE made.task_id = ANY(:ids) LIMIT 1").bindparams(_IDS)
_LIVING = text(
    f"""
    SELECT id, status FROM tasks WHERE id = ANY(:ids) AND {fence.IS_LIVING}
    UNION ALL
    {_USERS}
    WHERE made.task_id = ANY(:ids) AND user_.status NOT IN ({_FINAL})
    LIMIT 1
    """
).bindparams(_IDS)

# The key may be used again: it stood for a task that is gone.
_MARK = text(
    "UPDATE tasks SET deleted_at = now(), idempotency_key = NULL WHERE id = ANY(:ids)"
).bindparams(_IDS)

_DELETED = text(
    """
    SELECT id FROM tasks WHERE team_id = :team_id AND deleted_at IS NOT NULL
    ORDER BY deleted_at LIMIT :most FOR UPDATE SKIP LOCKED
    """
).bindparams(_TEAM)
_REMOVE = text("DELETE FROM tasks WHERE id = ANY(:ids)").bindparams(_IDS)
_COUNT_DELETED = text(
    """
    SELECT count(*) FROM (
        SELECT FROM tasks WHERE team_id = :team_id AND deleted_at IS NOT NULL LIMIT :most
    ) AS left_over
    """
).bindparams(_TEAM)

_IS_EXPIRED = f"""
    team_id = :team_id AND parent_id IS NULL AND deleted_at IS NULL AND finished_at < :before
    AND status IN ({_FINAL})"""
# Whether a file of the task is given to one that has not ended, or to a schedule.
IS_USED = f"""EXISTS (
    {_USERS} WHERE made.task_id = tasks.id AND user_.status NOT IN ({_FINAL})
    UNION ALL
    {_SCHEDULES} WHERE made.task_id = tasks.id)"""

_EXPIRED = text(
    f"""
    SELECT id FROM tasks
    WHERE {_IS_EXPIRED}
      AND NOT EXISTS (
        WITH RECURSIVE below AS (
            SELECT tasks.id
            UNION
            SELECT node.id FROM below JOIN tasks AS node ON node.parent_id = below.id
        )
        {_USERS} JOIN below ON below.id = made.task_id WHERE user_.status NOT IN ({_FINAL})
        UNION ALL
        {_SCHEDULES} JOIN below ON below.id = made.task_id)
      AND NOT EXISTS (SELECT FROM tasks AS node
                      WHERE node.parent_id = tasks.id AND node.status NOT IN ({_FINAL}))
    ORDER BY finished_at, id LIMIT :most FOR UPDATE SKIP LOCKED
    """
).bindparams(_TEAM, _BEFORE)
_COUNT_EXPIRED = text(
    f"SELECT count(*) FROM (SELECT FROM tasks WHERE {_IS_EXPIRED} LIMIT :most) AS left_over"
).bindparams(_TEAM, _BEFORE)
