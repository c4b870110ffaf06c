"""How what happened within a task nests in time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store.database import Database
from activities.store.tables import ExecutionLog, Message, SubTask, Task
from api.errors import NotFound
from api.tasks.queries import AnyRow
from api.wire.responses import Span
from workflows.states import Status, TaskType

# Of attempts, of steps or calls, and of turns: what comes after is left out.
MAX_SPANS = 5_000

_Attempts = Mapping[UUID, Sequence[AnyRow]]


async def trace(database: Database, team_id: UUID, task_id: UUID) -> Span:
    """The task as a tree of spans. Raises ``NotFound``."""
    async with database.reading() as connection:
        task = await _task(connection, team_id, task_id)
        steps = await _steps(connection, task_id)
        attempts = await _attempts(connection, task_id)
        children = [_step(row, attempts) for row in steps]
        if task.type == TaskType.AGENT:
            answers = await _answers(connection, task_id)
            orders = [row.execution_order for row in steps]
            children = _turns(answers, list(zip(orders, children, strict=True)))
    return _span("task", task.name, task, task.created_at, children)


async def _task(connection: AsyncConnection, team_id: UUID, task_id: UUID) -> AnyRow:
    row = (
        await connection.execute(
            select(
                col(Task.name),
                col(Task.type),
                col(Task.status),
                col(Task.created_at),
                col(Task.finished_at),
            ).where(col(Task.id) == task_id, col(Task.team_id) == team_id)
        )
    ).one_or_none()
    if row is None:
        raise NotFound(kind="task", id=task_id)
    return row


async def _steps(connection: AsyncConnection, task_id: UUID) -> Sequence[AnyRow]:
    rows = await connection.execute(
        select(
            col(SubTask.id),
            col(SubTask.name),
            col(SubTask.task_type),
            col(SubTask.status),
            col(SubTask.execution_order),
            col(SubTask.started_at),
            col(SubTask.finished_at),
        )
        .where(col(SubTask.task_id) == task_id)
        .order_by(col(SubTask.execution_order))
        .limit(MAX_SPANS)
    )
    return rows.all()


async def _attempts(connection: AsyncConnection, task_id: UUID) -> _Attempts:
    rows = await connection.execute(
        select(
            col(ExecutionLog.sub_task_id),
            col(ExecutionLog.run),
            col(ExecutionLog.attempt),
            col(ExecutionLog.status),
            col(ExecutionLog.started_at),
            col(ExecutionLog.finished_at),
        )
        .where(col(ExecutionLog.task_id) == task_id)
        .order_by(col(ExecutionLog.started_at))
        .limit(MAX_SPANS)
    )
    found: defaultdict[UUID, list[AnyRow]] = defaultdict(list)
    for row in rows:
        found[row.sub_task_id].append(row)
    return found


async def _answers(connection: AsyncConnection, task_id: UUID) -> Sequence[AnyRow]:
    """What the model said, in order."""
    rows = await connection.execute(
        select(
            col(Message.seq),
            col(Message.turn),
            col(Message.model),
            (col(Message.prompt_tokens) + col(Message.completion_tokens)).label("tokens"),
            col(Message.duration_ms),
            col(Message.created_at),
        )
        .where(col(Message.task_id) == task_id, col(Message.role) == "assistant")
        .order_by(col(Message.seq))
        .limit(MAX_SPANS)
    )
    return rows.all()


def _turns(answers: Sequence[AnyRow], calls: Sequence[tuple[int, Span]]) -> list[Span]:
    """A turn is an answer of the model and the calls whose results follow it."""
    ends = [row.seq for row in answers[1:]]
    turns = []
    waiting = list(reversed(calls))
    for answer, end in zip(answers, [*ends, None], strict=True):
        made = []
        while waiting and (end is None or waiting[-1][0] < end):
            made.append(waiting.pop()[1])
        turns.append(_turn(answer, made))
    return turns


def _turn(answer: AnyRow, calls: list[Span]) -> Span:
    start = answer.created_at - timedelta(milliseconds=answer.duration_ms or 0)
    said = Span(
        name=f"{answer.model or 'model'}, {answer.tokens:,} tokens",
        kind="llm",
        status=Status.COMPLETED,
        start=start,
        end=answer.created_at,
        duration_ms=answer.duration_ms,
        children=[],
    )
    is_open = any(not call.status.is_final for call in calls)
    end = None if is_open else max([answer.created_at, *(c.end for c in calls if c.end)])
    return Span(
        name=f"turn {answer.turn}",
        kind="turn",
        status=Status.RUNNING if is_open else Status.COMPLETED,
        start=start,
        end=end,
        duration_ms=_duration_ms(start, end),
        children=[said, *calls],
    )


def _step(row: AnyRow, attempts: _Attempts) -> Span:
    children = [
        _span("attempt", f"run {item.run}, attempt {item.attempt}", item, item.started_at, [])
        for item in attempts.get(row.id, ())
    ]
    # A retry by a person empties the times of the step; those of its earlier attempts stay.
    start = children[0].start if children else row.started_at
    return _span(row.task_type, row.name, row, start, children)


def _span(kind: str, name: str, row: AnyRow, start: datetime | None, children: list[Span]) -> Span:
    return Span(
        name=name,
        kind=kind,
        status=row.status,
        start=start,
        end=row.finished_at,
        duration_ms=_duration_ms(start, row.finished_at),
        children=children,
    )


def _duration_ms(start: datetime | None, end: datetime | None) -> int | None:
    if start is None or end is None:
        return None
    return round((end - start).total_seconds() * 1_000)
