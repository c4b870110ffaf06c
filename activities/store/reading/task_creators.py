"""Who a task is from."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case
from sqlmodel import col

from activities.store.audit import LOCAL_USER
from activities.store.tables import ResidentRow, Schedule, Task
from workflows.states import TaskType


@dataclass(frozen=True, slots=True)
class Creator:
    """Who a task is from: a ``key`` or who needs none (``local``), by name; or what has made it: a
    ``schedule``, an ``agent``, a ``plan``. ``name`` is None where that is gone, or has none."""

    kind: str
    name: str | None
    id: UUID | None = None


# Beside the ids of what has made a task.
CREATOR: tuple[Any, ...] = (
    col(Task.created_by),
    col(Schedule.name).label("schedule_name"),
    col(ResidentRow.name).label("agent_name"),
)

# The agent that has begun it, or whose turn it is.
_AGENT = case((col(Task.type) == TaskType.EXCHANGE, col(Task.parent_id)), else_=col(Task.agent_id))


def with_creators(query: Select[Any]) -> Select[Any]:
    """The query with the tables of ``CREATOR``."""
    return query.outerjoin(Schedule, col(Schedule.id) == col(Task.schedule_id)).outerjoin(
        ResidentRow, col(ResidentRow.id) == _AGENT
    )


def creator_of(row: Any) -> Creator | None:
    if row.schedule_id is not None:
        return Creator("schedule", row.schedule_name, row.schedule_id)
    if row.agent_id is not None or row.type is TaskType.EXCHANGE:
        return Creator("agent", row.agent_name, row.agent_id or row.parent_id)
    if row.parent_id is not None:
        return Creator("plan", None, row.parent_id)
    if row.created_by is None:
        return None
    is_local = row.created_by == LOCAL_USER
    return Creator("local" if is_local else "key", row.created_by)
