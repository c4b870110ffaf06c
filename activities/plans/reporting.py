"""What the planner is told of its nodes, and whether that ends the task."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import JsonValue

from activities.agents.observations import fenced
from activities.plans.outcomes import Outcomes
from activities.store.reading.plans import StoredNode, StoredPlan
from activities.tools.schemas import check_instance
from workflows.definitions.plan_checking import sinks
from workflows.errors.plans import NodesFailed
from workflows.states import Status

# In characters, of what a node has said, in a report to the planner.
SUMMARY_CHARACTERS = 2_000
ERROR_CHARACTERS = 600
FILES_SHOWN = 20
_NAMES_SHOWN = 10

_ALL = "All nodes have completed."
_WITHOUT = ", and the plan goes on without it"


def incomplete(plan: StoredPlan) -> Sequence[StoredNode]:
    """The nodes that the plan needs and does not have."""
    return [
        node for node in plan.nodes if node.status is not Status.COMPLETED and not node.is_replaced
    ]


def check_complete(plan: StoredPlan) -> None:
    """Raises ``NodesFailed`` where nodes are missing and the plan may not be revised any more."""
    missing = incomplete(plan)
    if not missing or plan.may_be_revised:
        return
    ended = [node for node in missing if node.status.is_final]
    waiting = [node for node in missing if not node.status.is_final]
    parts = (("Failed or cancelled", ended), ("Never begun", waiting))
    error = NodesFailed(nodes=" ".join(f"{word}: {_listed(of)}." for word, of in parts if of))
    first = next((node for node in ended if node.error is not None), None)
    if first is not None and first.error is not None:
        error.said = f"{first.name}: {first.error.message[:ERROR_CHARACTERS]}"
    raise error


def _listed(nodes: Sequence[StoredNode]) -> str:
    names = [node.name for node in nodes]
    return ", ".join(names[:_NAMES_SHOWN]) + ", ..." * (len(names) > _NAMES_SHOWN)


async def result_of_plan(plan: StoredPlan, outcomes: Outcomes) -> Mapping[str, JsonValue] | None:
    """The result of the task, where that of the only last node fits: else the planner sums up, and
    says what is missing."""
    if incomplete(plan) or _lacks_something(plan):
        return None
    last = sinks([node.definition for node in plan.nodes if not node.is_replaced])
    result = outcomes.results.get(last[0].id) if len(last) == 1 else None
    if result is None or not result.summary:
        return None
    schema = plan.definition.output_schema
    if schema is None:
        given = {"summary": result.summary}
        return given if result.result is None else {**given, "result": result.result}
    if await check_instance(schema, result.result):
        return None
    return {"summary": result.summary, "result": result.result}


def report(plan: StoredPlan, outcomes: Outcomes) -> str:
    """The result of the planner's call, in words."""
    return "\n\n".join([" ".join(_heading(plan)), *_nodes(plan, outcomes)])


def _heading(plan: StoredPlan) -> Iterator[str]:
    missing, out = incomplete(plan), [node for node in plan.nodes if node.is_replaced]
    if missing:
        yield f"{len(missing)} of the nodes did not complete."
    else:
        yield "All nodes that the plan has now have completed." if out else _ALL
    if out:
        listed = ", ".join(f"{node.name} ({_state(node)})" for node in out[:_NAMES_SHOWN])
        more = f" and {len(out) - _NAMES_SHOWN} more" if len(out) > _NAMES_SHOWN else ""
        yield f"It goes on without {listed}{more}: what no other node made instead is missing."


def _lacks_something(plan: StoredPlan) -> bool:
    """Whether the plan goes on without a node that no added one can stand in for."""
    out = [node for node in plan.nodes if node.is_replaced]
    first = min((node.seq for node in plan.nodes), default=0)
    added = [node for node in plan.nodes if node.seq > first and not node.is_replaced]
    return any(node.is_dropped for node in out) or len(out) > len(added)


def _state(node: StoredNode) -> str:
    return "dropped" if node.is_dropped else node.status.value


def _nodes(plan: StoredPlan, outcomes: Outcomes) -> Iterator[str]:
    ends = {node.id for node in sinks([node.definition for node in plan.nodes])}
    for node in plan.nodes:
        is_left = node.is_replaced and not node.is_dropped
        state = f"{_state(node)}{_WITHOUT}" if is_left else _state(node)
        lines = [f"{node.name} ({node.definition.title}): {state}"]
        if node.error is not None and not node.is_dropped:
            said = node.error.message
            lines.append(f"It failed: {node.error.code}\n{fenced(said[:ERROR_CHARACTERS])}")
        if result := outcomes.results.get(node.name):
            # What only leads to others is told in a line: their results have it in them.
            room = SUMMARY_CHARACTERS if node.name in ends else SUMMARY_CHARACTERS // 5
            lines.append(fenced(_cut(result.summary, room)))
            lines += _files(result.files)
        yield "\n".join(lines)


def _files(names: Sequence[str]) -> Iterable[str]:
    if not names:
        return ()
    more = f", and {len(names) - FILES_SHOWN} more" if len(names) > FILES_SHOWN else ""
    return (f"Files: {', '.join(names[:FILES_SHOWN])}{more}",)


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[:characters]} ..."
