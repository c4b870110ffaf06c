"""Which tasks are meant, for those who act on many of them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlmodel import col

from activities.store.database import Database
from activities.store.reading.cursor import Cursor
from activities.store.reading.task_search import TaskFilter, find_places
from activities.store.tables import Task

_IDS_A_PAGE = 1_000

_NOW = text("SELECT now()")


async def list_task_ids(
    database: Database, team_id: UUID, wanted: TaskFilter, most: int
) -> Sequence[UUID]:
    """The ids of the tasks that fit, as the primary has them, the oldest first; no more than one
    beyond ``most``, which says that there are more."""
    found: list[Cursor] = []
    async with database.reading(fresh=True) as connection:
        while len(found) <= most:
            cursor = found[-1] if found else None
            size = min(_IDS_A_PAGE, most + 1 - len(found))
            page = await find_places(connection, team_id, wanted, cursor, size)
            found += page
            if len(page) < size:
                break
    return [place.id for place in reversed(found)]


async def moment(database: Database) -> datetime:
    """What time it is, by the clock that rows are dated by."""
    async with database.reading(fresh=True) as connection:
        now: datetime = (await connection.execute(_NOW)).scalar_one()
        return now


async def existing_tasks(
    database: Database, team_id: UUID, task_ids: Collection[UUID]
) -> Sequence[UUID]:
    """Those of the team that are there, the oldest first."""
    query = select(col(Task.id)).where(
        col(Task.id).in_(task_ids), col(Task.team_id) == team_id, col(Task.deleted_at).is_(None)
    )
    async with database.reading(fresh=True) as connection:
        return (await connection.scalars(query.order_by(col(Task.created_at), col(Task.id)))).all()
