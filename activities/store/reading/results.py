"""What the finished steps of a task gave: files, output, exit code."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store.any_of import is_any_of
from activities.store.database import Database
from activities.store.tables import ExecutionLog, SubTask, TaskArtifact
from activities.units import MEBIBYTE
from workflows.pipeline_contracts import step_sub_task_id
from workflows.states import Status

# What all items of a step have printed is joined for whoever refers to it, up to here.
MAX_JOINED_BYTES = 16 * MEBIBYTE


@dataclass(frozen=True, slots=True)
class ResultFile:
    """``item`` is the number of the item that made it, of a step that has items."""

    id: UUID
    name: str
    size: int
    sha256: str
    item: int | None = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """``stdout`` is None unless it was asked for. Of a step with items ``printed`` has that of
    each, in their order; ``is_cut``: together that is too long to be read."""

    exit_code: int
    files: tuple[ResultFile, ...]
    stdout: str | None = None
    printed: tuple[str, ...] | None = None
    is_cut: bool = False


async def results_of(
    database: Database, task_id: UUID, steps: Collection[str], *, with_stdout: Collection[str]
) -> dict[str, StepResult]:
    """The results of those of ``steps`` that are completed."""
    if not steps:
        return {}
    names = {step_sub_task_id(task_id, step): step for step in steps}
    # The primary: a replica might not have heard yet of the step that ended a moment ago.
    async with database.reading(fresh=True) as connection:
        outputs = await _outputs(connection, names)
        items = await _items(connection, outputs)
        files = await _files(connection, outputs.keys() - items.keys(), items)
        # A step without items is its own and only part.
        parts = {key: items.get(key, [key]) for key in outputs if names[key] in with_stdout}
        is_cut = await _too_long(connection, parts)
        printed = await _stdout(
            connection, {key: part for key, part in parts.items() if key not in is_cut}
        )
    return {
        names[key]: StepResult(
            exit_code=int(output["exit_code"] or 0),
            files=tuple(files.get(key, ())),
            is_cut=key in is_cut,
            **_words(output, [printed.get(part) for part in parts.get(key, ())]),
        )
        for key, output in outputs.items()
    }


class _Words(TypedDict):
    stdout: str | None
    printed: tuple[str, ...] | None


def _words(output: Mapping[str, Any], printed: Sequence[str | None]) -> _Words:
    if "items" not in output:
        return _Words(stdout=next(iter(printed), None), printed=None)
    texts = tuple(text or "" for text in printed)
    joined = "".join(text if text.endswith("\n") else f"{text}\n" for text in texts if text)
    return _Words(stdout=joined, printed=texts)


async def _outputs(
    connection: AsyncConnection, names: Mapping[UUID, str]
) -> dict[UUID, dict[str, Any]]:
    rows = await connection.execute(
        select(col(SubTask.id), col(SubTask.output_result)).where(
            is_any_of(col(SubTask.id), names), col(SubTask.status) == Status.COMPLETED
        )
    )
    return {row[0]: row[1] for row in rows}


async def _items(
    connection: AsyncConnection, outputs: Mapping[UUID, Mapping[str, Any]]
) -> Mapping[UUID, list[UUID]]:
    """In their order, by the row of their step."""
    found: dict[UUID, list[UUID]] = {
        key: [] for key, output in outputs.items() if "items" in output
    }
    if found:
        rows = await connection.execute(
            select(col(SubTask.item_of), col(SubTask.id))
            .where(is_any_of(col(SubTask.item_of), found))
            .order_by(col(SubTask.item_index))
        )
        for step, item in rows:
            assert step is not None  # as the query asks
            found[step].append(item)
    return found


async def _files(
    connection: AsyncConnection, whole: Collection[UUID], divided: Collection[UUID]
) -> Mapping[UUID, list[ResultFile]]:
    """By the row of the step, in the order of its items and then by name. Those of ``divided``
    steps are their items'."""
    is_part = or_(
        is_any_of(col(SubTask.item_of), divided),
        is_any_of(col(SubTask.id), whole),
    )
    rows = await connection.execute(
        select(
            func.coalesce(col(SubTask.item_of), col(SubTask.id)),
            col(TaskArtifact.id),
            col(TaskArtifact.name),
            col(TaskArtifact.size),
            col(TaskArtifact.sha256),
            col(SubTask.item_index),
        )
        .join(SubTask, col(SubTask.id) == col(TaskArtifact.sub_task_id))
        .where(is_part, col(TaskArtifact.sha256).is_not(None))
        .order_by(col(SubTask.item_index), col(TaskArtifact.name))
    )
    found: defaultdict[UUID, list[ResultFile]] = defaultdict(list)
    for step, artifact_id, name, size, sha256, item in rows:
        assert sha256 is not None  # as the query asks
        found[step].append(ResultFile(artifact_id, name, size, sha256, item))
    return found


async def _too_long(
    connection: AsyncConnection, parts: Mapping[UUID, Sequence[UUID]]
) -> Collection[UUID]:
    """Steps whose items have printed more than is read."""
    found: set[UUID] = set()
    for step, items in parts.items():
        if len(items) > 1:
            size = await connection.scalar(
                select(func.sum(func.octet_length(col(ExecutionLog.stdout)))).where(
                    is_any_of(col(ExecutionLog.sub_task_id), items),
                    col(ExecutionLog.status) == Status.COMPLETED,
                )
            )
            if (size or 0) > MAX_JOINED_BYTES:
                found.add(step)
    return found


async def _stdout(
    connection: AsyncConnection, parts: Mapping[UUID, Sequence[UUID]]
) -> dict[UUID, str]:
    """By the row of the part that printed it."""
    wanted = [part for each in parts.values() for part in each]
    if not wanted:
        return {}
    rows = await connection.execute(
        select(col(ExecutionLog.sub_task_id), col(ExecutionLog.stdout))
        .where(
            is_any_of(col(ExecutionLog.sub_task_id), wanted),
            col(ExecutionLog.status) == Status.COMPLETED,
        )
        .order_by(col(ExecutionLog.run), col(ExecutionLog.attempt))
    )
    return {row[0]: row[1] for row in rows}
