"""Nodes that begin: their tasks are written down, each with its part of the budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from activities.plans.budget import Promise, Share, shares
from activities.plans.children import Means, child_of, form_of
from activities.plans.outcomes import Outcomes, outcomes_of
from activities.store.plans import NodeTask, PlanWriter
from activities.store.reading.plans import PlanReader, StoredNode, StoredPlan, Used
from activities.store.tasks import NewTask
from workflows.contracts import Failure, NodesCall
from workflows.errors import NodeInputMissing
from workflows.states import Status


@dataclass(frozen=True, slots=True)
class Begun:
    """A node whose task is there. ``is_over``: it ran before, or cannot run."""

    node: StoredNode
    is_over: bool = False


async def begin(writer: PlanWriter, call: NodesCall) -> Sequence[Begun]:
    """Write down the tasks of the nodes of a call, where they are not yet there or have to run
    again.

    Raises:
        TokensUsedUp, CostUsedUp: nothing of the budget is left for them.
    """
    await writer.hold(call.seq)
    plan = await writer.read()
    wanted = [node for node in plan.nodes if node.number in call.nodes]
    needed = {name for node in wanted for name in node.dependencies}
    outcomes = await outcomes_of(writer.reader, plan, needed)
    new = [node for node in wanted if _has_to_begin(node, outcomes)]
    budget = await _budget(writer.reader, plan, new, outcomes) if new else {}
    begun = [Begun(node, is_over=_is_over(node, outcomes)) for node in wanted if node not in new]
    fit: list[NodeTask] = []
    for node in new:
        means = Means(budget.get(node.number), call.seconds)
        child = await _child_or_end(writer, plan, node, means, outcomes)
        if child is not None:
            fit.append(NodeTask(node, child, has_run=node.child_id in outcomes.children))
        begun.append(Begun(node, is_over=child is None))
    if fit:
        await writer.begin(fit)
    return begun


async def _child_or_end(
    writer: PlanWriter, plan: StoredPlan, node: StoredNode, means: Means, outcomes: Outcomes
) -> NewTask | None:
    """The task that a node becomes. One that lacks an input has failed, and there is none."""
    try:
        return child_of(plan, node, means, outcomes.before(node), outcomes.files)
    except NodeInputMissing as error:
        failure = Failure(code=error.code, message=str(error), step=node.name)
        await writer.end(node, Status.FAILED, failure)
        return None


def _has_to_begin(node: StoredNode, outcomes: Outcomes) -> bool:
    """Whether there is no task yet, or one that is to run again, as what the node is now. A node
    that begins is pending, and its task, if there is one, is of a plan that was reset: it has
    ended, or never ran, or still runs, though nothing of what it does counts any more. Other nodes
    were cut off by such a reset, or had failed before."""
    child = outcomes.children.get(node.child_id)
    if child is None or node.status is Status.PENDING:
        return True
    if not child.status.is_final or node.status is Status.COMPLETED:
        return False
    return node.status is not Status.RUNNING or child.status is not Status.COMPLETED


def _is_over(node: StoredNode, outcomes: Outcomes) -> bool:
    return node.status.is_final or outcomes.children[node.child_id].status.is_final


async def _budget(
    reader: PlanReader,
    plan: StoredPlan,
    new: Sequence[StoredNode],
    outcomes: Outcomes,
) -> Mapping[int, Share]:
    numbers = {node.number for node in new}
    running = [
        node
        for node in plan.nodes
        if node.status is Status.RUNNING and node.number not in numbers and _has_model(node)
    ]
    waiting = [
        node
        for node in plan.nodes
        if node.status is Status.PENDING
        and not node.is_replaced
        and node.number not in numbers
        and _has_model(node)
    ]
    used = await reader.used_since([plan.id, *(node.child_id for node in running)], plan.started_at)
    return shares(
        plan.definition.limits,
        used.get(plan.id, Used()),
        [
            Promise(child.limits, used.get(child.id, Used()))
            for node in running
            if (child := outcomes.children.get(node.child_id)) is not None
        ],
        {node.number: float(node.definition.size.weight) for node in new if _has_model(node)},
        float(sum(node.definition.size.weight for node in waiting)),
    )


def _has_model(node: StoredNode) -> bool:
    return form_of(node.definition).has_model
