"""What was asked for in a task, so that it can be asked for again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import select
from sqlmodel import col

from activities.store.database import Database
from activities.store.tables import Task
from workflows.states import TaskType


@dataclass(frozen=True, slots=True)
class AskedTask:
    """A task as it was submitted, or has become by a retry. ``parent_id`` is the plan whose node it
    is, or the agent that stays whose turn it is. ``callbacks`` have ``url`` and ``events``."""

    id: UUID
    parent_id: UUID | None
    type: TaskType
    prompt: str | None
    priority: int
    inputs: Mapping[str, str]
    definition: Mapping[str, JsonValue] | None
    cache: bool
    callbacks: Sequence[Mapping[str, Any]] | None


async def find_asked_task(database: Database, team_id: UUID, task_id: UUID) -> AskedTask | None:
    """As the primary has it; None when the team has no such task."""
    names = AskedTask.__dataclass_fields__
    query = select(*(col(getattr(Task, name)) for name in names)).where(
        col(Task.id) == task_id, col(Task.team_id) == team_id, col(Task.deleted_at).is_(None)
    )
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else AskedTask(**row._asdict())
