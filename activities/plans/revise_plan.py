"""``revise_plan``, the call by which a planner changes what is pending after nodes have failed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from activities.off_loop import off_loop
from activities.plans.checking import (
    Ground,
    Placed,
    count_problem,
    listed,
    parsed,
    problems_with_nodes,
)
from activities.plans.node_schema import node_schema
from activities.plans.opening import REVISE_PLAN
from activities.store.reading.plans import StoredNode, StoredPlan
from activities.tools.offered import OfferedTool
from workflows.definitions.plan import MAX_ADDED, Node, Revision
from workflows.definitions.plan_checking import problems_of
from workflows.pointers import Problem
from workflows.states import Permission, Status

_DESCRIPTION = (
    "Change the nodes that are pending, after others have failed. What has run stays as it is: "
    "failed nodes are out, and pending ones that wait for them are rewired or dropped. A revision "
    "that changes nothing says that nothing can be done."
)
_NAMES_SHOWN = 20


def revise_plan(ground: Ground, stored: StoredPlan) -> OfferedTool:
    """The call as a planner is offered it."""

    async def check(arguments: Mapping[str, JsonValue]) -> Sequence[tuple[str, str]]:
        return listed(await _problems(ground, stored, arguments))

    node = node_schema(ground.plan)
    return OfferedTool(
        REVISE_PLAN,
        _DESCRIPTION,
        {
            "type": "object",
            "properties": {
                "reason": {
                    "type": "string",
                    "description": "Why this mends it, or why nothing can be done.",
                },
                "add": {
                    "type": "array",
                    "items": node,
                    "description": f"New nodes, at most {MAX_ADDED}, under ids of their own.",
                },
                "drop": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "Ids of pending nodes.",
                },
                "rewire": {
                    "type": "array",
                    "items": node,
                    "description": "Pending nodes as they are to be from now on.",
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


@dataclass(frozen=True, slots=True)
class _Standing:
    """A plan in mid-run: nodes that ran to their end, well or badly, and those to come."""

    completed: Mapping[str, Node]
    pending: Mapping[str, Node]
    known: Mapping[str, StoredNode]

    @classmethod
    def of(cls, stored: StoredPlan) -> "_Standing":
        living = [node for node in stored.nodes if not node.is_replaced]
        return cls(
            {node.name: node.definition for node in living if node.status is Status.COMPLETED},
            {node.name: node.definition for node in living if node.status is Status.PENDING},
            stored.by_name,
        )

    def changed(self, revision: Revision) -> list[Placed]:
        """All nodes of the plan as revised, with the pointers of those that are new in it."""
        places = enumerate(revision.rewire)
        rewired = {node.id: (f"/rewire/{index}", node) for index, node in places}
        kept = [rewired.get(name, ("", node)) for name, node in self.pending.items()]
        return [
            *(("", node) for node in self.completed.values()),
            *((at, node) for at, node in kept if node.id not in revision.drop),
            *((f"/add/{index}", node) for index, node in enumerate(revision.add)),
        ]

    def untouchable(self, name: str) -> str | None:
        """Why a node cannot be changed; None when it can."""
        if name in self.pending:
            return None
        pending = ", ".join(list(self.pending)[:_NAMES_SHOWN]) or "none"
        if name not in self.known:
            return f"there is no node {name[:100]!r} (pending: {pending})"
        state = self.known[name].status.value
        return f"node {name!r} is {state}, and only pending ones can be changed: {pending}"


async def _problems(
    ground: Ground, stored: StoredPlan, arguments: Mapping[str, JsonValue]
) -> list[Problem]:
    most = {"add": MAX_ADDED, "rewire": ground.plan.max_nodes, "drop": ground.plan.max_nodes}
    too_many = [
        problem
        for field, number in most.items()
        for problem in count_problem(arguments, field, number)
    ]
    if too_many:
        return too_many
    revision, problems = await off_loop(parsed, Revision, arguments)
    if revision is None:
        return problems
    if revision.is_empty:
        blank = not revision.reason.strip()
        return [Problem("/reason", "say why nothing can be done")] if blank else []
    standing = _Standing.of(stored)
    nodes = standing.changed(revision)
    found = [
        *_touched(standing, revision),
        *await off_loop(_unsound, ground, nodes),
        *await problems_with_nodes(ground, [(at, node) for at, node in nodes if at]),
    ]
    # Of one place the first is the plainest.
    return list({item.pointer or item.message: item for item in reversed(found)}.values())[::-1]


def _touched(standing: _Standing, revision: Revision) -> Iterator[Problem]:
    for index, name in enumerate(revision.drop):
        if reason := standing.untouchable(name):
            yield Problem(f"/drop/{index}", reason)
    for index, node in enumerate(revision.rewire):
        if reason := standing.untouchable(node.id):
            yield Problem(f"/rewire/{index}/id", reason)
        elif node.id in revision.drop:
            yield Problem(f"/rewire/{index}/id", f"node {node.id!r} is dropped as well")
        elif any(other.id == node.id for other in revision.rewire[:index]):
            yield Problem(f"/rewire/{index}/id", f"node {node.id!r} is rewired twice")
    for index, node in enumerate(revision.add):
        if node.id in standing.known:
            message = f"there was a node {node.id!r} already; take another id"
            yield Problem(f"/add/{index}/id", message)


def _unsound(ground: Ground, nodes: Sequence[Placed]) -> Iterator[Problem]:
    """What is wrong with the plan as a whole, told of the nodes that the revision names."""
    # The others may be nodes of a person, who need not give a reason.
    new = {node.id for at, node in nodes if at}
    for problem in problems_of([node for _, node in nodes], ground.plan, ground.given, new=new):
        number, slash, rest = problem.pointer.removeprefix("/nodes/").partition("/")
        if not number.isdigit():
            yield Problem("", problem.message)
            continue
        at, node = nodes[int(number)]
        if at:
            yield Problem(f"{at}{slash}{rest}", problem.message)
        else:
            yield Problem("", f"{node.id!r} is neither rewired nor dropped: {problem.message}")
