"""Plans that a person has edited before approving them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from pydantic import JsonValue

from activities.kinds.agent_validation import problems_with_agent
from activities.kinds.base import Installed
from activities.kinds.pipeline_validation import problems_with_pipeline
from activities.plans.opening import MAKE_PLAN
from activities.store.approvals import AskedCall
from activities.store.reading.plan_calls import PLAN_CALL
from activities.store.reading.tasks import StoredTask
from activities.tools.finish import FINISH
from activities.tools.selection import is_within
from api.errors import InvalidRequest
from api.services import Services
from api.tasks.kinds.base import wrong
from api.wire.requests import ApprovalRequest
from workflows.definitions.agent import Agent
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.plan import Node, NodeKind, Plan
from workflows.definitions.plan_checking import problems_of
from workflows.pointers import Problem

Nodes = Sequence[Mapping[str, JsonValue]]

_AT = "/nodes"
# Where problems with an agent are.
_AGENT = "/agent"


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
    plan = Plan.model_validate(task.definition)
    # Who may approve the plan need not give a reason for each node.
    problems = problems_of(request.nodes, plan, task.inputs, at=_AT, new=())
    for index, node in enumerate(() if problems else request.nodes):
        at = f"{_AT}/{index}"
        problems += await _not_installed(services.installed, task.team_id, node, at) or _beyond(
            plan, node, at
        )
    if problems:
        raise InvalidRequest(problems)


def _beyond(plan: Plan, node: Node, at: str) -> list[Problem]:
    """What a node is not given: more than agents of the plan may use."""
    skills, tools = plan.agent.skills, plan.agent.tools
    return [
        *(
            Problem(f"{at}/skills/{index}", f"agents of this plan may not use the skill {name!r}")
            for index, name in enumerate(node.skills or ())
            if skills is not None and name not in skills
        ),
        *(
            Problem(f"{at}/tools/{index}", f"agents of this plan may not use {name!r}")
            for index, name in enumerate(node.tools or ())
            if name != FINISH and not is_within(name, tools)
        ),
    ]


async def _not_installed(installed: Installed, team_id: UUID, node: Node, at: str) -> list[Problem]:
    if node.kind is NodeKind.PIPELINE:
        pipeline = Pipeline(name=node.id, inputs=list(node.inputs), steps=node.steps or [])
        return await problems_with_pipeline(installed, team_id, pipeline, node.inputs, at)
    agent = Agent(skills=node.skills, tools=node.tools, output_schema=node.output_schema)
    found = await problems_with_agent(installed, team_id, agent, {})
    return [
        Problem(f"{at}{problem.pointer.removeprefix(_AGENT)}", problem.message)
        for problem in found
        if problem.pointer.startswith(_AGENT)
    ]


def with_nodes(call: AskedCall, nodes: Nodes) -> AskedCall:
    """The call as its row has it once these are written down."""
    arguments = {**call.context.get("arguments", {}), "nodes": list(nodes)}
    arguments.pop("atomic", None)
    return replace(call, context={**call.context, "arguments": arguments})


def has_other_nodes(call: AskedCall, request: ApprovalRequest) -> bool:
    """Whether a call that was decided on is one with other nodes than these."""
    nodes = edited_nodes(request)
    return nodes is not None and nodes != call.context.get("arguments", {}).get("nodes")
