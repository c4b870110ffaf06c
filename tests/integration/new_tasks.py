"""Tasks as the API writes them down, for tests that do without the API."""

from typing import Any
from uuid import UUID, uuid4

from pydantic import BaseModel

from activities.kinds.table import KINDS
from activities.store.keys import DEFAULT_TEAM
from activities.store.tasks import NewTask
from workflows.pipeline_contracts import StepCall
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


def first_call(
    task: NewTask, *, retries: int = 0, timeout_seconds: float = 30, **more: Any
) -> StepCall:
    """What the workflow of a new task asks for when its first step begins."""
    return StepCall(
        task_id=task.id,
        team_id=task.team_id,
        sub_task_id=task.sub_tasks[0].id,
        run=1,
        step=task.sub_tasks[0].name,
        retries=retries,
        timeout_seconds=timeout_seconds,
        **more,
    )
