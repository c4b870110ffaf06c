"""How far agents are."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store.tables import Message, Task


async def turns_done(connection: AsyncConnection, task_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """How many turns of its present run the model has answered in, by task."""
    rows = await connection.execute(
        select(
            col(Message.task_id),
            func.count(col(Message.turn).distinct()).label("turns"),
        )
        .join(Task, col(Task.id) == col(Message.task_id))
        .where(
            col(Message.task_id).in_(task_ids),
            col(Message.role) == "assistant",
            col(Message.seq) > col(Task.first_step),
        )
        .group_by(col(Message.task_id))
    )
    return {row.task_id: row.turns for row in rows}
