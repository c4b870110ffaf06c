"""The log of a task: every attempt with what it printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Row, Select, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased
from sqlmodel import col

from activities.store.attempts import SkillUse
from activities.store.database import Database
from activities.store.query import Asked, Query, given
from activities.store.reading.cursor import Cursor, cut, cut_at
from activities.store.reading.identity import ids_in
from activities.store.tables import ExecutionLog, SubTask
from workflows.contracts import Failure
from workflows.states import Status

# A page of logs ends early here, whatever its limit; one attempt is always given whole.
MAX_PAGE_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LoggedAttempt:
    """``number`` counts from 1 within a run; ``step`` is the name of the sub-task."""

    id: UUID
    step: str
    sub_task_id: UUID
    run: int
    number: int
    status: Status
    worker_id: str | None
    exit_code: int | None
    duration_ms: int | None
    tokens_used: int
    stdout: str
    stderr: str
    error: Failure | None
    started_at: datetime
    finished_at: datetime | None
    skill: SkillUse | None = None


async def list_attempts(
    database: Database,
    team_id: UUID,
    task_id: UUID,
    cursor: Cursor | None,
    limit: int,
    *,
    step: str | None = None,
) -> tuple[Sequence[LoggedAttempt], Cursor | None]:
    """A page of attempts, the oldest first; ``step`` is a name or the id of a sub-task, which
    stands for its items as well."""
    size = func.octet_length(col(ExecutionLog.stdout)) + func.octet_length(col(ExecutionLog.stderr))
    query = (
        select(col(ExecutionLog.id), col(ExecutionLog.started_at), size)
        .join(SubTask, col(SubTask.id) == col(ExecutionLog.sub_task_id))
        .where(col(ExecutionLog.task_id) == task_id, col(ExecutionLog.team_id) == team_id)
        .order_by(*_PLACE)
        .limit(limit + 1)
    )
    if step is not None:
        same_id = [col(SubTask.id) == key for key in ids_in(step)]
        of_items = [col(_WHOLE.name) == step, *(col(_WHOLE.id) == key for key in ids_in(step))]
        query = query.outerjoin(_WHOLE, col(_WHOLE.id) == col(SubTask.item_of))
        query = query.where(or_(col(SubTask.name) == step, *same_id, *of_items))
    if cursor is not None:
        query = query.where(cursor.after(*_PLACE))
    async with database.reading() as connection:
        found = (await connection.execute(query)).all()
        places = [Cursor(started_at, key) for key, started_at, _ in found]
        fitting = cut_at([row[2] for row in found], limit, MAX_PAGE_BYTES)
        page, following = cut(places, fitting, lambda place: place)
        rows = await connection.execute(_whole([place.id for place in page]))
        return [_attempt(row) for row in rows], following


async def output_of(asked: Asked, sub_task_id: UUID, max_characters: int) -> str | None:
    """What the last attempt that succeeded printed; None when it is longer, or there is none."""
    printed = await beginning_of(asked, sub_task_id, max_characters + 1)
    return printed if printed and len(printed) <= max_characters else None


async def beginning_of(asked: Asked, sub_task_id: UUID, max_characters: int) -> str | None:
    """As far as that, what the last attempt that succeeded printed; None where there is none."""
    printed: str | None = await _LAST.scalar(asked, sub_task_id=sub_task_id, most=max_characters)
    return printed


async def output_of_items(asked: Asked, step_id: UUID, max_characters: int) -> str | None:
    """What the items of a step have printed, between brackets and commas: a JSON list where each
    has printed JSON. None if it is longer."""
    rows = await _OF_ITEMS.rows(asked, step_id=step_id, most=max_characters + 1)
    printed = [text for (text,) in rows]
    return f"[{','.join(printed)}]" if sum(map(len, printed)) <= max_characters else None


_WHOLE = aliased(SubTask)
_PLACE = (col(ExecutionLog.started_at), col(ExecutionLog.id))
_MOST = given("most", Integer())
_LAST = Query(
    select(func.left(col(ExecutionLog.stdout), _MOST))
    .where(
        col(ExecutionLog.sub_task_id) == given("sub_task_id"),
        col(ExecutionLog.status) == Status.COMPLETED,
    )
    .order_by(col(ExecutionLog.run).desc(), col(ExecutionLog.attempt).desc())
    .limit(1)
)
# Of each item the last that it printed, cut where all of them would be too long anyway.
_OF_ITEMS = Query(
    select(func.left(col(ExecutionLog.stdout), _MOST))
    .join(SubTask, col(SubTask.id) == col(ExecutionLog.sub_task_id))
    .where(
        col(SubTask.item_of) == given("step_id"),
        col(ExecutionLog.status) == Status.COMPLETED,
    )
    .ext(distinct_on(col(SubTask.item_index)))
    .order_by(
        col(SubTask.item_index), col(ExecutionLog.run).desc(), col(ExecutionLog.attempt).desc()
    )
)


def _whole(ids: Sequence[UUID]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            col(ExecutionLog.id),
            col(ExecutionLog.sub_task_id),
            col(ExecutionLog.run),
            col(ExecutionLog.attempt),
            col(ExecutionLog.status),
            col(ExecutionLog.worker_id),
            col(ExecutionLog.exit_code),
            col(ExecutionLog.duration_ms),
            col(ExecutionLog.tokens_used),
            col(ExecutionLog.stdout),
            col(ExecutionLog.stderr),
            col(ExecutionLog.error),
            col(ExecutionLog.started_at),
            col(ExecutionLog.finished_at),
            col(ExecutionLog.skill),
            col(SubTask.name).label("step"),
        )
        .join(SubTask, col(SubTask.id) == col(ExecutionLog.sub_task_id))
        .where(col(ExecutionLog.id).in_(ids))
        .order_by(*_PLACE)
    )


def _attempt(row: Row[*tuple[Any, ...]]) -> LoggedAttempt:
    return LoggedAttempt(
        id=row.id,
        step=row.step,
        sub_task_id=row.sub_task_id,
        run=row.run,
        number=row.attempt,
        status=row.status,
        worker_id=row.worker_id,
        exit_code=row.exit_code,
        duration_ms=row.duration_ms,
        tokens_used=row.tokens_used,
        stdout=row.stdout,
        stderr=row.stderr,
        error=row.error and Failure.model_validate(row.error),
        started_at=row.started_at,
        finished_at=row.finished_at,
        skill=row.skill and SkillUse(**row.skill),
    )
