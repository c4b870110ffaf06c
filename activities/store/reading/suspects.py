"""Tasks whose workflow may be missing, or may have ended without a word: what a sweep looks at."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, select, text, true, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased
from sqlmodel import col

from activities.store import fence
from activities.store.any_of import is_any_of
from activities.store.database import Database
from activities.store.reading.cursor import Cursor
from activities.store.tables import SubTask, Task
from activities.store.tables.residents import ResidentRow
from workflows.states import LIVING, Status, TaskType

# Any number will do, as long as all APIs on a database take the same.
_LOCK = 4_207_116_904


_COLUMNS = (
    col(Task.id),
    col(Task.run),
    col(Task.priority),
    col(Task.created_at),
    col(Task.updated_at),
)
# As the index of living tasks has it.
_IS_LIVING = text(fence.IS_LIVING)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A task that has not ended, of whose ``run`` nothing was written since ``updated_at``."""

    id: UUID
    run: int
    priority: int
    created_at: datetime
    updated_at: datetime

    @property
    def place(self) -> Cursor:
        return Cursor(self.created_at, self.id)


class Suspects:
    """Reads on the connection that holds the lock."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def alive_among(self, task_ids: Sequence[UUID]) -> Sequence[Suspect]:
        """Those of ``task_ids`` that have not ended."""
        if not task_ids:
            return ()
        rows = await self._connection.execute(
            select(*_COLUMNS).where(is_any_of(col(Task.id), task_ids), col(Task.status).in_(LIVING))
        )
        return [Suspect(*row) for row in rows]

    async def exchanges_among(self, agent_ids: Sequence[UUID]) -> Sequence[Suspect]:
        """The exchanges of these agents that have not ended."""
        if not agent_ids:
            return ()
        rows = await self._connection.execute(
            select(*_COLUMNS).where(
                is_any_of(col(Task.parent_id), agent_ids),
                col(Task.type) == TaskType.EXCHANGE,
                col(Task.status).in_(LIVING),
            )
        )
        return [Suspect(*row) for row in rows]

    async def of_terminated_agents(self, *, since: datetime, limit: int) -> Sequence[Suspect]:
        """The living exchanges of agents that were terminated before ``since``: the word may have
        been lost by which their workflows are cancelled."""
        rows = await self._connection.execute(
            select(*_COLUMNS)
            .join(ResidentRow, col(ResidentRow.id) == col(Task.parent_id))
            .where(
                _IS_LIVING,
                col(Task.type) == TaskType.EXCHANGE,
                col(ResidentRow.terminated_at) < since,
            )
            .order_by(col(Task.updated_at), col(Task.id))
            .limit(limit)
        )
        return [Suspect(*row) for row in rows]

    async def quiet(
        self, *, pending_since: datetime, silent_since: datetime, after: Cursor, limit: int
    ) -> tuple[Sequence[Suspect], Cursor | None]:
        """Tasks that have been pending, or silent in any state that is not final, for so long.

        ``limit`` living ones behind the place ``after`` are looked at, the oldest first; gives the
        place of the last of them if there are more. Their order is not that of the silence, which
        changes with every event: an index of it would have to be written each time.
        """
        place = (col(Task.created_at), col(Task.id))
        rows = await self._connection.execute(
            select(*_COLUMNS, col(Task.status))
            .where(_IS_LIVING, after.after(*place))
            .order_by(*place)
            .limit(limit)
        )
        since = {Status.PENDING: pending_since}
        looked_at = [(Suspect(*row[:-1]), row.status) for row in rows]
        found = [
            suspect
            for suspect, status in looked_at
            if suspect.updated_at < since.get(status, silent_since)
        ]
        return found, looked_at[-1][0].place if len(looked_at) == limit else None

    async def pending(
        self, *, since: datetime, after: Suspect | None, limit: int
    ) -> Sequence[Suspect]:
        """Tasks that have been pending for so long, the most urgent first, behind ``after``."""
        place = (-col(Task.priority), col(Task.updated_at), col(Task.id))
        is_pending = and_(
            _IS_LIVING, col(Task.status) == Status.PENDING, col(Task.updated_at) < since
        )
        is_behind: ColumnElement[bool] = true()
        if after is not None:
            is_behind = tuple_(*place) > (-after.priority, after.updated_at, after.id)
        rows = await self._connection.execute(
            select(*_COLUMNS).where(is_pending, is_behind).order_by(*place).limit(limit)
        )
        return [Suspect(*row) for row in rows]

    async def orphans(self, limit: int) -> Sequence[Suspect]:
        """Living tasks of nodes whose plan has ended, is gone, or has no such node any more; those
        of which nothing was heard for longest come first.

        They may well be heard of: their workflows know nothing of that.
        """
        rows = await self._connection.execute(_orphans(), {"most": limit})
        return [Suspect(*row) for row in rows]


@cache
def _orphans() -> Select[UUID, int, int, datetime, datetime]:
    """Made once: to put it together takes longer than to send it, and every sweep asks it."""
    plan = aliased(Task)
    has_plan = (
        select(col(SubTask.id))
        .join(plan, col(plan.id) == col(SubTask.task_id))
        .where(
            col(SubTask.task_id) == col(Task.parent_id),
            col(SubTask.child_id) == col(Task.id),
            col(plan.status).in_(LIVING),
        )
        .correlate(Task)
        .exists()
    )
    return (
        select(*_COLUMNS)
        .where(
            col(Task.parent_id).is_not(None),
            col(Task.type) != TaskType.EXCHANGE,  # It belongs to an agent.
            _IS_LIVING,
            ~has_plan,
        )
        .order_by(col(Task.updated_at), col(Task.id))
        .limit(bindparam("most"))
    )


@asynccontextmanager
async def only_sweep(database: Database) -> AsyncIterator[Suspects | None]:
    """The only sweep of this database until the block ends; None when there is another."""
    async with database.writing() as connection:
        # Held until the transaction ends, so that a process that dies lets go of it.
        is_only = await connection.scalar(text(f"SELECT pg_try_advisory_xact_lock({_LOCK})"))
        yield Suspects(connection) if is_only else None
