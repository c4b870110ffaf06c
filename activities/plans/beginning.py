"""Nodes that begin: their tasks are written down, each with its part of the budget."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from activities.plans.budget import Budget, Demand, Promise, Share
from activities.plans.children import Means, child_of, form_of, parallel_of, turn_tokens
from activities.plans.outcomes import Outcomes, outcomes_of
from activities.store.plans import NodeTask, PlanWriter
from activities.store.reading.plan_usage import Used
from activities.store.reading.plans import PlanReader, StoredNode, StoredPlan
from activities.store.tasks import NewTask
from workflows.contracts import Failure
from workflows.errors import AgentOSError
from workflows.errors.plans import NodeInputMissing
from workflows.plan_contracts import NodesCall
from workflows.states import Status

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Begun:
    """A node whose task is there. ``is_over``: it ran before, or cannot run."""

    node: StoredNode
    is_over: bool = False


async def begin(writer: PlanWriter, call: NodesCall, count: Count) -> Sequence[Begun]:
    """Write down the tasks of the nodes of a call, where they are not yet there or have to run
    again.

    Those that the budget does not suffice for stay pending while others run, which may leave
    something. ``count`` counts the tokens of a prompt.
    """
    await writer.hold(call.seq)
    plan = await writer.read()
    wanted = sorted(
        (node for node in plan.nodes if node.number in call.nodes),
        key=lambda node: call.nodes.index(node.number),
    )
    needed = {name for node in wanted for name in node.dependencies}
    outcomes = await outcomes_of(writer.reader, plan, needed)
    new = [node for node in wanted if _has_to_begin(node, outcomes)]
    begun = [Begun(node, is_over=_is_over(node, outcomes)) for node in wanted if node not in new]
    # They have their limits, and part of their work is done.
    resumed = [node for node in new if _resumes(node, outcomes)]
    anew = [node for node in new if node not in resumed]
    budget = await _budget(writer.reader, plan, new, outcomes)
    # Beside the event loop: prompts may be long.
    shares = await asyncio.to_thread(_shares, budget, plan, anew, outcomes, count)
    fit: list[NodeTask] = []
    waiting = [node for node in anew if _has_model(node) and node.number not in shares]
    for node in [node for node in new if node not in waiting]:
        means = Means(shares.get(node.number), call.seconds, parallel_of(plan))
        child = await _child_or_end(writer, plan, node, means, outcomes)
        if child is not None:
            has_run = node.child_id in outcomes.children
            fit.append(NodeTask(node, child, has_run, resumes=node in resumed))
        begun.append(Begun(node, is_over=child is None))
    if fit:
        again = [each.child.id for each in fit if each.has_run and not each.resumes]
        await writer.keep_used(plan, again)
        await writer.begin(fit)
    if begun or call.others_run:
        await writer.put_back(waiting)
        return begun
    for node in waiting:
        await _fail(writer, node, budget.error(node.name))
    return [Begun(node, is_over=True) for node in waiting]


async def _child_or_end(
    writer: PlanWriter, plan: StoredPlan, node: StoredNode, means: Means, outcomes: Outcomes
) -> NewTask | None:
    """The task that a node becomes. One that lacks an input has failed, and there is none."""
    try:
        return child_of(plan, node, means, outcomes.before(node), outcomes.files)
    except NodeInputMissing as error:
        await _fail(writer, node, error)
        return None


async def _fail(writer: PlanWriter, node: StoredNode, error: AgentOSError) -> None:
    failure = Failure(code=error.code, message=str(error), step=node.name)
    await writer.end(node, Status.FAILED, failure)


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


def _resumes(node: StoredNode, outcomes: Outcomes) -> bool:
    """Whether its task was made ready to begin in the midst, when a person retried the plan: one
    that begins as a whole has no first step."""
    child = outcomes.children.get(node.child_id)
    return child is not None and child.status is Status.PENDING and child.first_step > 0


def _is_over(node: StoredNode, outcomes: Outcomes) -> bool:
    return node.status.is_final or outcomes.children[node.child_id].status.is_final


async def _budget(
    reader: PlanReader, plan: StoredPlan, new: Sequence[StoredNode], outcomes: Outcomes
) -> Budget:
    running = [
        node
        for node in plan.nodes
        if node.status is Status.RUNNING and node not in new and _has_model(node)
    ]
    used = await reader.used_since([plan.id, *(node.child_id for node in running)], plan.started_at)
    return Budget(
        plan.definition.limits,
        used.get(plan.id, Used()),
        [
            Promise(child.limits, used.get(child.id, Used()))
            for node in running
            if (child := outcomes.children.get(node.child_id)) is not None
        ],
    )


def _shares(
    budget: Budget,
    plan: StoredPlan,
    new: Sequence[StoredNode],
    outcomes: Outcomes,
    count: Count,
) -> Mapping[int, Share]:
    """The shares of those of the ``new`` nodes that can begin now, of those that need one."""
    demands = {
        node.number: Demand(
            float(node.definition.size.weight),
            turn_tokens(plan, node, outcomes.before(node), count),
        )
        for node in new
        if _has_model(node)
    }
    later = [
        node
        for node in plan.nodes
        if node.status is Status.PENDING
        and not node.is_replaced
        and node.number not in demands
        and _has_model(node)
    ]
    return budget.shares(demands, float(sum(node.definition.size.weight for node in later)))


def _has_model(node: StoredNode) -> bool:
    return form_of(node.definition).has_model
