"""The sub-tasks of a task: the steps of a pipeline, the calls of an agent, the nodes of a plan."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Row, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased
from sqlmodel import col

from activities.store.approvals import Approval
from activities.store.database import Database
from activities.store.reading.plan_calls import PLAN_CALL
from activities.store.tables import SubTask, Task
from workflows.contracts import Failure
from workflows.states import LIVING, Phase, Status

_RUNNING = (Status.RUNNING, Status.QUEUED)


@dataclass(frozen=True, slots=True)
class StepState:
    """How far a step is. ``phase`` is None unless it runs.

    ``number`` is that of a node in its plan. A node ``is_out`` that failed or was dropped, and that
    the plan goes on without since it was revised. ``planned`` is how many nodes a call would make
    that waits for a person to approve them; None for all else.
    """

    name: str
    status: Status
    phase: Phase | None
    number: int | None = None
    is_out: bool = False
    planned: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(StepState):
    """A step with how it ended. ``kind`` is skill, tool or code; ``exit_code`` is None until it has
    run; ``refused`` are files that were not taken, and why; ``cached``: it gave the result of an
    equal step. ``child_id`` is the task that runs a
    node, once there is one: a node waits and pauses with it."""

    id: UUID
    kind: str
    order: int
    dependencies: tuple[str, ...]
    exit_code: int | None
    refused: tuple[str, ...]
    error: Failure | None
    retry_count: int
    next_attempt_at: datetime | None
    waits_for: str | None
    worker_id: str | None
    cached: bool
    started_at: datetime | None
    finished_at: datetime | None
    approval: Approval | None
    child_id: UUID | None


@dataclass(frozen=True, slots=True)
class PlacedStep:
    """A step in the order of its task."""

    id: UUID
    name: str
    status: Status


async def list_placed_steps(database: Database, task_id: UUID) -> Sequence[PlacedStep]:
    """All of them, in their order, as the primary has them."""
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(
            select(col(SubTask.id), col(SubTask.name), col(SubTask.status))
            .where(col(SubTask.task_id) == task_id)
            .order_by(col(SubTask.execution_order))
        )
        return [PlacedStep(key, name, status) for key, name, status in rows]


@dataclass(frozen=True, slots=True)
class DefinedStep(PlacedStep):
    """A step as it is defined; ``kind`` is skill, tool or code."""

    kind: str
    definition: Mapping[str, JsonValue]


async def list_defined_steps(database: Database, task_id: UUID) -> Sequence[DefinedStep]:
    """All of them, in their order, as the primary has them."""
    columns = (col(SubTask.task_type), col(SubTask.input_context))
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(
            select(col(SubTask.id), col(SubTask.name), col(SubTask.status), *columns)
            .where(col(SubTask.task_id) == task_id)
            .order_by(col(SubTask.execution_order))
        )
        return [DefinedStep(*row) for row in rows]


async def find_running_step(database: Database, task_id: UUID) -> UUID | None:
    """The first one that runs or waits for another attempt."""
    async with database.reading(fresh=True) as connection:
        return await connection.scalar(
            select(col(SubTask.id))
            .where(col(SubTask.task_id) == task_id, col(SubTask.status).in_(_RUNNING))
            .order_by(col(SubTask.execution_order))
            .limit(1)
        )


async def latest_steps(
    connection: AsyncConnection, team_id: UUID, task_id: UUID, limit: int
) -> Sequence[Step]:
    """The last ``limit`` ones, in their order."""
    rows = await connection.execute(
        select(
            col(SubTask.id),
            col(SubTask.name),
            col(SubTask.task_type),
            LIVE_STATUS.label("status"),
            col(SubTask.phase),
            col(SubTask.execution_order),
            col(SubTask.number),
            col(CHILD.id).label("child_id"),
            col(SubTask.dependencies),
            col(SubTask.output_result),
            col(SubTask.error),
            col(SubTask.retry_count),
            col(SubTask.next_attempt_at),
            col(SubTask.waits_for),
            col(SubTask.worker_id),
            col(SubTask.cached),
            col(SubTask.started_at),
            col(SubTask.finished_at),
            col(SubTask.approval),
            _PLANNED.label("planned"),
        )
        .outerjoin(CHILD, col(CHILD.id) == col(SubTask.child_id))
        .where(col(SubTask.task_id) == task_id, col(SubTask.team_id) == team_id)
        .order_by(col(SubTask.execution_order).desc(), col(SubTask.number).desc().nulls_last())
        .limit(limit)
    )
    return [_step(row) for row in rows][::-1]


async def step_states(
    connection: AsyncConnection,
    team_id: UUID,
    task_ids: Collection[UUID],
    *,
    only_open: Collection[UUID],
) -> Mapping[UUID, Sequence[StepState]]:
    """The steps of many tasks, in their order; of ``only_open`` those that have not ended."""
    rows = await connection.execute(
        select(
            col(SubTask.task_id),
            col(SubTask.name),
            col(SubTask.status),
            col(SubTask.phase),
            col(SubTask.number),
            IS_OUT,
            _PLANNED,
        )
        .where(
            col(SubTask.task_id).in_(task_ids),
            col(SubTask.team_id) == team_id,
            or_(col(SubTask.task_id).not_in(only_open), col(SubTask.status).in_(LIVING)),
        )
        .order_by(
            col(SubTask.task_id),
            col(SubTask.execution_order),
            col(SubTask.number).nulls_first(),
        )
    )
    found: defaultdict[UUID, list[StepState]] = defaultdict(list)
    for task_id, *state in rows:
        found[task_id].append(StepState(*state))
    return found


CHILD = aliased(Task)
# What a node's row cannot know: that the task which runs it waits for somebody, or was paused.
LIVE_STATUS = case(
    (
        (col(SubTask.status) == Status.RUNNING)
        & col(CHILD.status).in_((Status.WAITING, Status.PAUSED)),
        col(CHILD.status),
    ),
    else_=col(SubTask.status),
)
IS_OUT = or_(
    *(col(SubTask.output_result)[key].astext.is_not(None) for key in ("replaced", "dropped"))
)

_NODES = col(SubTask.input_context)[("arguments", "nodes")]
_PLANNED = case(
    (
        (col(SubTask.task_type) == PLAN_CALL)
        & col(SubTask.number).is_(None)
        & (col(SubTask.status) == Status.WAITING),
        # A task that is not to be split is one node, which nobody has written down.
        case(
            (
                func.jsonb_typeof(_NODES) == "array",
                func.greatest(func.jsonb_array_length(_NODES), 1),
            ),
            else_=1,
        ),
    ),
)


def _step(row: Row[*tuple[Any, ...]]) -> Step:
    output = row.output_result or {}
    return Step(
        id=row.id,
        name=row.name,
        kind=row.task_type,
        status=row.status,
        phase=row.phase,
        number=row.number,
        planned=row.planned,
        is_out=any(output.get(key) is not None for key in ("replaced", "dropped")),
        child_id=row.child_id,
        order=row.execution_order,
        dependencies=tuple(row.dependencies),
        exit_code=output.get("exit_code"),
        refused=tuple(output.get("refused") or ()),
        error=row.error and Failure.model_validate(row.error),
        retry_count=row.retry_count,
        next_attempt_at=row.next_attempt_at,
        waits_for=row.waits_for,
        worker_id=row.worker_id,
        cached=row.cached,
        started_at=row.started_at,
        finished_at=row.finished_at,
        approval=row.approval and Approval.model_validate(row.approval),
    )
