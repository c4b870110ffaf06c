"""Reading what happened within a task: its attempts, and how they nest in time."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlmodel import col

from activities.store.database import Database
from activities.store.tables import ExecutionLog, SubTask, Task
from api import schemas
from api.errors import NotFound
from api.paging import Cursor, cut
from api.queries import AnyRow, AnySelect

# A page of logs ends early here, whatever its limit; one attempt is always given whole.
MAX_PAGE_BYTES = 8 * 1024 * 1024
MAX_SPANS = 5_000

_ATTEMPT = (
    col(ExecutionLog.id),
    col(ExecutionLog.sub_task_id),
    col(ExecutionLog.run),
    col(ExecutionLog.attempt),
    col(ExecutionLog.status),
    col(ExecutionLog.duration_ms),
    col(ExecutionLog.started_at),
    col(ExecutionLog.finished_at),
)


async def list_attempts(
    database: Database, task_id: UUID, step: str | None, cursor: Cursor | None, limit: int
) -> tuple[Sequence[schemas.Attempt], str | None]:
    """A page of attempts, the oldest first; ``step`` is a name or the id of a sub-task."""
    size = func.octet_length(col(ExecutionLog.stdout)) + func.octet_length(col(ExecutionLog.stderr))
    query = (
        select(*_ATTEMPT, size.label("size"))
        .join(SubTask, col(SubTask.id) == col(ExecutionLog.sub_task_id))
        .where(col(ExecutionLog.task_id) == task_id)
        .order_by(col(ExecutionLog.started_at), col(ExecutionLog.id))
        .limit(limit + 1)
    )
    if step is not None:
        same_id = [col(SubTask.id) == key for key in _as_id(step)]
        query = query.where(or_(col(SubTask.name) == step, *same_id))
    if cursor is not None:
        query = query.where(cursor.after(col(ExecutionLog.started_at), col(ExecutionLog.id)))
    async with database.reading() as connection:
        found = (await connection.execute(query)).all()
        fitting = min(limit, _fitting(found))
        rows, following = cut(found, fitting, lambda row: Cursor(row.started_at, row.id))
        full = await connection.execute(_with_output([row.id for row in rows]))
        return [schemas.Attempt.model_validate(row._asdict()) for row in full], following


async def trace(database: Database, team_id: UUID, task_id: UUID) -> schemas.Span:
    """The task as a tree of spans. Raises ``NotFound``."""
    async with database.reading() as connection:
        task = (
            await connection.execute(
                select(
                    col(Task.name), col(Task.status), col(Task.created_at), col(Task.finished_at)
                ).where(col(Task.id) == task_id, col(Task.team_id) == team_id)
            )
        ).one_or_none()
        if task is None:
            raise NotFound(kind="task", id=task_id)
        steps = (
            await connection.execute(
                select(
                    col(SubTask.id),
                    col(SubTask.name),
                    col(SubTask.task_type),
                    col(SubTask.status),
                    col(SubTask.started_at),
                    col(SubTask.finished_at),
                )
                .where(col(SubTask.task_id) == task_id)
                .order_by(col(SubTask.execution_order))
            )
        ).all()
        attempts = (
            await connection.execute(
                select(*_ATTEMPT)
                .where(col(ExecutionLog.task_id) == task_id)
                .order_by(col(ExecutionLog.started_at))
                .limit(MAX_SPANS)
            )
        ).all()
    return _span("task", task.name, task, task.created_at, [_step(row, attempts) for row in steps])


def _with_output(ids: Sequence[UUID]) -> AnySelect:
    return (
        select(
            *_ATTEMPT,
            col(ExecutionLog.worker_id),
            col(ExecutionLog.exit_code),
            col(ExecutionLog.tokens_used),
            col(ExecutionLog.stdout),
            col(ExecutionLog.stderr),
            col(ExecutionLog.error),
            col(SubTask.name).label("step"),
        )
        .join(SubTask, col(SubTask.id) == col(ExecutionLog.sub_task_id))
        .where(col(ExecutionLog.id).in_(ids))
        .order_by(col(ExecutionLog.started_at), col(ExecutionLog.id))
    )


def _step(row: AnyRow, attempts: Sequence[AnyRow]) -> schemas.Span:
    own = [item for item in attempts if item.sub_task_id == row.id]
    children = [
        _span("attempt", f"run {item.run}, attempt {item.attempt}", item, item.started_at, [])
        for item in own
    ]
    # A retry by a person empties the times of the step; those of its earlier attempts stay.
    start = children[0].start if children else row.started_at
    return _span(row.task_type, row.name, row, start, children)


def _span(
    kind: str, name: str, row: AnyRow, start: datetime | None, children: list[schemas.Span]
) -> schemas.Span:
    return schemas.Span(
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


def _fitting(rows: Sequence[AnyRow]) -> int:
    """How many rows, at least one, have logs that fit into a page."""
    total_bytes = 0
    for count, row in enumerate(rows):
        total_bytes += row.size
        if total_bytes > MAX_PAGE_BYTES:
            return max(count, 1)
    return max(len(rows), 1)


def _as_id(text: str) -> list[UUID]:
    try:
        return [UUID(text)]
    except ValueError:
        return []
