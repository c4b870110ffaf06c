"""Finding a client's task, or saying that there is none."""

from typing import TypeVar
from uuid import UUID

from activities.store.database import Database
from activities.store.reading.steps import has_step, list_placed_steps
from activities.store.reading.tasks import StoredTask, find_task, has_task
from api.errors import NotFound, StepNotFound

Found = TypeVar("Found")

_NAMES_SHOWN = 20


def found(task: Found | None, task_id: UUID) -> Found:
    """What was read of a task. Raises ``NotFound`` when that is nothing."""
    if task is None:
        raise NotFound(kind="task", id=task_id)
    return task


async def load_task(database: Database, team_id: UUID, task_id: UUID) -> StoredTask:
    """A task to act on, as the primary has it. Raises ``NotFound``."""
    return found(await find_task(database, team_id, task_id), task_id)


async def check_task(database: Database, team_id: UUID, task_id: UUID) -> None:
    """Raises ``NotFound``."""
    found(await has_task(database, team_id, task_id) or None, task_id)


async def check_step(database: Database, task_id: UUID, step: str) -> None:
    """Raises ``StepNotFound`` unless a sub-task of the task has this name or id."""
    if await has_step(database, task_id, step):
        return
    steps = await list_placed_steps(database, task_id)
    names = [known.name for known in steps]
    more = ", ..." if len(names) > _NAMES_SHOWN else ""
    shown = ", ".join(names[:_NAMES_SHOWN]) + more
    raise StepNotFound(task=task_id, step=step, known=shown or "none yet")
