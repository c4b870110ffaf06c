"""Making a task that has ended ready for its next run."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import delete, func, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store import audit, events
from activities.store.any_of import is_any_of
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.dead_letters import requeue_letters
from activities.store.housekeeping.errors import PartSwept
from activities.store.housekeeping.progress import require_whole
from activities.store.input_holding import require_inputs
from activities.store.tables import SubTask, Task
from activities.store.task_statements import (
    DESCRIBE_NODE,
    DROP_FILES,
    DROP_ITEMS,
    FOLLOW_STEPS,
    REDEFINE_STEPS,
)
from activities.store.tasks import NewSubTask, sub_task_rows
from workflows.events import TaskStatus
from workflows.states import FINAL, Status


@dataclass(frozen=True, slots=True)
class Redefinition:
    """What a task is from its next run on. Of ``sub_tasks``, which are all that it has then, those
    that it had and that do not start over keep what they made, and so do their items."""

    name: str
    definition: Mapping[str, JsonValue]
    sub_tasks: Sequence[NewSubTask]


@dataclass(frozen=True, slots=True)
class Restart:
    """How a task that has ended begins again: at ``first_step``, with these ``inputs``.

    The sub-tasks ``again`` start over; the others keep what they made. ``descriptions`` are those
    that nodes get, by the ids of their rows; ``cache`` is None if it stays as it was.
    ``unread`` are inputs that nothing of it reads, so that they may be gone.
    ``needs`` are the sweeps that must have left it alone: what they remove, it will read.
    """

    first_step: int
    inputs: Mapping[str, str]
    again: Collection[UUID] = ()
    descriptions: Mapping[UUID, str] = field(default_factory=dict)
    redefined: Redefinition | None = None
    cache: bool | None = None
    needs: Sequence[str] = ()
    unread: Collection[str] = ()
    inner: "InnerRestart | None" = None


@dataclass(frozen=True, slots=True)
class InnerRestart:
    """How the task of a node begins again, which is one of those that start over: in the midst,
    once its plan comes to it. ``run`` is the number of its last run."""

    task_id: UUID
    run: int
    restart: Restart


@dataclass(frozen=True, slots=True)
class Reason:
    """Who has a task run again, with the ``deed`` for the log. ``digest`` tells the request for
    that from others. Where a dead letter is why, ``letter_id``, it must still be open."""

    actor: Actor
    deed: Deed
    digest: str | None = None
    letter_id: UUID | None = None


class _LetterEnded(Exception):
    """Somebody else was faster: nothing of the transaction may stay."""


async def restart_task(
    database: Database, task_id: UUID, run: int, restart: Restart, reason: Reason
) -> bool:
    """Make a task whose run number ``run`` has ended ready for the next; its dead letters are dealt
    with by that. False when somebody else was faster.

    Raises:
        InputsGone, PartSwept
    """
    try:
        async with database.writing() as connection:
            read = {name: r for name, r in restart.inputs.items() if name not in restart.unread}
            await require_inputs(connection, reason.actor.team_id, read)
            return await _restart_all(connection, task_id, run, restart, reason)
    except _LetterEnded:
        return False


async def _restart_all(
    connection: AsyncConnection, task_id: UUID, run: int, restart: Restart, reason: Reason
) -> bool:
    if not await _restart(connection, task_id, run, restart):
        return False
    inner = restart.inner
    while inner is not None:
        # Nobody else has it run: that its plan has ended was seen, and holds by its row.
        await _restart(connection, inner.task_id, inner.run, inner.restart)
        inner = inner.restart.inner
    note = reason.deed.note
    requeued = await requeue_letters(connection, reason.actor, task_id, reason.digest, note)
    if reason.letter_id is not None and reason.letter_id not in requeued:
        raise _LetterEnded
    await audit.note(connection, reason.actor, reason.deed)
    return True


async def _restart(connection: AsyncConnection, task_id: UUID, run: int, restart: Restart) -> bool:
    needs = restart.needs
    if needs and (part := await require_whole(connection, task_id, needs)):
        raise PartSwept(part=part, task_id=task_id)
    if not await _begin_run(connection, task_id, run, restart):
        return False
    if restart.redefined is not None:
        await _redefine(connection, task_id, restart.redefined)
    await connection.execute(
        update(SubTask)
        .where(is_any_of(col(SubTask.id), restart.again))
        .values(
            status=Status.PENDING,
            phase=None,
            error=None,
            output_result=None,
            retry_count=0,
            next_attempt_at=None,
            waits_for=None,
            worker_id=None,
            cached=False,
            started_at=None,
            finished_at=None,
        )
    )
    for node_id, description in restart.descriptions.items():
        await connection.execute(DESCRIBE_NODE, {"id": node_id, "description": description})
    await events.append(connection, task_id, [TaskStatus(status=Status.PENDING)])
    return True


async def _begin_run(
    connection: AsyncConnection, task_id: UUID, run: int, restart: Restart
) -> bool:
    changed = await connection.scalar(
        update(Task)
        .where(
            col(Task.id) == task_id,
            col(Task.run) == run,
            col(Task.status).in_([str(status) for status in FINAL]),
            col(Task.deleted_at).is_(None),
        )
        .values(
            status=Status.PENDING,
            run=run + 1,
            first_step=restart.first_step,
            executions=[],
            pause_requested_at=None,
            inputs=dict(restart.inputs),
            cache=col(Task.cache) if restart.cache is None else restart.cache,
            result=None,
            error=None,
            started_at=None,
            finished_at=None,
            updated_at=func.now(),
        )
        .returning(col(Task.id))
    )
    return changed is not None


async def _redefine(connection: AsyncConnection, task_id: UUID, new: Redefinition) -> None:
    """Sub-tasks that there are no more go with all that they made."""
    await connection.execute(
        update(Task)
        .where(col(Task.id) == task_id)
        .values(name=new.name, definition=dict(new.definition))
    )
    kept = [sub_task.id for sub_task in new.sub_tasks]
    await connection.execute(
        delete(SubTask).where(
            col(SubTask.task_id) == task_id,
            func.coalesce(col(SubTask.item_of), col(SubTask.id)).not_in(kept),
        )
    )
    values = {"task_id": task_id, "sub_tasks": json.dumps(sub_task_rows(new.sub_tasks))}
    await connection.execute(REDEFINE_STEPS, values)
    for statement in (DROP_ITEMS, DROP_FILES, FOLLOW_STEPS):
        await connection.execute(statement, {"task_id": task_id})
