"""Writing the rows of tasks. Each function is one transaction, and safe to repeat."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import and_, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store import events
from activities.store.database import Database
from activities.store.events import EventDraft
from activities.store.tables import SubTask, Task
from workflows.contracts import TaskClose, TaskMark
from workflows.states import FINAL, Status, TaskType


@dataclass(frozen=True, slots=True)
class NewSubTask:
    """A part of a task that is known before it begins, such as a step of a pipeline.

    ``dependencies`` are names of others.
    """

    id: UUID
    name: str
    type: str
    definition: Mapping[str, JsonValue]
    dependencies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task that was accepted, with its sub-tasks in their order.

    ``request_digest`` tells a repeated request from another one.
    """

    id: UUID
    team_id: UUID
    type: TaskType
    name: str
    definition: Mapping[str, JsonValue]
    sub_tasks: Sequence[NewSubTask] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    prompt: str | None = None
    priority: int = 5
    idempotency_key: str | None = None
    request_digest: str | None = None
    run: int = field(default=1, init=False)
    first_step: int = field(default=0, init=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """``id`` is that of the earlier task when the idempotency key was used before."""

    id: UUID
    is_new: bool
    request_digest: str | None


async def create_task(database: Database, task: NewTask) -> Accepted:
    """Write a task and its sub-tasks, all or nothing."""
    if await database.execute(_CREATE, _new_row(task)):
        return Accepted(id=task.id, is_new=True, request_digest=task.request_digest)
    async with database.reading(fresh=True) as connection:
        return await _earlier(connection, task)


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
    """End a run, with the sub-task that ended it. False when it has ended already.

    Every sub-task that has begun ends with it, and with a cancelled one those that have not.
    """
    values = {
        "task_id": close.task_id,
        "run": close.run,
        "status": close.status,
        "sub_task_id": close.sub_task_id if close.status is not Status.COMPLETED else None,
        "all_sub_tasks": close.status is Status.CANCELLED,
        "error": close.failure and close.failure.model_dump_json(exclude_none=True),
        "code": close.failure and close.failure.code,
        "final": [str(status) for status in FINAL],
        "channel": events.CHANNEL,
    }
    return bool(await database.execute(_CLOSE, values))


async def restart_task(
    database: Database,
    task_id: UUID,
    run: int,
    *,
    first_step: int,
    again: Collection[UUID] = (),
    inputs: Mapping[str, str],
) -> bool:
    """Make a task whose run number ``run`` has ended ready for the next.

    The sub-tasks ``again`` start anew; the others keep what they made. False when somebody else
    was faster.
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
                first_step=first_step,
                executions=[],
                inputs=dict(inputs),
                result=None,
                error=None,
                started_at=None,
                finished_at=None,
                updated_at=func.now(),
            )
            .returning(col(Task.id))
        )
        if changed is None:
            return False
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


def _new_row(task: NewTask) -> dict[str, Any]:
    return {
        "id": task.id,
        "team_id": task.team_id,
        "type": task.type,
        "name": task.name,
        "prompt": task.prompt,
        "priority": task.priority,
        "definition": json.dumps(task.definition),
        "inputs": json.dumps(dict(task.inputs)),
        "idempotency_key": task.idempotency_key,
        "request_digest": task.request_digest,
        "sub_tasks": json.dumps(_sub_task_rows(task.sub_tasks)),
        "channel": events.CHANNEL,
    }


def _sub_task_rows(sub_tasks: Sequence[NewSubTask]) -> Sequence[dict[str, Any]]:
    return [
        {
            "id": str(item.id),
            "name": item.name,
            "task_type": item.type,
            "dependencies": item.dependencies,
            "input_context": item.definition,
            "execution_order": order,
        }
        for order, item in enumerate(sub_tasks)
    ]


def _status_event(status: Status) -> EventDraft:
    return EventDraft(type="task.status", data={"status": status.value})


# One statement each: see `attempts`. The error of a task is its step's own account of the failure,
# where there is one of the same kind, for that says more than workflow history may hold. The step
# that ended the run is told so here because its worker may have died before it could. What else has
# begun when the run ends, such as other calls of an agent, did not fail: it was cut off.
_CREATE = text(
    """
    WITH task AS (
        INSERT INTO tasks
            (id, team_id, type, name, prompt, priority, status, definition, inputs, run,
             first_step, event_seq, idempotency_key, request_digest)
        VALUES
            (:id, :team_id, :type, :name, :prompt, :priority, 'pending',
             CAST(:definition AS jsonb), CAST(:inputs AS jsonb), 1, 0, 1, :idempotency_key,
             :request_digest)
        ON CONFLICT ON CONSTRAINT tasks_idempotency DO NOTHING
        RETURNING id, team_id
    ), step AS (
        INSERT INTO sub_tasks
            (id, team_id, task_id, parent_id, name, task_type, status, dependencies,
             input_context, retry_count, execution_order)
        SELECT x.id, task.team_id, task.id, task.id, x.name, x.task_type, 'pending',
               x.dependencies, x.input_context, 0, x.execution_order
        FROM task, jsonb_to_recordset(CAST(:sub_tasks AS jsonb)) AS x(
            id uuid, name text, task_type text, dependencies jsonb, input_context jsonb,
            execution_order int
        )
    ), event AS (
        INSERT INTO events (task_id, seq, team_id, type, data)
        SELECT id, 1, team_id, 'task.status', '{"status": "pending"}' FROM task
    )
    SELECT id, pg_notify(:channel, CAST(id AS text)) FROM task
    """
)

_CLOSE = text(
    """
    WITH told AS (
        SELECT error FROM sub_tasks WHERE id = :sub_task_id AND error ->> 'code' = :code
    ), task AS (
        UPDATE tasks
        SET status = :status, finished_at = now(), updated_at = now(), event_seq = event_seq + 1,
            error = coalesce((SELECT error FROM told), CAST(:error AS jsonb))
        WHERE id = :task_id AND run = :run AND status <> ALL (CAST(:final AS text[]))
        RETURNING id, team_id, event_seq, error
    ), step AS (
        UPDATE sub_tasks
        SET status = CASE WHEN sub_tasks.id = :sub_task_id THEN :status ELSE 'cancelled' END,
            phase = NULL, error = task.error, next_attempt_at = NULL,
            finished_at = coalesce(finished_at, now())
        FROM task
        WHERE sub_tasks.task_id = task.id AND sub_tasks.status <> 'completed'
          AND (sub_tasks.id = :sub_task_id
               OR ((:all_sub_tasks OR sub_tasks.status <> 'pending')
                   AND sub_tasks.status <> ALL (CAST(:final AS text[]))))
    ), log AS (
        UPDATE execution_logs
        SET status = :status, error = task.error, finished_at = now()
        FROM task
        WHERE execution_logs.task_id = task.id AND execution_logs.status = 'running'
    ), event AS (
        INSERT INTO events (task_id, seq, team_id, type, data)
        SELECT id, event_seq, team_id, 'task.status',
               jsonb_strip_nulls(jsonb_build_object('status', :status, 'error', error))
        FROM task
    )
    SELECT id, pg_notify(:channel, CAST(id AS text)) FROM task
    """
)
