"""A plan as it is shown: its nodes, how it was revised, and what it has used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store.database import Database
from activities.store.reading.plan_calls import PLAN_CALL
from activities.store.reading.plan_usage import Used
from activities.store.reading.plans import PlanReader
from activities.store.reading.steps import CHILD, IS_OUT, LIVE_STATUS
from activities.store.reading.usage import TaskUsage, usage_of
from activities.store.tables import PlanRevision, SubTask, Task
from workflows.contracts import Failure
from workflows.definitions.plan import Plan
from workflows.events import TaskStatus
from workflows.states import Status, TaskType


@dataclass(frozen=True, slots=True)
class ShownNode:
    """A node as its row has it; ``definition`` is a ``Node``. ``child_id`` is the task that runs it
    once there is one, and ``child_limits`` are those of that task, if its type has any."""

    name: str
    number: int
    definition: Mapping[str, JsonValue]
    dependencies: Sequence[str]
    status: Status
    is_out: bool
    child_id: UUID | None
    child_limits: Mapping[str, JsonValue] | None
    summary: str | None
    error: Failure | None
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class PlanningCall:
    """The latest call that has made a plan, and what a person has decided on it. ``is_edited``:
    the nodes are theirs."""

    arguments: Mapping[str, Any]
    status: Status
    decision: str | None
    is_edited: bool


@dataclass(frozen=True, slots=True)
class StoredRevision:
    reason: str
    add: Sequence[Mapping[str, JsonValue]]
    drop: Sequence[str]
    rewire: Sequence[Mapping[str, JsonValue]]
    at: datetime


@dataclass(frozen=True, slots=True)
class PlanDetails:
    """``own`` is what the planner itself has used, ``spent`` that and all below it, in all runs.

    In ``seconds`` the plan has worked, in all runs: it neither was paused nor waited for people.
    """

    prompt: str
    inputs: Mapping[str, str]
    definition: Plan
    seconds: float
    nodes: Sequence[ShownNode]
    call: PlanningCall | None
    revisions: Sequence[StoredRevision]
    own: TaskUsage
    spent: Used


async def find_plan(
    database: Database, team_id: UUID, task_id: UUID, tool: str
) -> PlanDetails | TaskType | None:
    """A plan, as calls of ``tool`` make them; of a task that is none its type; None when there is
    no such task."""
    query = select(
        col(Task.type),
        col(Task.prompt),
        col(Task.inputs),
        col(Task.definition),
    ).where(col(Task.id) == task_id, col(Task.team_id) == team_id, col(Task.deleted_at).is_(None))
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        if row.type is not TaskType.PLAN:
            return TaskType(row.type)
        return PlanDetails(
            prompt=row.prompt or "",
            inputs=row.inputs,
            definition=Plan.model_validate(row.definition),
            seconds=await _working_seconds(connection, task_id),
            nodes=await _nodes(connection, task_id),
            call=await _planning_call(connection, task_id, tool),
            revisions=await _revisions(connection, task_id),
            own=await usage_of(connection, team_id, task_id),
            spent=(await PlanReader(connection).used_since([task_id], None))[task_id],
        )


async def _working_seconds(connection: AsyncConnection, task_id: UUID) -> float:
    """As the events tell it: the row of the task knows of its last run only."""
    found = await connection.scalar(_SECONDS, {"task_id": task_id, "type": TaskStatus.type})
    return max(0.0, float(found or 0.0))


_SECONDS = text(
    f"""
    SELECT sum(extract(epoch FROM coalesce(until, now()) - created_at))
    FROM (
        SELECT data ->> 'status' AS status, created_at,
               lead(created_at) OVER (ORDER BY seq) AS until
        FROM events WHERE task_id = :task_id AND type = :type
    ) AS states
    WHERE status = '{Status.RUNNING}'
    """
)


async def _nodes(connection: AsyncConnection, task_id: UUID) -> Sequence[ShownNode]:
    """In their order."""
    rows = await connection.execute(
        select(
            col(SubTask.name),
            col(SubTask.number),
            col(SubTask.input_context),
            col(SubTask.dependencies),
            LIVE_STATUS.label("live_status"),
            IS_OUT.label("is_out"),
            col(CHILD.id).label("child_id"),
            col(CHILD.type).label("child_type"),
            col(CHILD.definition)["limits"].label("child_limits"),
            col(CHILD.result)["summary"].astext.label("summary"),
            col(SubTask.error),
            col(SubTask.started_at),
            col(SubTask.finished_at),
        )
        .outerjoin(CHILD, col(CHILD.id) == col(SubTask.child_id))
        .where(col(SubTask.task_id) == task_id, col(SubTask.number).is_not(None))
        .order_by(col(SubTask.number))
    )
    return [_node(row) for row in rows]


def _node(row: Row[*tuple[Any, ...]]) -> ShownNode:
    # A pipeline has none; an agent whose limits are the usual ones does not name them.
    has_limits = row.child_type not in (None, TaskType.PIPELINE)
    return ShownNode(
        name=row.name,
        number=row.number,
        definition=row.input_context,
        dependencies=row.dependencies,
        status=row.live_status,
        is_out=row.is_out,
        child_id=row.child_id,
        child_limits=(row.child_limits or {}) if has_limits else None,
        summary=row.summary,
        error=row.error and Failure.model_validate(row.error),
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


async def _planning_call(
    connection: AsyncConnection, task_id: UUID, tool: str
) -> PlanningCall | None:
    arguments = col(SubTask.input_context)["arguments"]
    row = (
        await connection.execute(
            select(
                arguments,
                col(SubTask.status),
                col(SubTask.approval)["decision"].astext,
                col(SubTask.approval)["is_edited"].astext,
            )
            .where(
                col(SubTask.task_id) == task_id,
                col(SubTask.task_type) == PLAN_CALL,
                col(SubTask.number).is_(None),
                col(SubTask.input_context)["tool"].astext == tool,
            )
            .order_by(col(SubTask.execution_order).desc())
            .limit(1)
        )
    ).one_or_none()
    return None if row is None else PlanningCall(row[0] or {}, row[1], row[2], row[3] == "true")


async def _revisions(connection: AsyncConnection, task_id: UUID) -> Sequence[StoredRevision]:
    rows = await connection.execute(
        select(
            col(PlanRevision.reason),
            col(PlanRevision.add),
            col(PlanRevision.drop),
            col(PlanRevision.rewire),
            col(PlanRevision.created_at),
        )
        .where(col(PlanRevision.task_id) == task_id)
        .order_by(col(PlanRevision.seq))
    )
    return [StoredRevision(*row) for row in rows]
