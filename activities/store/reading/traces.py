"""When what happened within a task began and ended."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store.database import Database
from activities.store.tables import ExecutionLog, Message, SubTask, Task
from workflows.states import Status

# Of attempts, of steps or calls, and of answers: what comes after is left out.
MAX_TRACED = 5_000


@dataclass(frozen=True, slots=True)
class TracedAttempt:
    run: int
    number: int
    status: Status
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class TracedStep:
    """A step or a call, whose result is message ``order``; ``kind`` is skill, tool or code.
    ``cached``: it gave the result of an equal step. ``answered_by`` is the tool that was called
    in place of its own.

    An item of a step has the row of that as ``item_of``, and stands behind all steps.

    A node of a plan has the ``order`` of the call that planned it, a ``number``, and as ``inner``
    what happened in the task that runs it, ``child_id``.
    """

    id: UUID
    name: str
    kind: str
    status: Status
    order: int
    started_at: datetime | None
    finished_at: datetime | None
    attempts: Sequence[TracedAttempt] = ()
    number: int | None = None
    inner: "Trace | None" = None
    child_id: UUID | None = None
    answered_by: str | None = None
    cached: bool = False
    item_of: UUID | None = None


@dataclass(frozen=True, slots=True)
class TracedAnswer:
    """What a model said as message ``seq``, for which it took ``duration_ms``."""

    seq: int
    turn: int
    model: str | None
    tokens: int
    duration_ms: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Trace:
    """``answers`` are those of all turns; a task in which nobody speaks has none."""

    name: str
    status: Status
    created_at: datetime
    finished_at: datetime | None
    steps: Sequence[TracedStep]
    answers: Sequence[TracedAnswer]

    @property
    def is_cut(self) -> bool:
        """Whether there may be more than is traced."""
        attempts = sum(len(step.attempts) for step in self.steps)
        inner = [step.inner for step in self.steps if step.inner is not None]
        return MAX_TRACED in (
            *(len(self.steps), len(self.answers), attempts),
            *(sum(len(each.steps) for each in inner), sum(len(each.answers) for each in inner)),
        )


async def find_trace(database: Database, team_id: UUID, task_id: UUID) -> Trace | None:
    """The trace of a task, and of the nodes of a plan; everything in it is in order."""
    speaks = exists().where(col(Message.task_id) == col(Task.id)).correlate(Task)
    query = select(
        col(Task.name), col(Task.status), col(Task.created_at), col(Task.finished_at), speaks
    ).where(col(Task.id) == task_id, col(Task.team_id) == team_id, col(Task.deleted_at).is_(None))
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        name, status, created_at, finished_at, has_messages = row
        rows = (await _steps(connection, team_id, [task_id])).get(task_id, ())
        attempts = await _attempts(connection, team_id, task_id)
        inner = await _inner(connection, team_id, [row.child_id for row in rows if row.child_id])
        steps = [
            replace(_step(row), attempts=attempts.get(row.id, ()), inner=inner.get(row.child_id))
            for row in rows
        ]
        found = await _answers(connection, team_id, [task_id] if has_messages else [])
    return Trace(name, status, created_at, finished_at, steps, found.get(task_id, ()))


async def _inner(
    connection: AsyncConnection, team_id: UUID, task_ids: Sequence[UUID]
) -> Mapping[UUID, Trace]:
    """What happened in the tasks of a plan's nodes, but for single attempts."""
    if not task_ids:
        return {}
    tasks = await connection.execute(
        select(
            col(Task.id),
            col(Task.name),
            col(Task.status),
            col(Task.created_at),
            col(Task.finished_at),
        ).where(col(Task.id).in_(task_ids), col(Task.team_id) == team_id)
    )
    steps = await _steps(connection, team_id, task_ids)
    answers = await _answers(connection, team_id, task_ids)
    return {
        row.id: Trace(
            row.name,
            row.status,
            row.created_at,
            row.finished_at,
            [_step(step) for step in steps.get(row.id, ())],
            answers.get(row.id, ()),
        )
        for row in tasks
    }


async def _steps(
    connection: AsyncConnection, team_id: UUID, task_ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[Row[*tuple[Any, ...]]]]:
    rows = await connection.execute(
        select(
            col(SubTask.task_id),
            col(SubTask.id),
            col(SubTask.name),
            col(SubTask.task_type),
            col(SubTask.status),
            col(SubTask.execution_order),
            col(SubTask.started_at),
            col(SubTask.finished_at),
            col(SubTask.number),
            col(SubTask.child_id),
            col(SubTask.cached),
            col(SubTask.item_of),
            col(SubTask.output_result)["answered_by"].astext.label("answered_by"),
        )
        .where(col(SubTask.task_id).in_(task_ids), col(SubTask.team_id) == team_id)
        .order_by(
            col(SubTask.task_id),
            col(SubTask.item_of).is_not(None),
            col(SubTask.execution_order),
            col(SubTask.number).nulls_first(),
            col(SubTask.item_index),
        )
        .limit(MAX_TRACED)
    )
    found: defaultdict[UUID, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    for row in rows:
        found[row.task_id].append(row)
    return found


def _step(row: Row[*tuple[Any, ...]]) -> TracedStep:
    return TracedStep(
        id=row.id,
        name=row.name,
        kind=row.task_type,
        status=row.status,
        order=row.execution_order,
        started_at=row.started_at,
        finished_at=row.finished_at,
        number=row.number,
        child_id=row.child_id,
        cached=row.cached,
        answered_by=row.answered_by,
        item_of=row.item_of,
    )


async def _attempts(
    connection: AsyncConnection, team_id: UUID, task_id: UUID
) -> Mapping[UUID, Sequence[TracedAttempt]]:
    rows = await connection.execute(
        select(
            col(ExecutionLog.sub_task_id),
            col(ExecutionLog.run),
            col(ExecutionLog.attempt),
            col(ExecutionLog.status),
            col(ExecutionLog.started_at),
            col(ExecutionLog.finished_at),
        )
        .where(col(ExecutionLog.task_id) == task_id, col(ExecutionLog.team_id) == team_id)
        .order_by(col(ExecutionLog.started_at))
        .limit(MAX_TRACED)
    )
    found: defaultdict[UUID, list[TracedAttempt]] = defaultdict(list)
    for sub_task_id, run, number, status, started_at, finished_at in rows:
        attempt = TracedAttempt(run, number, status, started_at, finished_at)
        found[sub_task_id].append(attempt)
    return found


async def _answers(
    connection: AsyncConnection, team_id: UUID, task_ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[TracedAnswer]]:
    found: defaultdict[UUID, list[TracedAnswer]] = defaultdict(list)
    if not task_ids:
        return found
    rows = await connection.execute(
        select(
            col(Message.task_id),
            col(Message.seq),
            col(Message.turn),
            col(Message.model),
            col(Message.prompt_tokens) + col(Message.completion_tokens),
            col(Message.duration_ms),
            col(Message.created_at),
        )
        .where(
            col(Message.task_id).in_(task_ids),
            col(Message.team_id) == team_id,
            col(Message.role) == "assistant",
        )
        .order_by(col(Message.task_id), col(Message.seq))
        .limit(MAX_TRACED)
    )
    for task_id, seq, turn, model, tokens, duration_ms, created_at in rows:
        answer = TracedAnswer(seq, turn, model, tokens, duration_ms, created_at)
        found[task_id].append(answer)
    return found
