"""Nodes of plans that do as a test orders: for what the workflow of a plan does by itself."""

from dataclasses import dataclass, field
from uuid import UUID, uuid5

from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError

from workflows import ports
from workflows.contracts import NodesCall, NodeStart


@workflow.defn
class OrderedNode:
    """``order`` is ``quick``, ``slow`` (until it is released) or ``fail``."""

    def __init__(self) -> None:
        self.is_released = False
        self.told: list[str] = []

    @workflow.run
    async def run(self, order: dict[str, str]) -> None:
        if order["order"] == "fail":
            raise ApplicationError("refused", non_retryable=True)
        if order["order"] == "slow":
            await workflow.wait_condition(lambda: self.is_released)

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
    """``orders`` are those of the nodes that are not quick; ``begun`` the nodes in their order."""

    orders: dict[str, str] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)

    @activity.defn
    async def begin_nodes(self, call: NodesCall) -> tuple[NodeStart, ...]:
        self.begun += call.nodes
        return tuple(self._start(call, node) for node in call.nodes)

    def _start(self, call: NodesCall, node: str) -> NodeStart:
        return NodeStart(
            node=node,
            task_id=node_id(call.task_id, node),
            run=1,
            workflow="OrderedNode",
            input={"order": self.orders.get(node, "quick")},
            title=node,
        )


def node_id(task_id: UUID, node: str) -> UUID:
    return uuid5(task_id, node)
