"""What a plan did in a run that has ended: its nodes, and what the task of each did."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store.database import Database
from activities.store.reading.runs import (
    RecordedFile,
    RecordedRun,
    Room,
    files_in,
    run_in,
)
from activities.store.tables import PlanRevision, SubTask
from workflows.definitions.plan import Node
from workflows.states import NodeKind, Status

# Of a plan and those in it. Each that counts has a step, of which a pipeline has a hundred.
MAX_NODES = 500


@dataclass(frozen=True, slots=True)
class RecordedNode:
    """A node. ``files`` are the plan's copies of what its task made. ``is_revised``: it was planned
    as it is when the planner knew results of others.

    ``work`` is what its task did: of a completed node only, and None where that task is gone.
    """

    definition: Node
    dependencies: tuple[str, ...]
    status: Status
    finished_at: datetime | None = None
    files: tuple[RecordedFile, ...] = ()
    is_revised: bool = False
    work: "RecordedRun | RecordedPlan | None" = None

    @property
    def id(self) -> str:
        return self.definition.id


@dataclass(frozen=True, slots=True)
class RecordedPlan:
    """A plan with all its nodes, in their order; ``run`` is that of its planner. ``is_cut``: there
    are more nodes than were read."""

    run: RecordedRun
    nodes: tuple[RecordedNode, ...]
    is_cut: bool = False


async def find_plan(database: Database, team_id: UUID, task_id: UUID) -> RecordedPlan | None:
    """The present run of a plan, as the primary has it; what all of it said has to find room where
    otherwise that of one task has."""
    async with database.reading(fresh=True) as connection:
        return await _Reader(connection, team_id).plan(task_id)


class _Reader:
    def __init__(self, connection: AsyncConnection, team_id: UUID) -> None:
        self._connection = connection
        self._team_id = team_id
        self._room = Room()
        self._nodes = MAX_NODES

    async def plan(self, task_id: UUID) -> RecordedPlan | None:
        run = await run_in(self._connection, self._team_id, task_id, self._room)
        if run is None:
            return None
        rows = (await self._connection.execute(_nodes_of(task_id))).all()
        self._nodes -= len(rows)
        if self._nodes < 0:
            return RecordedPlan(run, (), is_cut=True)
        rewired = await self._rewired(task_id)
        files = await files_in(self._connection, task_id)
        first = min((row.execution_order for row in rows), default=0)
        nodes = [
            await self._node(
                row,
                tuple(files.get(row.id, ())),
                is_revised=row.execution_order > first or row.name in rewired,
            )
            for row in rows
        ]
        return RecordedPlan(run, tuple(nodes))

    async def _rewired(self, task_id: UUID) -> frozenset[str]:
        rows = await self._connection.scalars(
            select(col(PlanRevision.rewire)).where(col(PlanRevision.task_id) == task_id)
        )
        return frozenset(str(node.get("id")) for rewire in rows for node in rewire)

    async def _node(
        self, row: Row[*tuple[object, ...]], files: tuple[RecordedFile, ...], *, is_revised: bool
    ) -> RecordedNode:
        definition = Node.model_validate(row.input_context)
        is_done = row.status is Status.COMPLETED
        return RecordedNode(
            definition=definition,
            dependencies=tuple(row.dependencies),
            status=row.status,
            finished_at=row.finished_at,
            files=files,
            is_revised=is_revised,
            work=await self._work(definition, row.child_id) if is_done else None,
        )

    async def _work(self, node: Node, child_id: UUID) -> RecordedRun | RecordedPlan | None:
        if node.kind is NodeKind.PLAN:
            return await self.plan(child_id)
        return await run_in(self._connection, self._team_id, child_id, self._room)


def _nodes_of(task_id: UUID):  # type: ignore[no-untyped-def]
    return (
        select(
            col(SubTask.id),
            col(SubTask.name),
            col(SubTask.execution_order),
            col(SubTask.input_context),
            col(SubTask.dependencies),
            col(SubTask.status),
            col(SubTask.child_id),
            col(SubTask.finished_at),
        )
        .where(col(SubTask.task_id) == task_id, col(SubTask.number).is_not(None))
        .order_by(col(SubTask.number))
    )
