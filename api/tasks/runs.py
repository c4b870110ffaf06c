"""Starting the workflow of a task's present run."""

from typing import Protocol

import structlog

from api.services import Services
from api.tasks.kinds.base import RunnableTask
from api.tasks.kinds.table import KINDS
from workflows.errors import TemporaryFailure
from workflows.states import TaskType

log = structlog.get_logger(__name__)


class StartableTask(RunnableTask, Protocol):
    @property
    def type(self) -> TaskType: ...
    @property
    def name(self) -> str: ...
    @property
    def priority(self) -> int: ...


async def start(services: Services, task: StartableTask) -> None:
    """Start the workflow of a run. A repeat changes nothing.

    Raises:
        TemporaryFailure: Temporal cannot be reached.
    """
    kind = KINDS[task.type]
    message = await kind.message(services, task)
    await services.temporal.start(kind.workflow, message, name=task.name, priority=task.priority)


async def start_soon(services: Services, task: StartableTask) -> None:
    """Start a run whose row is written: now, or else the sweeper does."""
    try:
        await start(services, task)
    except TemporaryFailure as failure:
        log.warning("task.start_delayed", task_id=str(task.id), reason=str(failure))
