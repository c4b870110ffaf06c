"""``make_plan``, the call by which a planner splits a task."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from activities.off_loop import off_loop
from activities.plans.checking import (
    Ground,
    count_problem,
    listed,
    parsed,
    problems_with_nodes,
)
from activities.plans.node_schema import node_schema
from activities.plans.opening import MAKE_PLAN
from activities.tools.offered import OfferedTool
from workflows.definitions.plan import Proposal
from workflows.definitions.plan_checking import problems_of
from workflows.pointers import Problem
from workflows.states import Permission

_DESCRIPTION = (
    "Say how the task is split. Its nodes run as soon as they can, and the result of this call is "
    "what became of them. Where one agent should do all of it, atomic is true, and there are no "
    "nodes."
)


def make_plan(ground: Ground) -> OfferedTool:
    """The call as a planner is offered it."""

    async def check(arguments: Mapping[str, JsonValue]) -> Sequence[tuple[str, str]]:
        return listed(await _problems(ground, arguments))

    return OfferedTool(
        MAKE_PLAN,
        _DESCRIPTION,
        {
            "type": "object",
            "properties": {
                "nodes": {"type": "array", "items": node_schema(ground.plan)},
                "atomic": {"type": "boolean"},
                "reason": {
                    "type": "string",
                    "description": "Why it is split in this way, or not at all, in a sentence.",
                },
            },
            "required": ["reason"],
            "additionalProperties": False,
        },
        permission=Permission.ASK if ground.plan.approve else Permission.AUTO,
        is_retry_safe=True,
        made_as="plan",
        check=check,
    )


async def _problems(ground: Ground, arguments: Mapping[str, JsonValue]) -> list[Problem]:
    if too_many := count_problem(arguments, "nodes", ground.plan.max_nodes):
        return too_many
    proposal, problems = await off_loop(parsed, Proposal, arguments)
    if proposal is None:
        return problems
    if proposal.atomic and not proposal.nodes:
        return []
    if proposal.atomic:
        return [Problem("/atomic", "either the task is atomic, or it has nodes: leave one out")]
    problems = await off_loop(problems_of, proposal.nodes, ground.plan, ground.given)
    placed = [(f"/nodes/{index}", node) for index, node in enumerate(proposal.nodes)]
    return [*problems, *await problems_with_nodes(ground, placed)]
