"""Which task of the same name went well before another."""

from uuid import UUID

from sqlalchemy import ColumnElement, select, tuple_
from sqlmodel import col

from activities.store.database import Database
from activities.store.tables import Task
from workflows.states import Status

# Nobody compares with what was so long ago, and to look at all tasks would take seconds.
MAX_LOOKED_AT = 5_000


async def find_former(database: Database, team_id: UUID, task_id: UUID) -> UUID | None:
    """The last completed task with the name and type of this one, of those submitted before it.

    A task of a schedule is compared with others of that. None for what belongs to a plan or agent.
    """
    async with database.reading() as connection:
        query = select(
            col(Task.name),
            col(Task.type),
            col(Task.created_at),
            col(Task.schedule_id),
        ).where(
            col(Task.id) == task_id,
            col(Task.team_id) == team_id,
            col(Task.parent_id).is_(None),
            col(Task.deleted_at).is_(None),
        )
        task = (await connection.execute(query)).one_or_none()
        if task is None:
            return None
        before = tuple_(col(Task.created_at), col(Task.id)) < tuple_(task.created_at, task_id)
        among: list[ColumnElement[bool]] = [before, col(Task.type) == task.type]
        if task.schedule_id is not None:
            among.append(col(Task.schedule_id) == task.schedule_id)
        completed = (
            select(col(Task.id), col(Task.name), col(Task.created_at))
            .where(
                col(Task.team_id) == team_id,
                col(Task.status) == Status.COMPLETED,
                col(Task.parent_id).is_(None),
                col(Task.deleted_at).is_(None),
                *among,
            )
            .order_by(col(Task.created_at).desc(), col(Task.id).desc())
            .limit(MAX_LOOKED_AT)
            .subquery()
        )
        return await connection.scalar(
            select(completed.c.id)
            .where(completed.c.name == task.name)
            .order_by(completed.c.created_at.desc(), completed.c.id.desc())
            .limit(1)
        )
