"""What people do to a task that has not ended: cancel, pause, resume.

A pause is written down once the workflow has its signal, and a resume takes back only the pause
that it has seen. So of two people at odds none leaves a task that pauses and does not let itself be
resumed; at worst one may be resumed that does not pause, which changes nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import MappingProxyType
from uuid import UUID

from pydantic import JsonValue

from activities.store import audit, tasks
from activities.store.audit import Actor, Deed
from activities.store.reading.tasks import StoredTask
from api.errors import StateConflict
from api.services import Services
from api.tasks.lookup import load_task
from api.tasks.temporal import Execution, Signal
from workflows.contracts import TaskClose
from workflows.states import Status, TaskType

_TRIES = 3


async def cancel(
    services: Services,
    actor: Actor,
    task_id: UUID,
    *,
    note: str = "",
    details: Mapping[str, JsonValue] = MappingProxyType({}),
) -> Status:
    """Ask a task to stop; a repeat changes nothing.

    Raises:
        NotFound, StateConflict, TemporaryFailure
    """
    task = await load_task(services.database, actor.team_id, task_id)
    _check_own(task, "cancelled")
    if task.status is Status.CANCELLED:
        return task.status
    _check_alive(task, "cancelled")
    if await tell(services, task, services.temporal.cancel) or await _close(services, task):
        deed = Deed("task.cancelled", str(task.id), note, details)
        await audit.record(services.database, actor, deed, once=f"{task.id} {task.run}")
    return (await load_task(services.database, actor.team_id, task_id)).status


async def pause(services: Services, actor: Actor, task_id: UUID) -> Status:
    """Pause a task before its next step or turn; the running one finishes first.

    Raises:
        NotFound, StateConflict, TemporaryFailure
    """
    task = await load_task(services.database, actor.team_id, task_id)
    _check_own(task, "paused")
    _check_alive(task, "paused")
    if task.status is not Status.PAUSED:
        await _signal(services, task, "pause")
        is_repeated = task.pause_requested_at is not None
        await tasks.request_pause(
            services.database, actor, task.id, task.run, is_repeated=is_repeated
        )
    return task.status


async def resume(services: Services, actor: Actor, task_id: UUID) -> Status:
    """Resume a paused task, or withdraw a requested pause.

    Raises:
        NotFound, StateConflict, TemporaryFailure
    """
    task = await load_task(services.database, actor.team_id, task_id)
    _check_own(task, "resumed")
    _check_alive(task, "resumed")
    if task.status is not Status.PAUSED and task.pause_requested_at is None:
        raise StateConflict(id=task.id, action="resumed", reason=f"it is {task.status}, not paused")
    await _signal(services, task, "resume")
    seen = task.pause_requested_at
    await tasks.request_resume(services.database, actor, task.id, task.run, seen)
    return task.status


async def _close(services: Services, task: StoredTask) -> bool:
    """End a task of which nothing could write the end: it was never started, or is gone."""
    return await tasks.close_task(
        services.database,
        TaskClose(task_id=task.id, team_id=task.team_id, run=task.run, status=Status.CANCELLED),
    )


def _check_own(task: StoredTask, action: str) -> None:
    """Raises ``StateConflict`` for an exchange: its agent is what people act on."""
    if task.type is TaskType.EXCHANGE:
        reason = f"it is what agent {task.parent_id} does now: interrupt, pause or resume that"
        raise StateConflict(id=task.id, action=f"{action} by itself", reason=reason)


def _check_alive(task: StoredTask, action: str) -> None:
    if task.status.is_final:
        reason = f"it has already ended ({task.status})"
        raise StateConflict(id=task.id, action=action, reason=reason)


async def tell(
    services: Services, task: StoredTask, say: Callable[[UUID, Execution], Awaitable[bool]]
) -> bool:
    """Say something to the workflow of a task's present run. False when none is running.

    An agent's may continue as new between the question which one it is and the word to it.
    """
    for _ in range(_TRIES):
        found = await services.temporal.find(task.id)
        if found is None or found.run != task.run or not found.is_running:
            return False
        if await say(task.id, found):
            return True
    return False


async def _signal(services: Services, task: StoredTask, signal: Signal) -> None:
    if not await tell(services, task, partial(services.temporal.signal, signal=signal)):
        reason = "no workflow is running it at the moment; try again in a few seconds"
        raise StateConflict(id=task.id, action=f"{signal}d", reason=reason)
