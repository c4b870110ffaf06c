"""Plans and their nodes, as those who run or show them need them."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    case,
    func,
    null,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store.database import Database
from activities.store.reading.attempts import output_of, output_of_items
from activities.store.reading.plan_usage import Used, uses_of
from activities.store.tables import PlanRevision, SubTask, Task, TaskArtifact
from workflows.contracts import Failure
from workflows.definitions.agent import Limits
from workflows.definitions.plan import Node, Plan
from workflows.states import Status, TaskType

# What a pipeline printed is read as JSON up to this length, in characters.
MAX_OUTPUT_CHARACTERS = 64 * 1024


@dataclass(frozen=True, slots=True)
class StoredNode:
    """A node of a plan as its row has it. ``seq`` is that of the call that planned it.

    ``is_replaced``: it ``is_dropped``, or has failed and the plan was revised since.
    """

    id: UUID
    number: int
    name: str
    definition: Node
    dependencies: tuple[str, ...]
    status: Status
    child_id: UUID
    seq: int
    is_replaced: bool
    is_dropped: bool
    error: Failure | None


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan with all its nodes, in their order. ``revisions`` is how often it was revised in its
    present run: a person who retries it gives it all its replans anew.

    ``is_given_up``: one of these changed nothing, which says that nothing can be done. ``cache``:
    its nodes may take the results of equal steps.
    """

    id: UUID
    team_id: UUID
    run: int
    priority: int
    name: str
    prompt: str
    inputs: Mapping[str, str]
    definition: Plan
    started_at: datetime | None
    result: Mapping[str, JsonValue] | None
    nodes: Sequence[StoredNode]
    revisions: int
    is_given_up: bool = False
    cache: bool = True

    @property
    def may_be_revised(self) -> bool:
        return self.revisions < self.definition.replans and not self.is_given_up

    @property
    def by_name(self) -> Mapping[str, StoredNode]:
        return {node.name: node for node in self.nodes}


@dataclass(frozen=True, slots=True)
class ChildState:
    """The task that runs a node. ``definition`` has its limits; ``result`` is what it gave."""

    id: UUID
    type: TaskType
    run: int
    first_step: int
    status: Status
    team_id: UUID
    definition: Mapping[str, JsonValue]
    result: Mapping[str, JsonValue] | None
    error: Failure | None

    @property
    def limits(self) -> Limits:
        return Limits.model_validate(self.definition.get("limits") or {})


@dataclass(frozen=True, slots=True)
class NodeFile:
    """A file that a node made; ``size`` is in bytes."""

    id: UUID
    node: UUID
    name: str
    size: int
    mime_type: str
    sha256: str


class PlanReader:
    """Reads plans, of whatever team: not for what a client asks."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def plan(self, task_id: UUID) -> StoredPlan | None:
        """A plan with its nodes; None when there is no such task."""
        query = select(*_PLAN).where(col(Task.id) == task_id)
        task = (await self._connection.execute(query)).one_or_none()
        if task is None:
            return None
        nodes = await self._connection.execute(
            select(*_NODE)
            .where(col(SubTask.task_id) == task_id, col(SubTask.number).is_not(None))
            .order_by(col(SubTask.number))
        )
        changes = (col(PlanRevision.add), col(PlanRevision.drop), col(PlanRevision.rewire))
        is_empty = and_(*(func.jsonb_array_length(change) == 0 for change in changes))
        revisions, is_given_up = (
            await self._connection.execute(
                select(func.count(col(PlanRevision.seq)), func.bool_or(is_empty)).where(
                    col(PlanRevision.task_id) == task_id, col(PlanRevision.run) == task.run
                )
            )
        ).one()
        return StoredPlan(
            id=task.id,
            team_id=task.team_id,
            run=task.run,
            priority=task.priority,
            cache=task.cache,
            name=task.name,
            prompt=task.prompt or "",
            inputs=task.inputs,
            definition=Plan.model_validate(task.definition),
            started_at=task.started_at,
            result=task.result,
            nodes=[_node(row) for row in nodes],
            revisions=revisions,
            is_given_up=bool(is_given_up),
        )

    async def node(self, task_id: UUID, number: int) -> StoredNode | None:
        """One node of a plan; None when there is no such node any more."""
        query = select(*_NODE).where(col(SubTask.task_id) == task_id, col(SubTask.number) == number)
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else _node(row)

    async def children(
        self, ids: Collection[UUID], whole: Collection[UUID] | None = None
    ) -> Mapping[UUID, ChildState]:
        """Those of these tasks that there are: without their results, and of their definitions only
        the limits, unless they are among the ``whole``; None: all are."""
        columns = _CHILD if whole is None else (*_CHILD_STATE, *_parts(whole))
        rows = await self._connection.execute(select(*columns).where(col(Task.id).in_(ids)))
        return {
            row.id: ChildState(
                id=row.id,
                type=row.type,
                run=row.run,
                first_step=row.first_step,
                status=row.status,
                team_id=row.team_id,
                definition=row.definition,
                result=row.result,
                error=row.error and Failure.model_validate(row.error),
            )
            for row in rows
        }

    async def files(self, task_id: UUID) -> Sequence[NodeFile]:
        """The files of all nodes of a plan, by name."""
        rows = await self._connection.execute(
            select(
                col(TaskArtifact.id),
                col(TaskArtifact.sub_task_id),
                col(TaskArtifact.name),
                col(TaskArtifact.size),
                col(TaskArtifact.mime_type),
                func.coalesce(col(TaskArtifact.sha256), ""),
            )
            .join(SubTask, col(SubTask.id) == col(TaskArtifact.sub_task_id))
            .where(
                col(TaskArtifact.task_id) == task_id,
                col(SubTask.number).is_not(None),
                col(TaskArtifact.sha256).is_not(None),
            )
            .order_by(col(TaskArtifact.name))
        )
        return [NodeFile(*row) for row in rows]

    async def names_of_files(self, task_id: UUID) -> Sequence[str]:
        """The names of all files that the steps of a task have made."""
        rows = await self._connection.scalars(
            select(col(TaskArtifact.name))
            .where(col(TaskArtifact.task_id) == task_id, col(TaskArtifact.sha256).is_not(None))
            .distinct()
            .order_by(col(TaskArtifact.name))
        )
        return rows.all()

    async def last_output(self, task_id: UUID) -> str | None:
        """What the last step of a pipeline printed, where that is not too long to be a result."""
        has_items = col(SubTask.input_context)["foreach"].is_not(None)
        query = (
            select(col(SubTask.id), has_items)
            .where(col(SubTask.task_id) == task_id, col(SubTask.item_of).is_(None))
            .order_by(col(SubTask.execution_order).desc())
            .limit(1)
        )
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            return None
        read = output_of_items if row[1] else output_of
        return await read(self._connection, row[0], MAX_OUTPUT_CHARACTERS)

    async def used_since(
        self, tasks: Collection[UUID], since: datetime | None
    ) -> Mapping[UUID, Used]:
        """What each of these tasks has used, with all that are below it, in its present run, which
        began then; None: in all runs."""
        uses = await uses_of(self._connection, tasks, since)
        return {task: sum(uses[task].values(), Used()) for task in tasks}

    async def used_itself(
        self, tasks: Collection[UUID], since: datetime | None
    ) -> Mapping[UUID, Used]:
        """What each of these tasks has used without those below it."""
        uses = await uses_of(self._connection, tasks, since)
        return {task: uses[task].get(False, Used()) for task in tasks}

    async def used_below(self, task: UUID, since: datetime | None) -> Used:
        """What all below a task have used, also those of which nothing else is left."""
        return (await uses_of(self._connection, [task], since))[task].get(True, Used())


@asynccontextmanager
async def reading_plans(database: Database) -> AsyncIterator[PlanReader]:
    """From the primary."""
    async with database.reading(fresh=True) as connection:
        yield PlanReader(connection)


_PLAN = (
    col(Task.id),
    col(Task.team_id),
    col(Task.run),
    col(Task.priority),
    col(Task.cache),
    col(Task.name),
    col(Task.prompt),
    col(Task.inputs),
    col(Task.definition),
    col(Task.started_at),
    col(Task.result),
)
_NODE = (
    col(SubTask.id),
    col(SubTask.number),
    col(SubTask.name),
    col(SubTask.input_context),
    col(SubTask.dependencies),
    col(SubTask.status),
    col(SubTask.child_id),
    col(SubTask.execution_order),
    col(SubTask.output_result),
    col(SubTask.error),
)
_CHILD_STATE = (
    col(Task.id),
    col(Task.type),
    col(Task.run),
    col(Task.first_step),
    col(Task.status),
    col(Task.team_id),
    col(Task.error),
)
_CHILD = (*_CHILD_STATE, col(Task.definition), col(Task.result))


def _parts(whole: Collection[UUID]) -> tuple[ColumnElement[Any], ...]:
    """The definition and the result of tasks, of which only the ``whole`` have all."""
    is_whole = col(Task.id).in_(whole)
    limits = func.jsonb_build_object("limits", col(Task.definition)["limits"])
    definition = case((is_whole, col(Task.definition)), else_=type_coerce(limits, JSONB))
    result = case((is_whole, col(Task.result)), else_=null())
    return definition.label("definition"), result.label("result")


def _node(row: Row[*tuple[Any, ...]]) -> StoredNode:
    output = row.output_result or {}
    return StoredNode(
        id=row.id,
        number=row.number,
        name=row.name,
        definition=Node.model_validate(row.input_context),
        dependencies=tuple(row.dependencies),
        status=row.status,
        child_id=row.child_id,
        seq=row.execution_order,
        is_replaced="replaced" in output or "dropped" in output,
        is_dropped="dropped" in output,
        error=row.error and Failure.model_validate(row.error),
    )
