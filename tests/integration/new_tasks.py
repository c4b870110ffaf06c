"""Tasks as the API writes them down, for tests that do without the API."""

from typing import Any
from uuid import UUID, uuid4

from pydantic import BaseModel

from activities.kinds.table import KINDS
from activities.store.keys import DEFAULT_TEAM
from activities.store.tasks import NewTask
from workflows.states import TaskType


def new_task(
    task_type: TaskType,
    definition: BaseModel,
    *,
    task_id: UUID | None = None,
    team_id: UUID = DEFAULT_TEAM,
    **more: Any,
) -> NewTask:
    task_id = task_id or uuid4()
    return NewTask(
        id=task_id,
        team_id=team_id,
        type=task_type,
        name="test",
        definition=definition.model_dump(mode="json", exclude_defaults=True),
        sub_tasks=KINDS[task_type].sub_tasks(task_id, definition),
        **more,
    )
