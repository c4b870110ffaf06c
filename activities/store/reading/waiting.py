"""What of a team waits for a person: calls and questions of all its tasks, plans and agents."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Row, Text, case, cast, func, select
from sqlmodel import col

from activities.store.approvals import IS_WAITING, AskedCall, call_of
from activities.store.database import Database
from activities.store.reading.cursor import Cursor, cut_at
from activities.store.tables import ResidentRow, SubTask, Task
from workflows.states import FINAL, TaskType

# A page ends early here, whatever its limit; one call is always given whole.
MAX_PAGE_BYTES = 8 * 1024 * 1024
# Nobody counts further than that.
MOST_COUNTED = 1_000


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """A call that waits, and whose it is. Of a node ``parent_id`` is the plan; ``agent_id`` is the
    agent that stays in whose turn it is made, or which has begun the task."""

    call: AskedCall
    task_name: str
    task_type: TaskType
    parent_id: UUID | None
    agent_id: UUID | None
    agent_name: str | None


async def list_waiting(
    database: Database,
    team_id: UUID,
    cursor: Cursor | None,
    limit: int,
    *,
    task_id: UUID | None = None,
    call_id: UUID | None = None,
) -> tuple[Sequence[WaitingCall], Cursor | None]:
    """A page, the oldest first, and the place of its last one if there are more: of all, of a task,
    or of a call alone."""
    conditions = _conditions(team_id)
    if task_id is not None:
        conditions.append(col(SubTask.task_id) == task_id)
    if call_id is not None:
        conditions.append(col(SubTask.id) == call_id)
    if cursor is not None:
        conditions.append(cursor.after(*_PLACE))
    sizes = (
        select(*_PLACE, func.octet_length(cast(col(SubTask.input_context), Text)).label("bytes"))
        .join(Task, _IS_OF_TASK)
        .where(*conditions)
        .order_by(*_PLACE)
        .limit(limit + 1)
    )
    async with database.reading(fresh=True) as connection:
        found = (await connection.execute(sizes)).all()
        if not found:
            return [], None
        count = cut_at([row.bytes for row in found], limit, MAX_PAGE_BYTES)
        ids = [row.id for row in found[:count]]
        query = _WAITING.where(*conditions, col(SubTask.id).in_(ids)).order_by(*_PLACE)
        items = [_waiting(row) for row in await connection.execute(query)]
    last = found[count - 1]
    return items, Cursor(last.created_at, last.id) if len(found) > count else None


async def count_waiting(database: Database, team_id: UUID, most: int = MOST_COUNTED) -> int:
    """How many there are, as far as anybody counts them."""
    few = (
        select(col(SubTask.id))
        .join(Task, _IS_OF_TASK)
        .where(*_conditions(team_id))
        .limit(most)
        .subquery()
    )
    async with database.reading() as connection:
        return await connection.scalar(select(func.count()).select_from(few)) or 0


def _conditions(team_id: UUID) -> list[ColumnElement[bool]]:
    """Few calls wait at a time, of all teams together: their index by state leads to them."""
    asked = col(SubTask.approval)
    return [
        IS_WAITING,
        col(SubTask.team_id) == team_id,
        asked["kind"].astext.is_not(None),
        asked["decision"].astext.is_(None),
        asked["expires_at"].astext.cast(DateTime(timezone=True)) > func.now(),
        col(Task.status).not_in([str(status) for status in FINAL]),
        col(Task.deleted_at).is_(None),
    ]


def _waiting(row: Row[*tuple[Any, ...]]) -> WaitingCall:
    return WaitingCall(
        call=call_of(row),
        task_name=row.task_name,
        task_type=TaskType(row.type_of_task),
        parent_id=row.plan_id,
        agent_id=row.agent_id,
        agent_name=row.agent_name,
    )


_PLACE = (col(SubTask.created_at), col(SubTask.id))
_IS_OF_TASK = col(Task.id) == col(SubTask.task_id)
_IS_EXCHANGE = col(Task.type) == TaskType.EXCHANGE
_AGENT = case((_IS_EXCHANGE, col(Task.parent_id)), else_=col(Task.agent_id))

_WAITING = (
    select(
        *_PLACE,
        col(SubTask.task_id),
        col(Task.run),
        col(SubTask.execution_order),
        col(SubTask.name),
        col(SubTask.task_type),
        col(SubTask.status),
        col(SubTask.input_context),
        col(SubTask.approval),
        col(Task.name).label("task_name"),
        col(Task.type).label("type_of_task"),
        case((_IS_EXCHANGE, None), else_=col(Task.parent_id)).label("plan_id"),
        _AGENT.label("agent_id"),
        col(ResidentRow.name).label("agent_name"),
    )
    .join(Task, _IS_OF_TASK)
    .outerjoin(ResidentRow, col(ResidentRow.id) == _AGENT)
)
