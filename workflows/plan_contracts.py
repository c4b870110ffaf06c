"""The messages between the workflow of a plan and its activities: see ``contracts``."""

from uuid import UUID, uuid5

from pydantic import JsonValue

from workflows.agent_contracts import AgentRun
from workflows.contracts import Message
from workflows.states import Status


class PlanRun(AgentRun):
    """The input of PlanWorkflow, also when it continues as new. ``parallel`` nodes run at once.

    A retry by a person begins with the plan of the call whose result is message ``resumed``. Its
    turn is not whole before that has run: it follows ``turn``, and ``seq`` is its last message.
    """

    parallel: int
    resumed: int | None = None


class PlanCall(Message):
    """The call that makes or revises a plan; its result is message ``seq``."""

    task_id: UUID
    run: int
    seq: int


class NodePlan(Message):
    """What the workflow must know about a node of a plan. What it has to do is in its row.

    Nodes go by their ``number`` in the plan, from 1 on: their names are the model's words.
    ``is_replaced``: it failed, or was dropped, and the plan was revised since.
    """

    number: int
    depends_on: tuple[int, ...] = ()
    weight: float = 1.0
    is_completed: bool = False
    is_replaced: bool = False


class OpenedPlan(Message):
    """All nodes of a plan as it stands, in their order."""

    nodes: tuple[NodePlan, ...]


class NodesCall(Message):
    """Make ready the tasks that these ``nodes`` of a plan are, the most urgent first, while call
    ``seq`` runs the plan. It has ``seconds`` left. What it cannot afford now stays pending if
    ``others_run``, and fails otherwise: there is nobody to leave it something."""

    task_id: UUID
    run: int
    seq: int
    nodes: tuple[int, ...]
    seconds: float
    others_run: bool = False


class NodeStart(Message):
    """The workflow that is to run a node, and its input: that of ``workflow``. A node that is
    ``is_completed`` has run already."""

    number: int
    task_id: UUID
    run: int
    workflow: str
    input: dict[str, JsonValue]
    title: str
    is_completed: bool = False


class NodeEnd(Message):
    """The workflow of a node has ended, while call ``seq`` runs the plan."""

    task_id: UUID
    run: int
    seq: int
    number: int


class NodeNote(Message):
    """The task of a node tells its plan that it is waiting for people, paused, or working again:
    while all nodes wait, the time of the plan stands still."""

    task_id: UUID
    status: Status


class PlanReport(Message):
    """What became of a plan. ``finished``: the task has its result. All nodes of the run together
    have used ``tokens`` and ``cost_usd`` so far."""

    finished: bool = False
    tokens: int = 0
    cost_usd: float = 0.0


def node_sub_task_id(task_id: UUID, number: int) -> UUID:
    """The id of the row of a node of a plan."""
    return uuid5(task_id, f"node:{number}")
