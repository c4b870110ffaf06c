"""Plans of the store as the answers of the API."""

from collections.abc import Sequence
from uuid import UUID

from activities.plans.opening import MAKE_PLAN, nodes_of
from activities.store.reading.plan_details import PlanDetails, ShownNode, find_plan
from api.errors import NotFound, PlanMissing
from api.services import Services
from api.wire.responses.plans import PlanBudget, PlanNode, PlanOfTask, PlanRevision
from workflows.definitions.agent import Limits
from workflows.definitions.plan import Node
from workflows.definitions.plan_checking import dependencies_of
from workflows.states import Status, TaskType


async def plan_of_task(services: Services, team_id: UUID, task_id: UUID) -> PlanOfTask:
    """Raises ``NotFound`` and ``PlanMissing``."""
    plan = await find_plan(services.database, team_id, task_id, MAKE_PLAN)
    if plan is None:
        raise NotFound(kind="task", id=task_id)
    if isinstance(plan, TaskType):
        raise PlanMissing(id=task_id, type=plan)
    return answer_of(plan)


def answer_of(plan: PlanDetails) -> PlanOfTask:
    used = plan.spent
    spent = PlanBudget(tokens=used.tokens, cost_usd=used.cost_usd, seconds=plan.seconds)
    return PlanOfTask(
        nodes=[_node(node) for node in plan.nodes] or _awaited(plan),
        revisions=[
            PlanRevision(
                reason=item.reason,
                add=[dict(node) for node in item.add],
                drop=list(item.drop),
                rewire=[dict(node) for node in item.rewire],
                at=item.at,
            )
            for item in plan.revisions
        ],
        estimate=_estimate(plan),
        spent=spent,
        reason=plan.call and plan.call.arguments.get("reason"),
    )


def _node(stored: ShownNode) -> PlanNode:
    node = Node.model_validate(stored.definition)
    return _answer(node, stored.dependencies).model_copy(
        update={
            "id": stored.name,
            "status": stored.status,
            "task_id": stored.child_id,
            "error": stored.error and stored.error.model_dump(exclude_none=True),
            "number": stored.number,
            "is_out": stored.is_out,
            "summary": stored.summary,
            "started_at": stored.started_at,
            "finished_at": stored.finished_at,
        }
    )


def _awaited(plan: PlanDetails) -> list[PlanNode]:
    """The nodes that somebody has to approve: they have no rows yet."""
    call = plan.call
    if call is None or call.status.is_final or call.decision == "deny":
        return []
    nodes = nodes_of(call.arguments, plan)
    return [_answer(node, sorted(dependencies_of(node))) for node in nodes]


def _answer(node: Node, dependencies: Sequence[str]) -> PlanNode:
    shown = node.model_dump(mode="json")
    return PlanNode.model_validate(
        {**shown, "depends_on": list(dependencies), "status": Status.PENDING}
    )


def _estimate(plan: PlanDetails) -> PlanBudget:
    whole = plan.definition.limits
    nodes = [node for node in plan.nodes if not node.is_out]
    if not nodes or any(node.child_id is None for node in nodes):
        return PlanBudget(
            tokens=whole.tokens, cost_usd=whole.cost_usd, seconds=float(whole.seconds)
        )
    # A pipeline has no limit but those of its steps.
    is_known = all(node.child_limits is not None for node in nodes)
    granted = {
        node.name: Limits.model_validate(node.child_limits)
        for node in nodes
        if node.child_limits is not None
    }
    costs = [limits.cost_usd for limits in granted.values() if limits.cost_usd is not None]
    return PlanBudget(
        tokens=min(whole.tokens, plan.own.tokens_used + sum(g.tokens for g in granted.values())),
        cost_usd=whole.cost_usd and min(whole.cost_usd, plan.own.cost_usd + sum(costs)),
        seconds=min(whole.seconds, _longest_seconds(nodes, granted) if is_known else whole.seconds),
    )


def _longest_seconds(nodes: Sequence[ShownNode], granted: dict[str, Limits]) -> float:
    """Of the paths through the plan the longest, if each node takes all that it was granted."""
    waits = {node.name: node.dependencies for node in nodes}
    lasts: dict[str, float] = {}
    for _ in nodes:  # A path has no more nodes than there are.
        for name, awaited in waits.items():
            own = granted[name].seconds if name in granted else 0.0
            lasts[name] = own + max((lasts.get(other, 0.0) for other in awaited), default=0.0)
    return max(lasts.values(), default=0.0)
