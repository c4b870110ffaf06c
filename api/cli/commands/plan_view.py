"""A plan as the API tells it: its nodes as a tree, its revisions, and what it costs."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from api.cli import terminal
from api.cli.display.amounts import counted, dollars, duration, elapsed
from api.cli.display.glyphs import glyphs_of
from api.cli.display.plan_frames import command_lines
from api.cli.display.plan_tree import TreeNode, tree_lines
from api.cli.terminal import safe_line
from api.wire.responses.approvals import AskedCall
from api.wire.responses.plans import PlanBudget, PlanNode, PlanOfTask, PlanRevision
from workflows.states import Status

PLAN_CALL = "plan"

_INDENT = "  "


def plan_lines(task_id: str, plan: PlanOfTask) -> Iterator[Text]:
    """Indented where a model chose the words: they cannot pass for a line of ours."""
    if plan.is_edited:
        yield Text(f"{_INDENT}A person has edited the nodes.", style="italic")
    elif plan.reason:
        yield Text(f"{_INDENT}{safe_line(plan.reason)}", style="italic")
    nodes = [_tree_node(task_id, node) for node in plan.nodes]
    yield from tree_lines(nodes, glyphs_of(terminal.stdout()))
    if not nodes:
        yield Text(f"{_INDENT}not planned yet", style="dim")
    for number, revision in enumerate(plan.revisions, 1):
        yield from _revision_lines(number, revision)
    yield Text(f"{_INDENT}{_used(plan)}", style="dim")


def waiting_lines(task_id: str, calls: Sequence[AskedCall]) -> Iterator[Text]:
    """What can be typed about a plan that waits for a person."""
    for call in calls:
        if call.type == PLAN_CALL:
            yield Text(f"{_INDENT}{safe_line(call.name)} waits for your approval", style="yellow")
            yield from command_lines(task_id, call.name, call)


def _tree_node(task_id: str, node: PlanNode) -> TreeNode:
    note = str(node.error.get("message", "")) if node.error else ""
    if node.status is Status.WAITING:
        note = f"waits for you: agentos approvals {task_id}/{node.id}"
    return TreeNode(
        id=node.id,
        title=node.title,
        kind=node.kind.value,
        depends_on=node.depends_on,
        status=node.status,
        took=elapsed(node.started_at, node.finished_at),
        note=note,
        is_out=node.is_out,
    )


def _revision_lines(number: int, revision: PlanRevision) -> Iterator[Text]:
    yield Text(f"{_INDENT}revision {number}: {safe_line(revision.reason)}", style="italic")
    for word, names in (
        ("added", [str(node.get("id", "")) for node in revision.add]),
        ("dropped", revision.drop),
        ("rewired", [str(node.get("id", "")) for node in revision.rewire]),
    ):
        if names:
            yield Text(f"{_INDENT * 2}{word} {safe_line(', '.join(names))}", style="dim")


def _used(plan: PlanOfTask) -> str:
    spent = f"used {', '.join(_amounts(plan.spent)) or 'nothing'}"
    if plan.spent.seconds:
        spent += f" in {duration(plan.spent.seconds)} of work"
    estimate = _amounts(plan.estimate)
    if plan.estimate.seconds is not None:
        estimate.append(duration(plan.estimate.seconds))
    return f"{spent} (estimate: {', '.join(estimate)})" if estimate else spent


def _amounts(budget: PlanBudget) -> list[str]:
    """Tokens and dollars."""
    tokens = [] if budget.tokens is None else [counted(budget.tokens, "token")]
    return [*tokens, dollars(budget.cost_usd)] if budget.cost_usd else tokens
