"""Writing plans and their nodes, by whoever holds the plan. All of it is safe to repeat."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import ARRAY, Text, all_, delete, func, insert, literal, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from activities.store import events
from activities.store.attempts import StoredFile
from activities.store.database import Database
from activities.store.plan_holding import Holder, PlanHold
from activities.store.plan_statements import (
    COPY_FILES,
    KEEP_USED,
    RESTART_CHILD,
    RESUME_CHILD,
    SET_RESULT,
)
from activities.store.reading.plan_usage import Used
from activities.store.reading.plans import StoredNode, StoredPlan
from activities.store.tables import PlanRevision, SubTask, TaskArtifact
from activities.store.task_statements import CREATE
from activities.store.tasks import NewTask, row_of
from activities.store.turn_statements import TELL_OF_FAILURE
from workflows.contracts import Failure
from workflows.definitions.plan import Node, Revision
from workflows.definitions.plan_checking import dependencies_of
from workflows.events import Event, NodeEnded, NodeStarted, PlannedNode, PlanOpened
from workflows.plan_contracts import node_sub_task_id
from workflows.states import ArtifactType, Status


@dataclass(frozen=True, slots=True)
class NodeTask:
    """A node that begins, with the task that runs it, which may have run before, or resume in the
    midst."""

    node: StoredNode
    child: NewTask
    has_run: bool
    resumes: bool = False


class PlanWriter(PlanHold):
    """The rows of one plan, within a transaction that holds its lock."""

    def __init__(self, connection: AsyncConnection, holder: Holder) -> None:
        super().__init__(connection, holder)
        self._said: list[Event] = []

    async def add(self, plan: StoredPlan, seq: int, nodes: Sequence[Node]) -> None:
        """Write down nodes that call ``seq`` has planned."""
        first = 1 + max((node.number for node in plan.nodes), default=0)
        rows = [
            self._row(plan, seq, number, node) for number, node in enumerate(nodes, start=first)
        ]
        if rows:
            await self._connection.execute(insert(SubTask), rows)

    def _row(self, plan: StoredPlan, seq: int, number: int, node: Node) -> dict[str, Any]:
        row_id = node_sub_task_id(plan.id, number)
        return {
            "id": row_id,
            "team_id": plan.team_id,
            "task_id": plan.id,
            "parent_id": plan.id,
            "name": node.id,
            "task_type": node.kind.value,
            "status": Status.PENDING,
            "execution_order": seq,
            "number": number,
            # Another for each execution that plans: a node of the same number may have been run for
            # a plan that was dropped.
            "child_id": uuid5(row_id, self._holder.execution),
            **_defined(node),
        }

    async def revise(self, plan: StoredPlan, seq: int, revision: Revision) -> None:
        """Change what is pending, unless that is written already. Failed nodes are replaced, but
        for those that others still wait for."""
        by_name, dropped = plan.by_name, set(revision.drop)
        rewired = {node.id: node for node in revision.rewire}
        pending = [
            rewired.get(node.name, node.definition)
            for node in plan.nodes
            if node.status is Status.PENDING and not node.is_replaced and node.name not in dropped
        ]
        awaited = {name for node in (*pending, *revision.add) for name in dependencies_of(node)}
        replaced = [
            node.name
            for node in plan.nodes
            if node.status.is_final
            and node.status is not Status.COMPLETED
            and not (node.is_replaced or node.name in awaited or revision.is_empty)
        ]
        await self._connection.execute(
            insert(PlanRevision).values(
                task_id=plan.id,
                seq=seq,
                team_id=plan.team_id,
                run=self._holder.run,
                reason=revision.reason,
                add=[node.model_dump(mode="json", exclude_defaults=True) for node in revision.add],
                drop=list(revision.drop),
                rewire=[
                    node.model_dump(mode="json", exclude_defaults=True) for node in revision.rewire
                ],
                replaced=replaced,
                former=[{"name": name, **_defined(by_name[name].definition)} for name in rewired],
            )
        )
        for name in replaced:
            await self._set(by_name[name], output_result={"replaced": seq})
        for name in dropped & by_name.keys():
            ended = datetime.now(UTC)
            await self._set(
                by_name[name],
                status=Status.CANCELLED,
                output_result={"dropped": seq},
                finished_at=ended,
            )
        for name, node in rewired.items():
            await self._set(by_name[name], **_defined(node))
        await self.add(plan, seq, revision.add)

    async def has_revision(self, seq: int) -> bool:
        """Whether the revision of call ``seq`` is written already."""
        found = select(col(PlanRevision.seq)).where(
            col(PlanRevision.task_id) == self._holder.task_id, col(PlanRevision.seq) == seq
        )
        return await self._connection.scalar(found) is not None

    def tell_of_plan(self, plan: StoredPlan, seq: int) -> None:
        nodes = tuple(
            PlannedNode(
                id=node.name,
                title=node.definition.title,
                kind=node.definition.kind.value,
                depends_on=node.dependencies,
            )
            for node in plan.nodes
            if not node.is_replaced
        )
        self._said.append(PlanOpened(seq=seq, nodes=nodes))

    async def keep_used(self, plan: StoredPlan, children: Collection[UUID]) -> None:
        """Keep count of what these have used in this run of the plan, before they begin again."""
        uses = await self.reader.used_itself(children, plan.started_at)
        used = sum(uses.values(), Used())
        if used.tokens:
            values = {"tokens": used.tokens, "cost_usd": used.cost_usd}
            await self._connection.execute(KEEP_USED, {**self._holder.fence, **values})

    async def begin(self, begun: Sequence[NodeTask]) -> None:
        """Write down the tasks that run nodes, with as few statements for many as for one."""
        new = [row_of(each.child) for each in begun if not each.has_run]
        if new:
            await self._connection.execute(CREATE, new)
        for each in begun:
            if each.resumes:
                await self._connection.execute(RESUME_CHILD, row_of(each.child))
            elif each.has_run:
                await self._restart(each)
        await self._connection.execute(
            update(SubTask)
            .where(col(SubTask.id).in_([each.node.id for each in begun]))
            .values(
                status=Status.RUNNING,
                error=null(),
                output_result=null(),
                started_at=func.now(),
                finished_at=None,
            )
        )
        self._said += [
            NodeStarted(node=each.node.name, task_id=each.child.id, number=each.node.number)
            for each in begun
        ]

    async def put_back(self, nodes: Sequence[StoredNode]) -> None:
        """Have nodes wait that were to begin, whatever became of their tasks before."""
        await self._connection.execute(
            update(SubTask)
            .where(
                col(SubTask.id).in_([node.id for node in nodes]),
                col(SubTask.status) == Status.RUNNING,
            )
            .values(status=Status.PENDING)
        )

    async def _restart(self, begun: NodeTask) -> None:
        values = row_of(begun.child)
        for statement in RESTART_CHILD:
            await self._connection.execute(statement, values)
        files = delete(TaskArtifact).where(col(TaskArtifact.sub_task_id) == begun.node.id)
        await self._connection.execute(files)

    async def keep_files(
        self, team_id: UUID, node: StoredNode, output: StoredFile, instead: str | None
    ) -> Sequence[str]:
        """Make the files of its task those of the node, with ``output`` beside: gives the names of
        the former. One that has the name of ``output`` is called ``instead``, or left out."""
        task_id = self._holder.task_id
        place = {"task_id": task_id, "node_id": node.id, "child_id": node.child_id}
        names = {"output": output.name, "instead": instead}
        copied = (await self._connection.execute(COPY_FILES, place | names)).scalars().all()
        await self._connection.execute(
            delete(TaskArtifact).where(
                col(TaskArtifact.sub_task_id) == node.id,
                col(TaskArtifact.name) != all_(literal(list(copied), ARRAY(Text()))),
            )
        )
        await self._connection.execute(
            insert(TaskArtifact).values(
                id=uuid5(node.id, f"{output.name}\n{output.sha256}"),
                team_id=team_id,
                task_id=task_id,
                sub_task_id=node.id,
                type=ArtifactType.FILE,
                name=output.name,
                size=output.size,
                mime_type=output.mime_type,
                sha256=output.sha256,
            )
        )
        return copied

    async def end(self, node: StoredNode, status: Status, error: Failure | None) -> None:
        await self._set(
            node,
            status=status,
            error=null() if error is None else error.model_dump(mode="json", exclude_none=True),
            finished_at=func.now(),
        )
        ended = NodeEnded(node=node.name, status=status)
        if error is not None:
            ended = NodeEnded(node=node.name, status=status, error=error)
        self._said.append(ended)

    async def finish(self, result: dict[str, Any]) -> None:
        """Give the task its result."""
        values = {**self._holder.fence, "result": events.as_json(result)}
        await self._connection.execute(SET_RESULT, values)

    async def say(self) -> None:
        """Tell those who follow the plan what was done; the last thing in a transaction."""
        await events.append(self._connection, self._holder.task_id, self._said)

    async def _set(self, node: StoredNode, **columns: Any) -> None:
        await self._connection.execute(
            update(SubTask).where(col(SubTask.id) == node.id).values(**columns)
        )


@asynccontextmanager
async def writing_plan(database: Database, holder: Holder) -> AsyncIterator[PlanWriter]:
    """A transaction on a plan. Whoever begins it calls ``take`` or ``hold`` first."""
    async with database.writing() as connection:
        writer = PlanWriter(connection, holder)
        yield writer
        await writer.say()


async def tell_of_failure(database: Database, holder: Holder, failure: Failure) -> None:
    """Say in the row of a plan why it cannot go on: the end of the task finds it there."""
    error = failure.model_dump_json(exclude_none=True)
    await database.execute(TELL_OF_FAILURE, {**holder.fence, **events.values(()), "error": error})


def _defined(node: Node) -> dict[str, Any]:
    return {
        "input_context": node.model_dump(mode="json", exclude_defaults=True),
        "dependencies": sorted(dependencies_of(node)),
    }
