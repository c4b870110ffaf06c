"""How far a plan is, as its events tell: its nodes, and what its planner says and asks."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from api.cli.display.agent_progress import AgentProgress
from api.cli.display.progress import StepProgress
from workflows import events
from workflows.contracts import Failure
from workflows.events import Event, PlannedNode
from workflows.open_values import Unknown
from workflows.states import Status

# The calls of a planner that make and revise a plan.
MAKE_PLAN = "make_plan"
_PLAN_CALLS = (MAKE_PLAN, "revise_plan")


@dataclass(slots=True)
class NodeProgress:
    """``task_id`` is the task that runs it, once there is one."""

    plan: PlannedNode
    status: Status | Unknown = Status.PENDING
    task_id: UUID | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: Failure | None = None


@dataclass
class PlanProgress(AgentProgress):
    """The planner is an agent, whose calls make the nodes and revise them. ``opened_seq`` is the
    number of the last such call."""

    nodes: dict[str, NodeProgress] = field(default_factory=dict)
    opened_seq: int = 0

    @property
    def nodes_done(self) -> int:
        return sum(node.status is Status.COMPLETED for node in self.nodes.values())

    @property
    def is_planning(self) -> bool:
        """Whether the planner is asked just now."""
        return self.turn is not None and self.turn.answered_at is None

    def take(self, event: Event, at: datetime) -> StepProgress | None:
        match event:
            case events.PlanOpened():
                self._open(event)
            case events.NodeStarted():
                node = self._node(event.node)
                node.status, node.task_id = Status.RUNNING, event.task_id
                node.started_at, node.ended_at, node.error = at, None, None
            case events.NodeEnded():
                node = self._node(event.node)
                node.status, node.ended_at, node.error = event.status, at, event.error
            case _:
                return self._take_other(event, at)
        return None

    def _open(self, event: events.PlanOpened) -> None:
        """A plan that is revised keeps what is known of the nodes that it still has; one that is
        made anew, by a call that is not after the last one, does not."""
        known, self.nodes = self.nodes if event.seq > self.opened_seq else {}, {}
        self.opened_seq = event.seq
        for plan in event.nodes:
            node = self.nodes[plan.id] = known.get(plan.id) or NodeProgress(plan)
            node.plan = plan

    def _node(self, name: str) -> NodeProgress:
        """Those who look on from the middle have not seen it planned."""
        return self.nodes.setdefault(name, NodeProgress(PlannedNode(id=name)))

    def _take_other(self, event: Event, at: datetime) -> StepProgress | None:
        was_final = self.status.is_final
        step = super().take(shortened(event), at)
        for node in self.nodes.values():
            if self.status.is_final and node.status is Status.RUNNING:
                node.status, node.ended_at = self.status, at
            elif was_final and not self.status.is_final and node.status is not Status.COMPLETED:
                # The next run, which somebody asked for, does again what did not succeed.
                node.status, node.started_at, node.ended_at = Status.PENDING, None, None
                node.error = None
        return step


def shortened(event: Event) -> Event:
    """Of the result of a call that makes or revises a plan the heading alone: what became of each
    node, which comes after it, is shown as it happens."""
    if not isinstance(event, events.ToolResult) or not event.ok:
        return event
    if event.step.rpartition(" ")[2] not in _PLAN_CALLS:
        return event
    return event.model_copy(update={"text": event.text.partition("\n\n")[0]})
