"""The adapter of ``ports.Nodes``: plans are opened, their nodes begun and ended, and told of."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal
from uuid import UUID

import structlog
from temporalio import activity

from activities.agents.turn_events import result_event
from activities.attempts.attempt import Performed, as_application_error, run_attempt
from activities.attempts.reporter import Reporter
from activities.equipment import Equipment
from activities.kinds.base import Installed
from activities.kinds.table import KINDS
from activities.patience import patiently
from activities.plans.beginning import Begun as BegunNode
from activities.plans.beginning import begin
from activities.plans.dataflow import OUTPUT_FILE
from activities.plans.opening import open_in
from activities.plans.outcomes import name_instead, outcomes_of, output_file, result_of
from activities.plans.reporting import check_complete, report, result_of_plan
from activities.store import tasks
from activities.store.attempts import Attempt, Begun, ToolMessage
from activities.store.plan_holding import Holder
from activities.store.plans import tell_of_failure, writing_plan
from activities.store.reading.plans import (
    ChildState,
    StoredNode,
    StoredPlan,
    reading_plans,
)
from activities.store.turns import CallDefinition
from workflows import policies, ports
from workflows.agent_contracts import call_sub_task_id
from workflows.contracts import Failure, TaskClose
from workflows.definitions.plan_checking import dependencies_of
from workflows.errors import AgentOSError, TemporaryFailure
from workflows.errors.plans import NodeDependencyMissing, NodeEndedOutside, NodeFilesMissing
from workflows.errors.tasks import TaskMoved
from workflows.plan_contracts import (
    NodeEnd,
    NodePlan,
    NodesCall,
    NodeStart,
    OpenedPlan,
    PlanCall,
    PlanReport,
)
from workflows.states import Status

Titles = Literal["prompt", "plain"]

log = structlog.get_logger(__name__)


class Nodes(ports.Nodes):
    """With ``titles`` "plain", Temporal is told a number in place of the title of a node."""

    def __init__(
        self, equipment: Equipment, installed: Installed, titles: Titles = "prompt"
    ) -> None:
        self._database = equipment.database
        self._equipment = equipment
        self._installed = installed
        self._titles = titles

    @activity.defn
    async def open_plan(self, call: PlanCall) -> OpenedPlan:
        holder = _holder(call.task_id, call.run)
        async with as_application_error(), self._telling(holder):
            async with writing_plan(self._database, holder) as writer:
                plan = await open_in(writer, call)
            return OpenedPlan(nodes=tuple(_planned(plan, node) for node in plan.nodes))

    @activity.defn
    async def begin_nodes(self, call: NodesCall) -> tuple[NodeStart, ...]:
        holder = _holder(call.task_id, call.run)
        async with as_application_error(), self._telling(holder):
            await self._equipment.tokens.load()
            async with writing_plan(self._database, holder) as writer:
                begun = await begin(writer, call, self._equipment.tokens.count)
            return await self._starts(begun)

    @asynccontextmanager
    async def _telling(self, holder: Holder) -> AsyncIterator[None]:
        """Say in the plan's row why it cannot go on: nobody else does, of a local activity."""
        try:
            yield
        except AgentOSError as error:
            if not isinstance(error, TemporaryFailure | TaskMoved):
                failure = Failure(code=error.code, message=str(error))
                await tell_of_failure(self._database, holder, failure)
            raise

    async def _starts(self, begun: Sequence[BegunNode]) -> tuple[NodeStart, ...]:
        async with reading_plans(self._database) as reader:
            children = await reader.children([each.node.child_id for each in begun])
        return tuple(
            [
                await self._start(each, children[each.node.child_id])
                if each.node.child_id in children
                else _never(each.node)
                for each in begun
            ]
        )

    async def _start(self, begun: BegunNode, child: ChildState) -> NodeStart:
        kind = KINDS[child.type]
        message = await kind.message(self._installed, child)
        node = begun.node
        title = node.definition.title if self._titles == "prompt" else f"node {node.number}"
        return NodeStart(
            number=node.number,
            task_id=child.id,
            run=child.run,
            workflow=kind.workflow.__name__,
            input=message.model_dump(mode="json"),
            title=title,
            is_completed=begun.is_over,
        )

    @activity.defn
    async def end_node(self, end: NodeEnd) -> bool:
        async with as_application_error():
            return await self._end(end)

    async def _end(self, end: NodeEnd) -> bool:
        node, child = await self._find(end)
        if node.status.is_final:
            return node.status is Status.COMPLETED
        if child is not None and not child.status.is_final:
            await self._close(node, child)
            node, child = await self._find(end)
        if child is None or child.status is not Status.COMPLETED:
            async with writing_plan(self._database, _holder(end.task_id, end.run)) as writer:
                await writer.hold(end.seq)
                status = Status.CANCELLED if child is None else child.status
                await writer.end(node, status, None if child is None else child.error)
            return False
        return await self._complete(end, node, child)

    async def _find(self, end: NodeEnd) -> tuple[StoredNode, ChildState | None]:
        async with reading_plans(self._database) as reader:
            node = await reader.node(end.task_id, end.number)
            if node is None:
                raise TaskMoved(task_id=end.task_id)
            children = await reader.children([node.child_id])
        return node, children.get(node.child_id)

    async def _close(self, node: StoredNode, child: ChildState) -> None:
        """A workflow writes its end down before it ends, unless somebody else ended it."""
        error = NodeEndedOutside(node=node.name)
        close = TaskClose(
            task_id=child.id,
            team_id=child.team_id,
            run=child.run,
            status=Status.FAILED,
            failure=Failure(code=error.code, message=str(error)),
        )
        await tasks.close_task(self._database, close)

    async def _complete(self, end: NodeEnd, node: StoredNode, child: ChildState) -> bool:
        async with reading_plans(self._database) as reader:
            names = await reader.names_of_files(child.id)
            instead = name_instead(child, names)
            own = [instead if name == OUTPUT_FILE else name for name in names]
            result = await result_of(reader, node, child, filter(None, own))
        output, data = output_file(result)
        blobs = self._equipment.blobs
        await blobs.put(child.team_id, output.sha256, output.size, output.mime_type, data)
        missing = [name for name in node.definition.files if name not in names]
        failure = None
        if missing:
            error = NodeFilesMissing(node=node.name, files=", ".join(missing), task=child.id)
            failure = Failure(code=error.code, message=str(error), step=node.name)
        async with writing_plan(self._database, _holder(end.task_id, end.run)) as writer:
            await writer.hold(end.seq)
            await writer.keep_files(child.team_id, node, output, instead)
            await writer.end(node, Status.FAILED if missing else Status.COMPLETED, failure)
        return not missing

    @activity.defn
    async def report_plan(self, call: PlanCall) -> PlanReport:
        info = activity.info()
        attempt = Attempt(
            task_id=call.task_id,
            sub_task_id=call_sub_task_id(call.task_id, call.seq),
            run=call.run,
            number=info.attempt,
            retries=policies.ACT_RETRIES,
            worker_id=self._equipment.worker_id,
            execution=info.workflow_run_id,
            begun_in=info.workflow_run_id,
        )

        async def perform(begun: Begun, reporter: Reporter) -> Performed:
            return await self._report(call, begun)

        # An attempt would take the task over, but keep the result of the call.
        async with as_application_error():
            await patiently(lambda: self._hold(call))
        await run_attempt(self._database, attempt, perform)
        async with as_application_error():
            return await patiently(lambda: self._reported(call))

    async def _hold(self, call: PlanCall) -> None:
        async with writing_plan(self._database, _holder(call.task_id, call.run)) as writer:
            await writer.hold(call.seq)

    async def _report(self, call: PlanCall, begun: Begun) -> Performed:
        async with writing_plan(self._database, _holder(call.task_id, call.run)) as writer:
            await writer.hold(call.seq)
            plan = await writer.read()
            check_complete(plan)
            outcomes = await outcomes_of(writer.reader, plan)
            result = await result_of_plan(plan, outcomes)
            if result is not None:
                await writer.finish(dict(result))
        wanted = CallDefinition.model_validate(begun.definition)
        text = report(plan, outcomes)
        call_id = str(call_sub_task_id(call.task_id, call.seq))
        return Performed(
            message=ToolMessage(
                seq=call.seq,
                turn=wanted.turn,
                request_id=wanted.request_id,
                content=text,
                is_protected=True,
            ),
            events=(result_event(begun.name, call_id, text, ok=True),),
        )

    async def _reported(self, call: PlanCall) -> PlanReport:
        """What was reported, also by an earlier attempt."""
        async with reading_plans(self._database) as reader:
            plan = await reader.plan(call.task_id)
            if plan is None:
                raise TaskMoved(task_id=call.task_id)
            used = await reader.used_below(plan.id, plan.started_at)
        return PlanReport(
            finished=plan.result is not None,
            tokens=used.tokens,
            cost_usd=used.cost_usd,
        )


def _holder(task_id: UUID, run: int) -> Holder:
    execution = activity.info().workflow_run_id
    assert execution is not None
    return Holder(task_id, run, execution)


def _planned(plan: StoredPlan, node: StoredNode) -> NodePlan:
    numbers = {other.name: other.number for other in plan.nodes}
    awaited = sorted(dependencies_of(node.definition))
    if missing := [name for name in awaited if name not in numbers]:
        raise NodeDependencyMissing(node=node.name, dependency=missing[0])
    depends_on = [numbers[name] for name in awaited]
    has_failed = node.status.is_final and node.status is not Status.COMPLETED
    return NodePlan(
        number=node.number,
        depends_on=tuple(sorted(depends_on)),
        weight=float(node.definition.size.weight),
        is_completed=node.status is Status.COMPLETED,
        is_replaced=node.is_replaced or has_failed,
    )


def _never(node: StoredNode) -> NodeStart:
    """A node that cannot run: its row says why."""
    return NodeStart(
        number=node.number,
        task_id=node.child_id,
        run=1,
        workflow="",
        input={},
        title="",
        is_completed=True,
    )
