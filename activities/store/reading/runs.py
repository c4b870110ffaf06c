"""What a task did in a run that has ended: all that an agent said, read, called and made, and what
the steps of a pipeline made."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Row, Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.llm.base import Role
from activities.store.approvals import Approval
from activities.store.database import Database
from activities.store.tables import Message, SubTask, Task, TaskArtifact
from activities.store.turns import CallDefinition
from activities.units import MEBIBYTE
from workflows.states import Status, TaskType

# A pipeline has a hundred steps at most: who said and read more than this did something else.
MAX_MESSAGES = 5_000
MAX_BYTES = 4 * MEBIBYTE

# Calls by which a planner plans, and a router chooses.
_OF_THE_TASK_ITSELF = ("plan", "route")
# As what an agent would have called for a step.
_STEP_TOOLS = {"skill": "run_skill_script", "code": "run_code"}


@dataclass(slots=True)
class Room:
    """How much may still be read: messages, and their bytes."""

    messages: int = MAX_MESSAGES
    bytes: int = MAX_BYTES

    def take(self, messages: int, written: int) -> bool:
        """Whether there was room for so much."""
        self.messages -= messages
        self.bytes -= written
        return self.messages >= 0 and self.bytes >= 0


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A file that a call made."""

    id: UUID
    name: str
    sha256: str
    mime_type: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call, whose result is message ``seq``; ``name`` begins with its number, as in 4.1.

    Or a step of a pipeline, of which ``name`` is the id."""

    seq: int
    name: str
    status: Status
    definition: CallDefinition
    files: tuple[RecordedFile, ...] = ()
    approval: Approval | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def number(self) -> str:
        return self.name.partition(" ")[0]

    @property
    def turn(self) -> int:
        return self.definition.turn


@dataclass(frozen=True, slots=True)
class RecordedMessage:
    """``arguments`` are those of the calls that an assistant's message asks for, as written."""

    seq: int
    role: Role
    content: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """``is_cut``: more was said than is here, and neither messages nor calls are."""

    task_id: UUID
    type: TaskType
    name: str
    status: Status
    prompt: str
    definition: Mapping[str, JsonValue]
    inputs: Mapping[str, str]
    calls: Sequence[RecordedCall] = ()
    messages: Sequence[RecordedMessage] = ()
    is_cut: bool = False


async def find_run(
    database: Database, team_id: UUID, task_id: UUID, *, max_messages: int = MAX_MESSAGES
) -> RecordedRun | None:
    """The present run of a task, as the primary has it; everything in it is in order."""
    async with database.reading(fresh=True) as connection:
        return await run_in(connection, team_id, task_id, Room(max_messages))


async def run_in(
    connection: AsyncConnection, team_id: UUID, task_id: UUID, room: Room
) -> RecordedRun | None:
    """The same, where there is ``room`` for what was said."""
    query = select(
        col(Task.type),
        col(Task.name),
        col(Task.status),
        col(Task.prompt),
        col(Task.definition),
        col(Task.inputs),
    ).where(col(Task.id) == task_id, col(Task.team_id) == team_id, col(Task.deleted_at).is_(None))
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    is_cut = not room.take(*await _size(connection, task_id))
    is_pipeline = row.type is TaskType.PIPELINE
    calls = () if is_cut else await _calls(connection, task_id, is_pipeline=is_pipeline)
    messages = () if is_cut else await _messages(connection, task_id)
    return RecordedRun(
        task_id=task_id,
        type=row.type,
        name=row.name,
        status=row.status,
        prompt=row.prompt or "",
        definition=row.definition or {},
        inputs=row.inputs,
        calls=calls,
        messages=messages,
        is_cut=is_cut,
    )


async def _size(connection: AsyncConnection, task_id: UUID) -> tuple[int, int]:
    """The messages of a task, and their bytes."""
    requests = func.octet_length(func.coalesce(cast(col(Message.requests), Text), ""))
    size = func.sum(func.octet_length(col(Message.content)) + requests)
    query = select(func.count(), size).where(col(Message.task_id) == task_id)
    count, written = (await connection.execute(query)).one()
    return count, written or 0


async def _calls(
    connection: AsyncConnection, task_id: UUID, *, is_pipeline: bool
) -> Sequence[RecordedCall]:
    files = await files_in(connection, task_id)
    rows = await connection.execute(
        select(
            col(SubTask.id),
            col(SubTask.execution_order),
            col(SubTask.name),
            col(SubTask.task_type),
            col(SubTask.status),
            col(SubTask.input_context),
            col(SubTask.approval),
            col(SubTask.started_at),
            col(SubTask.finished_at),
        )
        .where(
            col(SubTask.task_id) == task_id,
            col(SubTask.task_type).not_in(_OF_THE_TASK_ITSELF),
            col(SubTask.item_of).is_(None),
        )
        .order_by(col(SubTask.execution_order))
        .limit(MAX_MESSAGES)
    )
    if is_pipeline:
        return [_call(row, _as_call(row), files) for row in rows]
    found = [row for row in rows if "tool" in row.input_context]
    return [_call(row, CallDefinition.model_validate(row.input_context), files) for row in found]


def _as_call(row: Row[*tuple[Any, ...]]) -> CallDefinition:
    """A step, as the call that would do the same. Its arguments are in the pipeline."""
    tool = _STEP_TOOLS.get(row.task_type) or str(row.input_context.get("tool"))
    return CallDefinition(
        tool=tool, arguments={}, turn=row.execution_order, request_id=row.name, is_retry_safe=True
    )


def _call(
    row: Row[*tuple[Any, ...]],
    definition: CallDefinition,
    files: Mapping[UUID, list[RecordedFile]],
) -> RecordedCall:
    return RecordedCall(
        seq=row.execution_order,
        name=row.name,
        status=row.status,
        definition=definition,
        files=tuple(files.get(row.id, ())),
        approval=row.approval and Approval.model_validate(row.approval),
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


async def files_in(connection: AsyncConnection, task_id: UUID) -> Mapping[UUID, list[RecordedFile]]:
    """By the rows of the calls or steps that made them; those of items belong to their step."""
    rows = await connection.execute(
        select(
            func.coalesce(col(SubTask.item_of), col(SubTask.id)),
            col(TaskArtifact.id),
            col(TaskArtifact.name),
            col(TaskArtifact.sha256),
            col(TaskArtifact.mime_type),
            col(TaskArtifact.created_at),
        )
        .join(SubTask, col(SubTask.id) == col(TaskArtifact.sub_task_id))
        .where(col(TaskArtifact.task_id) == task_id, col(TaskArtifact.sha256).is_not(None))
        .order_by(col(TaskArtifact.created_at), col(TaskArtifact.name))
    )
    found: defaultdict[UUID, list[RecordedFile]] = defaultdict(list)
    for sub_task_id, key, name, sha256, mime_type, created_at in rows:
        assert sha256 is not None  # as the query asks
        found[sub_task_id].append(RecordedFile(key, name, sha256, mime_type, created_at))
    return found


async def _messages(connection: AsyncConnection, task_id: UUID) -> Sequence[RecordedMessage]:
    rows = await connection.execute(
        select(col(Message.seq), col(Message.role), col(Message.content), col(Message.requests))
        .where(col(Message.task_id) == task_id)
        .order_by(col(Message.seq))
    )
    return [
        RecordedMessage(seq, role, content, tuple(item["arguments"] for item in requests or ()))
        for seq, role, content, requests in rows
    ]
