"""Writing the rows of tasks. Each function is one transaction, and safe to repeat."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store import events
from activities.store.database import Database
from activities.store.events import EventDraft
from activities.store.tables import ExecutionLog, SubTask, Task
from workflows.contracts import (
    FINAL,
    Status,
    TaskClose,
    TaskMark,
    TaskType,
    step_sub_task_id,
)
from workflows.definition import Pipeline


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task that was accepted. ``request_digest`` tells a repeated request from another one."""

    id: UUID
    team_id: UUID
    type: TaskType
    name: str
    pipeline: Pipeline
    inputs: dict[str, str] = field(default_factory=dict)
    prompt: str | None = None
    priority: int = 5
    idempotency_key: str | None = None
    request_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """``id`` is that of the earlier task when the idempotency key was used before."""

    id: UUID
    is_new: bool
    request_digest: str | None


async def create_task(database: Database, task: NewTask) -> Accepted:
    """Write a task and its steps, all or nothing."""
    async with database.writing() as connection:
        created = await connection.scalar(
            insert(Task)
            .values(_task_row(task))
            .on_conflict_do_nothing(constraint="tasks_idempotency")
            .returning(col(Task.id))
        )
        if created is None:
            return await _earlier(connection, task)
        await connection.execute(insert(SubTask), _step_rows(task))
        await events.append(connection, task.id, [_status_event(Status.PENDING)])
    return Accepted(id=task.id, is_new=True, request_digest=task.request_digest)


async def mark_task(database: Database, mark: TaskMark) -> None:
    """Set the state of a living task; one that has ended or moved on stays as it is."""
    async with database.writing() as connection:
        changed = await connection.scalar(
            update(Task)
            .where(_alive(mark.task_id, mark.run), col(Task.status) != mark.status)
            .values(status=mark.status, updated_at=func.now())
            .returning(col(Task.id))
        )
        if changed:
            await events.append(connection, mark.task_id, [_status_event(mark.status)])


async def close_task(database: Database, close: TaskClose) -> bool:
    """End a run, with the step that ended it. False when it has ended already."""
    async with database.writing() as connection:
        error = await _error_of(connection, close)
        changed = await connection.scalar(
            update(Task)
            .where(_alive(close.task_id, close.run))
            .values(status=close.status, error=error, finished_at=func.now(), updated_at=func.now())
            .returning(col(Task.id))
        )
        if changed is None:
            return False
        await _close_steps(connection, close, error)
        await events.append(connection, close.task_id, [_status_event(close.status, error)])
    return True


async def restart_task(
    database: Database,
    task_id: UUID,
    run: int,
    pipeline: Pipeline,
    *,
    first: int,
    inputs: dict[str, str],
) -> bool:
    """Make a task whose run number ``run`` has ended ready for the next, from step ``first`` on.

    What the steps before it made is kept. False when somebody else was faster.
    """
    async with database.writing() as connection:
        changed = await connection.scalar(
            update(Task)
            .where(
                col(Task.id) == task_id,
                col(Task.run) == run,
                col(Task.status).in_([str(status) for status in FINAL]),
            )
            .values(
                status=Status.PENDING,
                run=run + 1,
                first_step=first,
                inputs=inputs,
                error=None,
                started_at=None,
                finished_at=None,
                updated_at=func.now(),
            )
            .returning(col(Task.id))
        )
        if changed is None:
            return False
        again = [step_sub_task_id(task_id, step.id) for step in pipeline.steps[first:]]
        await connection.execute(
            update(SubTask)
            .where(col(SubTask.id).in_(again))
            .values(
                status=Status.PENDING,
                phase=None,
                error=None,
                output_result=None,
                retry_count=0,
                next_attempt_at=None,
                worker_id=None,
                started_at=None,
                finished_at=None,
            )
        )
        await events.append(connection, task_id, [_status_event(Status.PENDING)])
    return True


def _alive(task_id: UUID, run: int) -> Any:
    """The fence: a run that has ended, or was followed by another, changes nothing any more."""
    return and_(
        col(Task.id) == task_id,
        col(Task.run) == run,
        col(Task.status).not_in([str(status) for status in FINAL]),
    )


async def _error_of(connection: AsyncConnection, close: TaskClose) -> dict[str, Any] | None:
    """The step's own account of its failure, which says more than workflow history may hold."""
    if close.failure is None:
        return None
    error = close.failure.model_dump(mode="json", exclude_none=True)
    told: dict[str, Any] | None = await connection.scalar(
        select(col(SubTask.error)).where(col(SubTask.id) == close.sub_task_id)
    )
    return told if told and told.get("code") == error["code"] else error


async def _close_steps(
    connection: AsyncConnection, close: TaskClose, error: dict[str, Any] | None
) -> None:
    unfinished = and_(
        col(SubTask.task_id) == close.task_id,
        col(SubTask.status).not_in([str(status) for status in FINAL]),
    )
    if close.sub_task_id is not None and close.status is not Status.COMPLETED:
        # Its worker may have died before it could say how the step ended, and a step that used up
        # its retries said `failed` without knowing that this attempt was the last.
        await connection.execute(
            update(SubTask)
            .where(col(SubTask.id) == close.sub_task_id, col(SubTask.status) != Status.COMPLETED)
            .values(
                status=close.status,
                phase=None,
                error=error,
                next_attempt_at=None,
                finished_at=func.coalesce(col(SubTask.finished_at), func.now()),
            )
        )
    await connection.execute(
        update(ExecutionLog)
        .where(
            col(ExecutionLog.task_id) == close.task_id, col(ExecutionLog.status) == Status.RUNNING
        )
        .values(status=close.status, error=error, finished_at=func.now())
    )
    if close.status is Status.CANCELLED:
        await connection.execute(
            update(SubTask)
            .where(unfinished)
            .values(status=Status.CANCELLED, phase=None, finished_at=func.now())
        )


async def _earlier(connection: AsyncConnection, task: NewTask) -> Accepted:
    row = (
        await connection.execute(
            select(col(Task.id), col(Task.request_digest)).where(
                col(Task.team_id) == task.team_id,
                col(Task.idempotency_key) == task.idempotency_key,
            )
        )
    ).one()
    return Accepted(id=row[0], is_new=False, request_digest=row[1])


def _task_row(task: NewTask) -> dict[str, Any]:
    return {
        "id": task.id,
        "team_id": task.team_id,
        "type": task.type,
        "name": task.name,
        "prompt": task.prompt,
        "priority": task.priority,
        "status": Status.PENDING,
        "definition": task.pipeline.model_dump(mode="json", exclude_defaults=True),
        "inputs": task.inputs,
        "run": 1,
        "first_step": 0,
        "event_seq": 0,
        "idempotency_key": task.idempotency_key,
        "request_digest": task.request_digest,
    }


def _step_rows(task: NewTask) -> Sequence[dict[str, Any]]:
    return [
        {
            "id": step_sub_task_id(task.id, step.id),
            "team_id": task.team_id,
            "task_id": task.id,
            "parent_id": task.id,
            "name": step.id,
            "task_type": step.kind,
            "status": Status.PENDING,
            "dependencies": [previous.id for previous in task.pipeline.steps[index - 1 : index]],
            "input_context": step.model_dump(mode="json", exclude_defaults=True),
            "retry_count": 0,
            "execution_order": index,
        }
        for index, step in enumerate(task.pipeline.steps)
    ]


def _status_event(status: Status, error: dict[str, Any] | None = None) -> EventDraft:
    data: dict[str, Any] = {"status": status.value}
    return EventDraft(type="task.status", data=data | ({"error": error} if error else {}))
