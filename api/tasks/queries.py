"""Reading tasks. Every query names the team: another team's task is not there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store.database import Database
from activities.store.tables import ExecutionLog, Message, SubTask, Task, TaskArtifact
from api.errors import NotFound
from api.http.paging import Cursor, cut
from api.tasks.turns import turns_done
from workflows.definitions.agent import Agent
from workflows.definitions.pipeline import Pipeline
from workflows.states import FINAL, Status, TaskType

AnyRow = Row[*tuple[Any, ...]]
AnySelect = Select[*tuple[Any, ...]]

# Of a task's artifacts so many are shown with it; all of them are at /tasks/{id}/artifacts.
MAX_ARTIFACTS_SHOWN = 1_000
# A pipeline has fewer steps, but an agent may make thousands of calls.
MAX_SUB_TASKS_SHOWN = 1_000
MAX_JSON_CHARACTERS = 64 * 1024


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """``text`` is looked for in name and prompt, whatever the case."""

    statuses: Sequence[Status] = ()
    types: Sequence[TaskType] = ()
    text: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        made: list[ColumnElement[bool]] = []
        if self.statuses:
            made.append(col(Task.status).in_(self.statuses))
        if self.types:
            made.append(col(Task.type).in_(self.types))
        if self.text:
            columns = (col(Task.name), col(Task.prompt))
            made.append(or_(*(c.icontains(self.text, autoescape=True) for c in columns)))
        if self.created_after is not None:
            made.append(col(Task.created_at) > self.created_after)
        if self.created_before is not None:
            made.append(col(Task.created_at) < self.created_before)
        return made


@dataclass(frozen=True, slots=True)
class TaskParts:
    """All that is shown of one task. ``steps`` are also the calls of an agent, which has taken so
    many ``turns`` in its present run."""

    task: AnyRow
    steps: Sequence[AnyRow]
    turns: int = 0
    artifacts: Sequence[AnyRow] = ()
    usage: AnyRow | None = None
    stdout: str | None = None
    """What the last completed step printed, when that is not too long to be a result."""


@dataclass(frozen=True, slots=True)
class StoredTask:
    """What is needed to act on a task."""

    id: UUID
    team_id: UUID
    type: TaskType
    name: str
    priority: int
    status: Status
    run: int
    first_step: int
    inputs: dict[str, str]
    definition: Pipeline | Agent
    event_seq: int


async def list_tasks(
    database: Database, team_id: UUID, wanted: TaskFilter, cursor: Cursor | None, limit: int
) -> tuple[Sequence[TaskParts], str | None]:
    """A page of tasks, the newest first, with their steps' states."""
    query = select(*_TASK_COLUMNS).where(col(Task.team_id) == team_id, *wanted.conditions())
    if cursor is not None:
        query = query.where(cursor.before(col(Task.created_at), col(Task.id)))
    query = query.order_by(col(Task.created_at).desc(), col(Task.id).desc()).limit(limit + 1)
    async with database.reading() as connection:
        found = (await connection.execute(query)).all()
        rows, following = cut(found, limit, lambda row: Cursor(row.created_at, row.id))
        agents = [row.id for row in rows if row.type == TaskType.AGENT]
        steps = await _step_states(connection, [row.id for row in rows], agents)
        turns = await turns_done(connection, agents) if agents else {}
    made = [TaskParts(row, steps.get(row.id, ()), turns.get(row.id, 0)) for row in rows]
    return made, following


async def get_task(database: Database, team_id: UUID, task_id: UUID) -> TaskParts:
    """Raises ``NotFound``."""
    async with database.reading() as connection:
        task = (
            await connection.execute(
                select(
                    *_TASK_COLUMNS, col(Task.definition), col(Task.inputs), col(Task.result)
                ).where(col(Task.id) == task_id, col(Task.team_id) == team_id)
            )
        ).one_or_none()
        if task is None:
            raise NotFound(kind="task", id=task_id)
        latest = _steps_of(task_id).order_by(None).order_by(col(SubTask.execution_order).desc())
        steps = (await connection.execute(latest.limit(MAX_SUB_TASKS_SHOWN))).all()[::-1]
        turns = await turns_done(connection, [task_id]) if task.type == TaskType.AGENT else {}
        artifacts = (
            await connection.execute(_artifacts_of(task_id).limit(MAX_ARTIFACTS_SHOWN))
        ).all()
        usage = (await connection.execute(_usage_of(task_id))).one()
        stdout = await _result_of(connection, steps)
    return TaskParts(task, steps, turns.get(task_id, 0), artifacts, usage, stdout)


async def load_task(database: Database, team_id: UUID, task_id: UUID) -> StoredTask:
    """A task to act on, read from the primary. Raises ``NotFound``."""
    task = await find_stored(database, task_id)
    if task is None or task.team_id != team_id:
        raise NotFound(kind="task", id=task_id)
    return task


async def find_stored(database: Database, task_id: UUID) -> StoredTask | None:
    """As ``load_task``, whatever its team: not for what a client asks."""
    columns = [col(getattr(Task, name)) for name in _STORED]
    async with database.reading(fresh=True) as connection:
        row = (
            await connection.execute(select(*columns).where(col(Task.id) == task_id))
        ).one_or_none()
    if row is None:
        return None
    kind = TaskType(row.type)
    definition = (Agent if kind is TaskType.AGENT else Pipeline).model_validate(row.definition)
    values = {"status": Status(row.status), "type": kind, "definition": definition}
    return StoredTask(**row._asdict() | values)


async def check_task(database: Database, team_id: UUID, task_id: UUID) -> None:
    """Raises ``NotFound``."""
    async with database.reading() as connection:
        found = await connection.scalar(
            select(col(Task.id)).where(col(Task.id) == task_id, col(Task.team_id) == team_id)
        )
    if found is None:
        raise NotFound(kind="task", id=task_id)


async def step_states(database: Database, task_id: UUID) -> Mapping[UUID, tuple[str, Status]]:
    """Of each step, by the id of its row, name and state, in their order."""
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(_steps_of(task_id))
        return {row.id: (row.name, Status(row.status)) for row in rows}


async def list_artifacts(
    database: Database, task_id: UUID, cursor: Cursor | None, limit: int
) -> Sequence[AnyRow]:
    """One more than ``limit`` artifacts, if there are as many."""
    query = _artifacts_of(task_id).limit(limit + 1)
    if cursor is not None:
        query = query.where(cursor.after(col(TaskArtifact.created_at), col(TaskArtifact.id)))
    async with database.reading() as connection:
        return (await connection.execute(query)).all()


def ids_in(text: str) -> list[UUID]:
    """A text as an id, if it is one: whoever names a sub-task may give its name instead."""
    try:
        return [UUID(text)]
    except ValueError:
        return []


def _artifacts_of(task_id: UUID) -> AnySelect:
    """The oldest first."""
    return (
        select(
            col(TaskArtifact.id),
            col(TaskArtifact.name),
            col(TaskArtifact.type),
            col(TaskArtifact.size),
            col(TaskArtifact.mime_type),
            col(TaskArtifact.sha256),
            col(TaskArtifact.url),
            col(TaskArtifact.created_at),
            col(TaskArtifact.sub_task_id),
            col(SubTask.name).label("step"),
        )
        .join(SubTask, col(SubTask.id) == col(TaskArtifact.sub_task_id))
        .where(col(TaskArtifact.task_id) == task_id)
        .order_by(col(TaskArtifact.created_at), col(TaskArtifact.id))
    )


_STORED = tuple(StoredTask.__dataclass_fields__)

_TASK_COLUMNS = (
    col(Task.id),
    col(Task.type),
    col(Task.name),
    col(Task.status),
    col(Task.prompt),
    col(Task.priority),
    col(Task.run),
    col(Task.error),
    col(Task.created_at),
    col(Task.started_at),
    col(Task.finished_at),
    col(Task.definition)["limits"]["turns"].astext.label("turn_limit"),
)
_OPEN = [str(status) for status in Status if status not in FINAL]


def _steps_of(task_id: UUID) -> AnySelect:
    return (
        select(
            col(SubTask.id),
            col(SubTask.name),
            col(SubTask.task_type),
            col(SubTask.status),
            col(SubTask.phase),
            col(SubTask.execution_order),
            col(SubTask.dependencies),
            col(SubTask.output_result),
            col(SubTask.error),
            col(SubTask.retry_count),
            col(SubTask.next_attempt_at),
            col(SubTask.worker_id),
            col(SubTask.started_at),
            col(SubTask.finished_at),
            col(SubTask.approval),
        )
        .where(col(SubTask.task_id) == task_id)
        .order_by(col(SubTask.execution_order))
    )


async def _step_states(
    connection: AsyncConnection, task_ids: Sequence[UUID], agents: Sequence[UUID]
) -> dict[UUID, list[AnyRow]]:
    """The steps of pipelines, and what is open of the calls of ``agents``."""
    rows = await connection.execute(
        select(col(SubTask.task_id), col(SubTask.name), col(SubTask.status), col(SubTask.phase))
        .where(
            col(SubTask.task_id).in_(task_ids),
            or_(col(SubTask.task_id).not_in(agents), col(SubTask.status).in_(_OPEN)),
        )
        .order_by(col(SubTask.task_id), col(SubTask.execution_order))
    )
    found: dict[UUID, list[AnyRow]] = {}
    for row in rows:
        found.setdefault(row.task_id, []).append(row)
    return found


def _usage_of(task_id: UUID) -> AnySelect:
    attempts = (
        select(
            func.coalesce(func.sum(col(ExecutionLog.tokens_used)), 0).label("tokens"),
            func.count().label("attempts"),
            func.coalesce(func.sum(col(ExecutionLog.duration_ms)), 0).label("ms"),
        )
        .where(col(ExecutionLog.task_id) == task_id)
        .subquery()
    )
    tokens = col(Message.prompt_tokens) + col(Message.completion_tokens)
    answers = (
        select(
            func.coalesce(func.sum(tokens), 0).label("tokens"),
            func.coalesce(func.sum(col(Message.cost_usd)), 0.0).label("cost_usd"),
            func.count().label("turns"),
            func.coalesce(func.sum(col(Message.duration_ms)), 0).label("ms"),
        )
        .where(col(Message.task_id) == task_id, col(Message.role) == "assistant")
        .subquery()
    )
    return select(
        (attempts.c.tokens + answers.c.tokens).label("tokens_used"),
        answers.c.cost_usd,
        answers.c.turns,
        attempts.c.attempts,
        (attempts.c.ms + answers.c.ms).label("duration_ms"),
    ).select_from(attempts.join(answers, true()))


async def _result_of(connection: AsyncConnection, steps: Sequence[AnyRow]) -> str | None:
    completed = [row.id for row in steps if row.status == Status.COMPLETED]
    if not completed:
        return None
    printed: str | None = await connection.scalar(
        select(func.left(col(ExecutionLog.stdout), MAX_JSON_CHARACTERS + 1))
        .where(
            col(ExecutionLog.sub_task_id) == completed[-1],
            col(ExecutionLog.status) == Status.COMPLETED,
        )
        .order_by(col(ExecutionLog.run).desc(), col(ExecutionLog.attempt).desc())
        .limit(1)
    )
    return printed if printed and len(printed) <= MAX_JSON_CHARACTERS else None
