"""Nodes of plans that do as a test orders: for what the workflow of a plan does by itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from temporalio import activity, workflow
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError

from workflows import ports
from workflows.contracts import RETRIES_USED_UP, task_id_of, workflow_id
from workflows.errors.plans import NodesFailed
from workflows.lifecycle import NOTE_NODE
from workflows.plan_contracts import (
    NodeEnd,
    NodeNote,
    NodePlan,
    NodesCall,
    NodeStart,
    OpenedPlan,
    PlanCall,
    PlanReport,
)
from workflows.states import Status


@workflow.defn
class OrderedNode:
    """``order`` is ``quick``, ``slow`` (until it is released), ``fail``, or ``ask`` (it waits for a
    person for as long as it is not released)."""

    def __init__(self) -> None:
        self.is_released = False
        self.told: list[str] = []

    @workflow.run
    async def run(self, order: dict[str, str]) -> None:
        if order["order"] == "fail":
            raise ApplicationError("refused", non_retryable=True)
        if order["order"] == "ask":
            await self._tell_plan(Status.WAITING)
        if order["order"] in {"slow", "ask"}:
            await workflow.wait_condition(lambda: self.is_released)
        if order["order"] == "ask":
            await self._tell_plan(Status.RUNNING)

    async def _tell_plan(self, status: Status) -> None:
        task_id, parent = task_id_of(workflow.info().workflow_id), workflow.info().parent
        assert parent is not None
        assert task_id is not None
        plan = workflow.get_external_workflow_handle(parent.workflow_id)
        await plan.signal(NOTE_NODE, NodeNote(task_id=task_id, status=status))

    @workflow.signal
    def release(self) -> None:
        self.is_released = True

    @workflow.signal
    def pause(self) -> None:
        self.told.append("pause")

    @workflow.signal
    def resume(self) -> None:
        self.told.append("resume")

    @workflow.query
    def was_told(self) -> list[str]:
        return self.told


@dataclass(slots=True)
class OrderedNodes(ports.Nodes):
    """``plans`` are those of the calls, in their order: ``orders`` are those of the nodes that are
    not quick. ``begun`` are the nodes in their order, ``ended`` those that completed. The budget
    suffices for ``at_once`` nodes of a call, and for none while others run; ``calls`` are all."""

    plans: Sequence[tuple[NodePlan, ...]]
    orders: dict[int, str] = field(default_factory=dict)
    replans: int = 0
    begun: list[int] = field(default_factory=list)
    ended: dict[int, bool] = field(default_factory=dict)
    replaced: set[int] = field(default_factory=set)
    client: Client | None = None
    at_once: int | None = None
    calls: list[NodesCall] = field(default_factory=list)

    @activity.defn
    async def open_plan(self, call: PlanCall) -> OpenedPlan:
        plan, *self.plans = self.plans
        self.replaced = {number for number, completed in self.ended.items() if not completed}
        return OpenedPlan(
            nodes=tuple(
                node.model_copy(
                    update={
                        "is_completed": node.is_completed or self.ended.get(node.number, False),
                        "is_replaced": node.number in self.replaced,
                    }
                )
                for node in plan
            )
        )

    @activity.defn
    async def begin_nodes(self, call: NodesCall) -> tuple[NodeStart, ...]:
        self.calls.append(call)
        affordable = 0 if self.at_once and call.others_run else self.at_once
        nodes = call.nodes[:affordable]
        self.begun += nodes
        return tuple(self._start(call, node) for node in nodes)

    @activity.defn
    async def end_node(self, end: NodeEnd) -> bool:
        assert self.client is not None
        child = self.client.get_workflow_handle(workflow_id(node_id(end.task_id, end.number)))
        completed = (await child.describe()).status is WorkflowExecutionStatus.COMPLETED
        self.ended[end.number] = completed
        return completed

    @activity.defn
    async def report_plan(self, call: PlanCall) -> PlanReport:
        if not all(self.ended[number] for number in self.ended.keys() - self.replaced):
            if not self.replans:
                raise ApplicationError(
                    "failed", RETRIES_USED_UP, type=NodesFailed.code, non_retryable=True
                )
            self.replans -= 1
        return PlanReport(tokens=100, cost_usd=1.0)

    def _start(self, call: NodesCall, node: int) -> NodeStart:
        return NodeStart(
            number=node,
            task_id=node_id(call.task_id, node),
            run=1,
            workflow="OrderedNode",
            input={"order": self.orders.get(node, "quick")},
            title=f"node {node}",
        )


def node_id(task_id: UUID, node: int) -> UUID:
    return uuid5(task_id, str(node))
