"""Writing what an attempt at a step does. Each function is one transaction, and safe to repeat.

An attempt that was given up for lost may come back late, when the next one is under way: every
write is fenced by the run of the task and the number of the attempt, and then changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store import events
from activities.store.database import Database
from activities.store.events import EventDraft
from activities.store.tables import ArtifactType, ExecutionLog, SubTask, Task, TaskArtifact
from workflows.contracts import FINAL, Failure, Phase, Status, StepCall, StepOutcome
from workflows.definition import Step
from workflows.errors import TaskMoved


@dataclass(frozen=True, slots=True)
class Attempt:
    """``number`` counts from 1 within a run."""

    call: StepCall
    number: int
    worker_id: str

    @property
    def log_id(self) -> UUID:
        return uuid5(self.call.sub_task_id, f"run {self.call.run} attempt {self.number}")


@dataclass(frozen=True, slots=True)
class Begun:
    """What an attempt works with. ``outcome`` is set when the step has succeeded already."""

    step: Step
    inputs: dict[str, str]
    outcome: StepOutcome | None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that came out of a step and lies in the store."""

    name: str
    size: int
    mime_type: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended. ``files`` replace those of earlier attempts at the same step."""

    status: Status
    duration_ms: int
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""
    files: tuple[StoredFile, ...] = ()
    refused: tuple[str, ...] = ()
    failure: Failure | None = None
    next_attempt_at: datetime | None = None
    events: tuple[EventDraft, ...] = ()


def artifact_id(sub_task_id: UUID, name: str, sha256: str) -> UUID:
    """Derived from what it names, so that a repeat gives the same id and the same URL."""
    return uuid5(sub_task_id, f"{name}\n{sha256}")


async def begin(database: Database, attempt: Attempt) -> Begun:
    """Set step and task running.

    Raises:
        TaskMoved: the task has ended or was started again meanwhile.
    """
    call = attempt.call
    async with database.writing() as connection:
        task = (
            await connection.execute(
                update(Task)
                .where(_alive(call))
                .values(
                    status=Status.RUNNING,
                    started_at=func.coalesce(col(Task.started_at), func.now()),
                )
                .returning(col(Task.inputs))
            )
        ).one_or_none()
        if task is None:
            raise TaskMoved(task_id=call.task_id)
        begun = await _finished(connection, call, task[0])
        if begun is None:
            begun = Begun(await _start(connection, attempt), task[0], None)
            await events.append(connection, call.task_id, [_started_event(attempt)])
    return begun


async def set_phase(
    database: Database, attempt: Attempt, phase: Phase | None, drafts: list[EventDraft]
) -> None:
    """Tell where the attempt is, and what it printed since."""
    async with database.writing() as connection:
        if phase is not None:
            changed = await connection.scalar(
                update(SubTask)
                .where(_current(attempt))
                .values(phase=phase)
                .returning(col(SubTask.id))
            )
            if changed is None:
                return
        await events.append(connection, attempt.call.task_id, drafts)


async def end(database: Database, attempt: Attempt, ended: Ended) -> bool:
    """Write an attempt's end, with its files and events. False when it no longer counts."""
    error = ended.failure and ended.failure.model_dump(mode="json", exclude_none=True)
    async with database.writing() as connection:
        changed = await connection.scalar(
            update(SubTask)
            .where(_current(attempt))
            .values(
                status=ended.status,
                phase=None,
                output_result={"exit_code": ended.exit_code, "refused": list(ended.refused)},
                error=error,
                next_attempt_at=ended.next_attempt_at,
                finished_at=func.now() if ended.status.is_final else None,
            )
            .returning(col(SubTask.id))
        )
        if changed is None:
            return False
        await connection.execute(
            update(ExecutionLog)
            .where(col(ExecutionLog.id) == attempt.log_id)
            .values(
                # A failed attempt that will be followed by another is still a failed attempt.
                status=Status.FAILED if ended.status is Status.QUEUED else ended.status,
                exit_code=ended.exit_code,
                duration_ms=ended.duration_ms,
                stdout=ended.stdout,
                stderr=ended.stderr,
                error=error,
                finished_at=func.now(),
            )
        )
        await _replace_files(connection, attempt.call, ended.files)
        await events.append(connection, attempt.call.task_id, list(ended.events))
    return True


# What is still "running" when the next attempt begins was left behind by a worker that died.
_LOST = Failure(code="worker-lost", message="The worker died during this attempt.").model_dump(
    mode="json", exclude_none=True
)


def _alive(call: StepCall) -> Any:
    return and_(
        col(Task.id) == call.task_id,
        col(Task.run) == call.run,
        col(Task.status).not_in([str(status) for status in FINAL]),
    )


def _current(attempt: Attempt) -> Any:
    return and_(
        col(SubTask.id) == attempt.call.sub_task_id,
        col(SubTask.status) == Status.RUNNING,
        col(SubTask.retry_count) == attempt.number - 1,
        col(SubTask.task_id).in_(select(col(Task.id)).where(_alive(attempt.call))),
    )


async def _finished(
    connection: AsyncConnection, call: StepCall, inputs: dict[str, str]
) -> Begun | None:
    files = select(func.count()).where(col(TaskArtifact.sub_task_id) == call.sub_task_id)
    row = (
        await connection.execute(
            select(
                col(SubTask.input_context), col(SubTask.output_result), files.scalar_subquery()
            ).where(col(SubTask.id) == call.sub_task_id, col(SubTask.status) == Status.COMPLETED)
        )
    ).one_or_none()
    if row is None:
        return None
    outcome = StepOutcome(exit_code=row[1]["exit_code"] or 0, files=row[2])
    return Begun(Step.model_validate(row[0]), inputs, outcome)


async def _start(connection: AsyncConnection, attempt: Attempt) -> Step:
    context = await connection.scalar(
        update(SubTask)
        .where(col(SubTask.id) == attempt.call.sub_task_id)
        .values(
            status=Status.RUNNING,
            phase=Phase.PREPARE_ENV,
            retry_count=attempt.number - 1,
            next_attempt_at=None,
            worker_id=attempt.worker_id,
            error=None,
            started_at=func.coalesce(col(SubTask.started_at), func.now()),
        )
        .returning(col(SubTask.input_context))
    )
    if context is None:
        raise TaskMoved(task_id=attempt.call.task_id)
    await connection.execute(
        update(ExecutionLog)
        .where(
            col(ExecutionLog.sub_task_id) == attempt.call.sub_task_id,
            col(ExecutionLog.run) == attempt.call.run,
            col(ExecutionLog.status) == Status.RUNNING,
        )
        .values(status=Status.FAILED, error=_LOST, finished_at=func.now())
    )
    await connection.execute(
        insert(ExecutionLog)
        .values(
            id=attempt.log_id,
            team_id=attempt.call.team_id,
            task_id=attempt.call.task_id,
            sub_task_id=attempt.call.sub_task_id,
            run=attempt.call.run,
            attempt=attempt.number,
            status=Status.RUNNING,
            worker_id=attempt.worker_id,
            tokens_used=0,
            stdout="",
            stderr="",
        )
        .on_conflict_do_nothing()
    )
    return Step.model_validate(context)


async def _replace_files(
    connection: AsyncConnection, call: StepCall, files: tuple[StoredFile, ...]
) -> None:
    rows = [
        {
            "id": artifact_id(call.sub_task_id, file.name, file.sha256),
            "team_id": call.team_id,
            "task_id": call.task_id,
            "sub_task_id": call.sub_task_id,
            "type": ArtifactType.FILE,
            "name": file.name,
            "size": file.size,
            "mime_type": file.mime_type,
            "sha256": file.sha256,
        }
        for file in files
    ]
    await connection.execute(
        delete(TaskArtifact).where(
            col(TaskArtifact.sub_task_id) == call.sub_task_id,
            col(TaskArtifact.id).not_in([row["id"] for row in rows]),
        )
    )
    if rows:
        await connection.execute(insert(TaskArtifact).on_conflict_do_nothing(), rows)


def _started_event(attempt: Attempt) -> EventDraft:
    return EventDraft(
        type="step.started", data={"step": attempt.call.step, "attempt": attempt.number}
    )
