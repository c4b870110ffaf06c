"""Starting the workflow of a task's present run."""

import asyncio
from functools import partial
from typing import Protocol
from uuid import UUID

import structlog

from activities.kinds.base import RunnableTask
from activities.kinds.table import KINDS
from activities.store.reading.tasks import find_task_of_any_team
from api.services import Services
from api.tasks.appearance import ShownTask, of_task
from workflows.errors import TemporaryFailure
from workflows.states import Status

# How long the answer to a submission is held back for its start.
WAIT_SECONDS = 0.5

log = structlog.get_logger(__name__)


class StartableTask(RunnableTask, ShownTask, Protocol):
    @property
    def priority(self) -> int: ...


async def start(services: Services, task: StartableTask) -> None:
    """Start the workflow of a run. A repeat changes nothing.

    Raises:
        TemporaryFailure: Temporal cannot be reached.
    """
    kind = KINDS[task.type]
    message = await kind.message(services.installed, task)
    limits = await services.limits.limits()
    await services.temporal.start(
        kind.workflow,
        message,
        appearance=await of_task(services, task),
        priority=task.priority,
        weight=limits.weights.get(message.team_id),
    )


async def start_soon(services: Services, task: StartableTask) -> None:
    """Start a run whose row is written: now, in its turn, or else the sweeper does.

    Whoever submitted it waits for a start that begins at once, for a moment.
    """
    starts, has_room = services.starts, services.starts.has_room
    due = partial(_start, services, task) if has_room else partial(_start_stored, services, task.id)
    try:
        started = starts.add((task.id, task.run), task.priority, due)
        if has_room:
            await asyncio.wait_for(asyncio.shield(started), WAIT_SECONDS)
    except (TemporaryFailure, TimeoutError) as failure:
        reason = str(failure) or "Temporal is slow"
        log.warning("task.start_delayed", task_id=str(task.id), reason=reason)


async def _start(services: Services, task: StartableTask) -> None:
    try:
        await start(services, task)
    except TemporaryFailure as failure:
        log.warning("task.not_started", task_id=str(task.id), reason=str(failure))
        raise


async def _start_stored(services: Services, task_id: UUID) -> None:
    """Start a task that had to wait, as it is by now. Only its id was kept: many may wait."""
    task = await find_task_of_any_team(services.database, task_id)
    if task is not None and task.status is Status.PENDING:
        await _start(services, task)
