"""Writing the rows of tasks. Each function is one transaction, and safe to repeat."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import TextClause, select
from sqlmodel import col

from activities.store import audit, events
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.dead_letters import write_letters
from activities.store.exchange_ends import settle
from activities.store.input_holding import require_inputs
from activities.store.tables import Task
from activities.store.task_statements import (
    CLOSE,
    CREATE,
    MARK,
    REQUEST_PAUSE,
    REQUEST_RESUME,
)
from workflows.contracts import PLAN_ENDED, Failure, TaskClose, TaskMark
from workflows.definitions.webhook import Notice
from workflows.events import Event, PauseRequested, ResumeRequested, TaskStatus
from workflows.states import Status, TaskType

# Ends that leave a dead letter.
_BAD = (Status.FAILED, Status.BLOCKED)


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
class NewCallback:
    """``origin`` is that of the URL, which tells receivers apart."""

    url: str
    origin: str
    events: Sequence[Notice]


@dataclass(frozen=True, slots=True)
class GivenInput:
    """An input as it was asked for: ``sha256`` is that of its bytes, if the store has them."""

    ref: str
    sha256: str | None = None


GivenInputs = Mapping[str, GivenInput]


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task that was accepted, with its sub-tasks in their order. ``parent_id`` is the plan whose
    node it is.

    ``request_digest`` tells a repeated request from another one, and so do the bytes of its
    ``request_inputs``, whatever they are called. ``cache``: its steps may take the
    results of equal ones. ``callbacks`` are told of it. ``schedule_id`` is the schedule that
    makes it, and ``scheduled_at`` when that run of it was due; ``agent_id`` is the agent that stays
    which begins it, and is told of its end; ``created_by`` is the person who has submitted it.
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
    parent_id: UUID | None = None
    schedule_id: UUID | None = None
    scheduled_at: datetime | None = None
    agent_id: UUID | None = None
    idempotency_key: str | None = None
    request_digest: str | None = None
    request_inputs: GivenInputs | None = None
    cache: bool = True
    callbacks: Sequence[NewCallback] = ()
    created_by: str | None = None
    run: int = field(default=1, init=False)
    first_step: int = field(default=0, init=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """``id`` is that of the earlier task when the idempotency key was used before. ``given`` are
    its inputs as they were asked for; None where an older version has accepted it, and then
    ``inputs`` are what is left of them."""

    id: UUID
    is_new: bool
    request_digest: str | None
    given: GivenInputs | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)


async def create_task(database: Database, task: NewTask) -> Accepted:
    """Write a task and its sub-tasks, all or nothing. A task of the same id stays as it is.

    Raises:
        InputsGone
    """
    if await _write(database, task):
        return Accepted(id=task.id, is_new=True, request_digest=task.request_digest)
    if task.idempotency_key is None:
        return Accepted(id=task.id, is_new=False, request_digest=None)
    earlier = await find_accepted(database, task.team_id, task.idempotency_key)
    # None where the earlier one was deleted just now, and its key with it.
    return await create_task(database, task) if earlier is None else earlier


async def create_refused(database: Database, task: NewTask) -> None:
    """Write a task that is there to say why it cannot be: what it names may be gone."""
    await database.execute(CREATE, row_of(task))


async def _write(database: Database, task: NewTask) -> bool:
    if not task.inputs:
        return bool(await database.execute(CREATE, row_of(task)))
    async with database.writing() as connection:
        await require_inputs(connection, task.team_id, task.inputs)
        return bool((await connection.execute(CREATE, row_of(task))).all())


async def find_accepted(database: Database, team_id: UUID, idempotency_key: str) -> Accepted | None:
    """The task that was accepted under a key, if there is one."""
    columns = (Task.id, Task.request_digest, Task.request_inputs, Task.inputs)
    same_key = select(*map(col, columns)).where(
        col(Task.team_id) == team_id, col(Task.idempotency_key) == idempotency_key
    )
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(same_key)).one_or_none()
    if row is None:
        return None
    written = row.request_inputs
    return Accepted(
        id=row.id,
        is_new=False,
        request_digest=row.request_digest,
        given=written and {name: GivenInput(**each) for name, each in written.items()},
        inputs=row.inputs,
    )


async def mark_task(database: Database, mark: TaskMark) -> None:
    """Set the state of a living task; one that has ended or moved on stays as it is."""
    values = _run(mark.task_id, mark.run, TaskStatus(status=mark.status))
    await database.execute(MARK, {**values, "status": mark.status})


async def request_pause(
    database: Database, actor: Actor, task_id: UUID, run: int, *, is_repeated: bool = False
) -> None:
    """Write down that a run was asked to pause, unless it has ended. ``is_repeated``: it was asked
    before, which makes no second deed."""
    values = _run(task_id, run, PauseRequested())
    deed = None if is_repeated else Deed("task.paused", str(task_id))
    await _ask(database, actor, deed, REQUEST_PAUSE, values)


async def request_resume(
    database: Database, actor: Actor, task_id: UUID, run: int, withdrawn: datetime | None
) -> None:
    """Write down that a run was asked to resume, unless it has ended.

    ``withdrawn`` is the ``pause_requested_at`` that was seen before: a later request stays.
    """
    values = {**_run(task_id, run, ResumeRequested()), "withdrawn": withdrawn}
    await _ask(database, actor, Deed("task.resumed", str(task_id)), REQUEST_RESUME, values)


async def close_task(database: Database, close: TaskClose) -> bool:
    """End a run, with the sub-task that ended it. False when it has ended already.

    Every sub-task that has begun ends with it, and with a cancelled one those that have not. So do
    the tasks of its nodes that have not begun. What an exchange of an agent that stays has come to
    is told in the same transaction.
    """
    unbegun = Failure(
        code=PLAN_ENDED,
        message=f"Its plan, task {close.task_id}, ended ({close.status}) before it began.",
    )
    values = {
        "task_id": close.task_id,
        "run": close.run,
        "status": close.status,
        "sub_task_id": close.sub_task_id if close.status is not Status.COMPLETED else None,
        "all_sub_tasks": close.status is Status.CANCELLED,
        "error": close.failure and close.failure.model_dump_json(exclude_none=True),
        "code": close.failure and close.failure.code,
        "unbegun": unbegun.model_dump_json(exclude_none=True),
    }
    if close.status not in _BAD and close.agent_id is None:
        return bool(await database.execute(CLOSE, values))
    async with database.writing() as connection:
        has_closed = bool((await connection.execute(CLOSE, values)).all())
        if has_closed and close.agent_id is not None:
            await settle(connection, close.agent_id, close.task_id, close.status)
        elif has_closed:
            await write_letters(connection, close.task_id)
    return has_closed


async def find_status(database: Database, task_id: UUID, run: int) -> Status | None:
    """The state of a run; None when it was followed by another, or is gone."""
    same_run = select(col(Task.status)).where(col(Task.id) == task_id, col(Task.run) == run)
    async with database.reading(fresh=True) as connection:
        status = await connection.scalar(same_run)
    return None if status is None else Status(status)


async def _ask(
    database: Database,
    actor: Actor,
    deed: Deed | None,
    statement: TextClause,
    values: Mapping[str, Any],
) -> None:
    async with database.writing() as connection:
        is_changed = (await connection.execute(statement, values)).first() is not None
        if is_changed and deed is not None:
            await audit.note(connection, actor, deed)


def _run(task_id: UUID, run: int, event: Event) -> dict[str, Any]:
    return {"task_id": task_id, "run": run, **events.values([event])}


def row_of(task: NewTask) -> dict[str, Any]:
    given = task.request_inputs
    return {
        "id": task.id,
        "team_id": task.team_id,
        "parent_id": task.parent_id,
        "type": task.type,
        "name": task.name,
        "prompt": task.prompt,
        "priority": task.priority,
        "definition": json.dumps(task.definition),
        "inputs": json.dumps(dict(task.inputs)),
        "schedule_id": task.schedule_id,
        "scheduled_at": task.scheduled_at,
        "agent_id": task.agent_id,
        "idempotency_key": task.idempotency_key,
        "request_digest": task.request_digest,
        "request_inputs": None if given is None else json.dumps(_rows_of_inputs(given)),
        "cache": task.cache,
        "sub_tasks": json.dumps(sub_task_rows(task.sub_tasks)),
        "created_by": task.created_by,
        "callbacks": json.dumps(list(map(asdict, task.callbacks))) if task.callbacks else None,
    }


def _rows_of_inputs(given: GivenInputs) -> dict[str, dict[str, str | None]]:
    return {name: asdict(each) for name, each in given.items()}


def sub_task_rows(sub_tasks: Sequence[NewSubTask]) -> Sequence[dict[str, Any]]:
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
