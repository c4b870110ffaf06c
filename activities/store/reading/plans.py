"""Plans and their nodes, as those who run or show them need them."""

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from activities.store.database import Database
from activities.store.tables import SubTask
from workflows.contracts import call_sub_task_id
from workflows.states import Status

PLAN_CALL = "plan"


async def resumed_call(database: Database, task_id: UUID, seq: int) -> int | None:
    """``seq``, where the call with that result makes or revises a plan that is not completed."""
    async with database.reading(fresh=True) as connection:
        status = await connection.scalar(
            select(col(SubTask.status)).where(
                col(SubTask.id) == call_sub_task_id(task_id, seq),
                col(SubTask.task_type) == PLAN_CALL,
            )
        )
    return None if status in (None, Status.COMPLETED) else seq
