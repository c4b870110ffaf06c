"""Reading the log of a task: every attempt with what it printed."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlmodel import col

from activities.store.database import Database
from activities.store.tables import ExecutionLog, SubTask
from api.http.paging import Cursor, cut, cut_at
from api.tasks.queries import AnySelect, ids_in
from api.wire import responses

# A page of logs ends early here, whatever its limit; one attempt is always given whole.
MAX_PAGE_BYTES = 8 * 1024 * 1024

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
) -> tuple[Sequence[responses.Attempt], str | None]:
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
        same_id = [col(SubTask.id) == key for key in ids_in(step)]
        query = query.where(or_(col(SubTask.name) == step, *same_id))
    if cursor is not None:
        query = query.where(cursor.after(col(ExecutionLog.started_at), col(ExecutionLog.id)))
    async with database.reading() as connection:
        found = (await connection.execute(query)).all()
        fitting = cut_at([row.size for row in found], limit, MAX_PAGE_BYTES)
        rows, following = cut(found, fitting, lambda row: Cursor(row.started_at, row.id))
        full = await connection.execute(_with_output([row.id for row in rows]))
        return [responses.Attempt.model_validate(row._asdict()) for row in full], following


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
