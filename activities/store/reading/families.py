"""Plans and the tasks of their nodes: which belongs to which."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, and_, bindparam, select, text
from sqlmodel import col

from activities.store.database import Database
from activities.store.tables import SubTask, Task
from workflows.states import LIVING, Status


@dataclass(frozen=True, slots=True)
class Owner:
    """The plan that a task was made by, which may be a node as well. ``node`` is which of its nodes
    the task runs; None when it is none of them any more."""

    id: UUID
    parent_id: UUID | None
    status: Status
    node: str | None


async def find_owner(database: Database, plan_id: UUID, task_id: UUID) -> Owner | None:
    """The plan ``plan_id`` as the owner of a task; None when there is no such plan any more."""
    is_node = and_(col(SubTask.task_id) == col(Task.id), col(SubTask.child_id) == task_id)
    query = (
        select(col(Task.id), col(Task.parent_id), col(Task.status), col(SubTask.name))
        .outerjoin(SubTask, is_node)
        .where(col(Task.id) == plan_id)
        .limit(1)
    )
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else Owner(*row)


async def descendants(database: Database, task_id: UUID, *, living: bool = False) -> Sequence[UUID]:
    """The tasks of a plan's nodes, and of theirs where they are plans: those above come first.

    ``living``: only those that have not ended.
    """
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(_DESCENDANTS, {"task_id": task_id})
        return [row.id for row in rows if row.status in LIVING or not living]


# Plans are split three times at most, and below the last one are its nodes.
_DESCENDANTS = text(
    """
    WITH RECURSIVE below AS (
        SELECT id, status, created_at, 1 AS depth FROM tasks WHERE parent_id = :task_id
        UNION ALL
        SELECT tasks.id, tasks.status, tasks.created_at, depth + 1
        FROM below JOIN tasks ON tasks.parent_id = below.id WHERE depth < 4
    )
    SELECT id, status FROM below ORDER BY depth, created_at, id
    """
).bindparams(bindparam("task_id", type_=Uuid()))
