"""What the finished steps of a task gave: files, output, exit code."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store.database import Database
from activities.store.tables import ExecutionLog, SubTask, TaskArtifact
from workflows.pipeline_contracts import step_sub_task_id
from workflows.states import Status


@dataclass(frozen=True, slots=True)
class ResultFile:
    id: UUID
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StepResult:
    """``stdout`` is None unless it was asked for."""

    exit_code: int
    files: tuple[ResultFile, ...]
    stdout: str | None = None


async def results_of(
    database: Database, task_id: UUID, steps: Collection[str], *, with_stdout: Collection[str]
) -> dict[str, StepResult]:
    """The results of those of ``steps`` that are completed."""
    if not steps:
        return {}
    names = {step_sub_task_id(task_id, step): step for step in steps}
    # The primary: a replica might not have heard yet of the step that ended a moment ago.
    async with database.reading(fresh=True) as connection:
        exit_codes = await _exit_codes(connection, names)
        files = await _files(connection, names)
        printed = await _stdout(
            connection, {key: name for key, name in names.items() if name in with_stdout}
        )
    return {
        step: StepResult(exit_code, tuple(files.get(step, ())), printed.get(step))
        for step, exit_code in exit_codes.items()
    }


async def _exit_codes(connection: AsyncConnection, names: dict[UUID, str]) -> dict[str, int]:
    rows = await connection.execute(
        select(col(SubTask.id), col(SubTask.output_result)).where(
            col(SubTask.id).in_(names), col(SubTask.status) == Status.COMPLETED
        )
    )
    return {names[row[0]]: int(row[1]["exit_code"] or 0) for row in rows}


async def _files(
    connection: AsyncConnection, names: dict[UUID, str]
) -> dict[str, list[ResultFile]]:
    rows = await connection.execute(
        select(
            col(TaskArtifact.sub_task_id),
            col(TaskArtifact.id),
            col(TaskArtifact.name),
            col(TaskArtifact.size),
            col(TaskArtifact.sha256),
        )
        .where(col(TaskArtifact.sub_task_id).in_(names), col(TaskArtifact.sha256).is_not(None))
        .order_by(col(TaskArtifact.name))
    )
    found: dict[str, list[ResultFile]] = {}
    for sub_task_id, artifact_id, name, size, sha256 in rows:
        assert sha256 is not None  # as the query asks
        file = ResultFile(artifact_id, name, size, sha256)
        found.setdefault(names[sub_task_id], []).append(file)
    return found


async def _stdout(connection: AsyncConnection, names: dict[UUID, str]) -> dict[str, str]:
    if not names:
        return {}
    rows = await connection.execute(
        select(col(ExecutionLog.sub_task_id), col(ExecutionLog.stdout))
        .where(
            col(ExecutionLog.sub_task_id).in_(names),
            col(ExecutionLog.status) == Status.COMPLETED,
        )
        .order_by(col(ExecutionLog.run), col(ExecutionLog.attempt))
    )
    return {names[row[0]]: row[1] for row in rows}
