"""Plans that a person has edited before approving them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import JsonValue

from activities.kinds.base import Installed
from activities.off_loop import off_loop
from activities.plans.checking import Ground, problems_with_nodes
from activities.plans.opening import MAKE_PLAN
from activities.plans.registered import registered_ability
from activities.store.approvals import AskedCall
from activities.store.reading.plan_calls import PLAN_CALL
from activities.store.reading.tasks import StoredTask
from api.errors import InvalidRequest
from api.services import Services
from api.tasks.kinds.base import wrong
from api.wire.requests import ApprovalRequest
from workflows.definitions.plan import Node, Plan
from workflows.definitions.plan_checking import problems_of
from workflows.pointers import MAX_PROBLEMS, Problem

Nodes = Sequence[Mapping[str, JsonValue]]

_AT = "/nodes"


def edited_nodes(request: ApprovalRequest) -> Nodes | None:
    """The nodes as a call has them among its arguments; None when nobody has edited any."""
    if request.nodes is None:
        return None
    return [node.model_dump(mode="json", exclude_defaults=True) for node in request.nodes]


async def check_edited(
    services: Services, task: StoredTask, call: AskedCall, request: ApprovalRequest
) -> None:
    """Judge edited nodes as those of the model are judged. Raises ``InvalidRequest``."""
    if request.nodes is None:
        return
    if request.decision != "approve":
        raise wrong(_AT, "nodes are for a plan that is approved; say in the note what to change")
    if call.task_type != PLAN_CALL or call.context.get("tool") != MAKE_PLAN:
        raise wrong(_AT, f"call {call.name!r} makes no plan, so it has no nodes to edit")
    if problems := await _problems(services.installed, task, request.nodes):
        raise InvalidRequest(problems)


async def _problems(installed: Installed, task: StoredTask, nodes: Sequence[Node]) -> list[Problem]:
    plan = Plan.model_validate(task.definition)
    # Who may approve the plan need not give a reason for each node.
    found = await off_loop(problems_of, nodes, plan, task.inputs, at=_AT, new=())
    if len(nodes) > plan.max_nodes:
        return found
    ability = await registered_ability(installed, task.team_id, plan.agent)
    ground = Ground(installed, task.team_id, plan, tuple(task.inputs), ability)
    placed = [(f"{_AT}/{index}", node) for index, node in enumerate(nodes)]
    # Some things are found twice: as a part of the whole, and in the node by itself.
    return list(dict.fromkeys([*found, *await problems_with_nodes(ground, placed)]))[:MAX_PROBLEMS]


def with_nodes(call: AskedCall, nodes: Nodes) -> AskedCall:
    """The call as its row has it once these are written down."""
    arguments = {**call.context.get("arguments", {}), "nodes": list(nodes)}
    arguments.pop("atomic", None)
    return replace(call, context={**call.context, "arguments": arguments})


def has_other_nodes(call: AskedCall, request: ApprovalRequest) -> bool:
    """Whether a call that was decided on is one with other nodes than these."""
    nodes = edited_nodes(request)
    return nodes is not None and nodes != call.context.get("arguments", {}).get("nodes")
