"""Deleting tasks that have ended, with everything that is theirs."""

import time
from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from pydantic import JsonValue

from activities.store.audit import Actor
from activities.store.housekeeping.tasks import NotDeleted, mark_deleted, purge
from api.errors import NotFound, StateConflict
from api.services import Services
from workflows.errors import TemporaryFailure

# Whoever asks waits no longer. Housekeeping removes what is left of a very large task.
_PURGE_SECONDS = 2.0
_ROWS_A_STEP = 2_000


async def delete_task(
    services: Services,
    actor: Actor,
    task_id: UUID,
    *,
    note: str = "",
    details: Mapping[str, JsonValue] = MappingProxyType({}),
) -> None:
    """Delete a task and the tasks of its nodes. From then on nobody is shown it.

    Raises:
        NotFound: there is none, or it was deleted before.
        StateConflict: it has not ended, it is a node, or another task or a schedule still needs a
            file of it.
    """
    try:
        reason = await mark_deleted(services.database, actor, task_id, note, details)
    except LookupError:
        raise NotFound(kind="task", id=task_id) from None
    if reason is not None:
        raise StateConflict(id=task_id, action="deleted", reason=_told(task_id, reason))
    deadline = time.monotonic() + _PURGE_SECONDS
    try:
        while time.monotonic() < deadline:
            if (await purge(services.database, actor.team_id, _ROWS_A_STEP)).is_done:
                return
    except TemporaryFailure:
        return  # It is deleted. Its rows are removed by housekeeping.


def _told(task_id: UUID, reason: NotDeleted) -> str:
    if reason.parent_id is not None:
        return f"it belongs to {reason.parent_id}, a plan or an agent, and goes with that"
    if reason.schedule is not None:
        return (
            f"schedule {reason.schedule!r} gives a file of it to its runs; change its inputs, or"
            " delete it first"
        )
    if reason.by == task_id:
        return f"it is {reason.status}; cancel it first, or wait until it ends"
    return (
        f"task {reason.by}, which belongs to it or was given a file of it, is {reason.status};"
        " cancel that first, or wait until it ends"
    )
