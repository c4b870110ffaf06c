"""Pictures of a plan at work: its nodes as a tree, and its planner while it is asked."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import JsonValue, TypeAdapter, ValidationError
from rich.console import Group, RenderableType
from rich.text import Text

from api.cli.display import agent_frames
from api.cli.display.amounts import clock, counted, duration, seconds_between
from api.cli.display.frames import (
    LINE_CHARACTERS,
    error_lines,
    hint_line,
    line,
    retry_command,
    verdict,
)
from api.cli.display.glyphs import UNICODE, Glyphs, style_of
from api.cli.display.plan_progress import MAKE_PLAN, NodeProgress, PlanProgress
from api.cli.display.plan_tree import TreeNode, tree_lines
from api.cli.terminal import safe_line
from api.wire.responses.approvals import AskedCall
from workflows.definitions.plan import Node
from workflows.events import ApprovalAsked
from workflows.states import Status

PLAN_FILE = "plan.yaml"

_ENDED: Mapping[str, str] = {
    Status.COMPLETED: "completed in",
    Status.BLOCKED: "is blocked after",
}
_INDENT = "  "
_LEAST_TREE_LINES = 3
_NODES = TypeAdapter(list[Node])


def frame(
    task: PlanProgress,
    now: datetime,
    glyphs: Glyphs = UNICODE,
    *,
    width: int = 80,
    height_lines: int | None = None,
) -> Group:
    """The nodes under way; the planner's turn while it is asked, and what waits for a person."""
    asked = [text for item in task.asked.values() for text in asked_lines(task, item, now, glyphs)]
    words: list[Text] = []
    if task.turn is not None and (task.is_planning or not task.nodes):
        words = list(agent_frames.turn_lines(task, task.turn, now, glyphs, width=width))
    most_nodes = None
    if height_lines is not None:
        asked = asked[: max(0, height_lines - 1)]
        room = max(0, height_lines - 1 - len(asked))
        kept = max(0, room - min(len(task.nodes), _LEAST_TREE_LINES))
        words = words[len(words) - kept :] if len(words) > kept else words
        most_nodes = room - len(words)
    tree = tree_of(task, now, glyphs, most_lines=most_nodes)
    return Group(_headline(task, now, glyphs), *tree, *words, *asked)


def tree_of(
    task: PlanProgress, now: datetime, glyphs: Glyphs = UNICODE, *, most_lines: int | None = None
) -> Sequence[Text]:
    nodes = [_tree_node(node, now) for node in task.nodes.values()]
    return list(tree_lines(nodes, glyphs, seconds=now.timestamp(), most_lines=most_lines))


def asked_lines(
    task: PlanProgress, asked: ApprovalAsked, now: datetime, glyphs: Glyphs = UNICODE
) -> Iterator[Text]:
    """What a person is asked: for a plan its nodes, and the commands for each possible answer."""
    nodes = nodes_in(asked.arguments)
    if not nodes:
        yield from agent_frames.asked_lines(task, asked, now, glyphs)
        return
    until = f" until {clock(asked.expires_at, now)}" if asked.expires_at else ""
    yield line(
        (f"{_INDENT}{glyphs.of(Status.WAITING)} ", style_of(Status.WAITING)),
        (safe_line(asked.step, LINE_CHARACTERS), "bold"),
        (f" waiting for you to approve {counted(len(nodes), 'node')}{until}", "yellow"),
    )
    yield from tree_lines([TreeNode.of(node) for node in nodes], glyphs, indent=_INDENT * 2)
    yield from command_lines(task.task_id, asked.step, asked)


def nodes_in(arguments: JsonValue) -> Sequence[Node]:
    """The nodes that a call makes; none where it is another call, or cut to its beginning."""
    found: Any = arguments.get("nodes") if isinstance(arguments, Mapping) else None
    try:
        return _NODES.validate_python(found or ())
    except ValidationError:
        return ()


def command_lines(task_id: str, name: str, asked: ApprovalAsked | AskedCall) -> Iterator[Text]:
    """What to type: to approve the plan, to send it back, to change it before it runs."""
    approve, deny = agent_frames.commands_for(task_id, name, asked)
    edit = f"agentos plan {safe_line(task_id)} -o {PLAN_FILE}"
    # What is left of a plan that runs already cannot be written down whole.
    edits = (edit, f"{approve} --nodes {PLAN_FILE}") if asked.tool == MAKE_PLAN else ()
    for command in (approve, f'{deny} --note "what to change"', *edits):
        # Left to the terminal to wrap: a command that is cut cannot be typed.
        text = f"{_INDENT * 2}{command}"
        yield Text(text, style="cyan", no_wrap=True, overflow="ignore")


def summary(
    task: PlanProgress, now: datetime, glyphs: Glyphs = UNICODE, *, width: int = 80
) -> Group:
    """How the plan ended, why, what its planner says of it, and what to do next."""
    rows: list[tuple[str, str]] = []
    if task.status is Status.COMPLETED:
        rows.append(("Files", f"agentos artifacts get {task.task_id}"))
    rows.append(("Nodes", f"agentos show {task.task_id}"))
    failed = next((n for n in task.nodes.values() if _has_failed(n)), None)
    if task.status is not Status.COMPLETED:
        if failed is not None:
            rows.append(("Log", f"agentos logs {task.task_id} --step {failed.plan.id}"))
        rows.append(("Retry", retry_command(task, failed.plan.id if failed else None)))
    if task.temporal_url:
        rows.append(("Temporal", task.temporal_url))
    parts: list[RenderableType] = [
        verdict(task, now, glyphs, *_about(task), ended=_ENDED),
        *error_lines(task, glyphs),
        *agent_frames.finished_lines(task, width=width),
    ]
    return Group(*parts, Text(), *(hint_line(label, value) for label, value in rows))


def _headline(task: PlanProgress, now: datetime, glyphs: Glyphs) -> Text:
    sign, style = glyphs.of(task.status, now.timestamp()), style_of(task.status)
    elapsed = duration(seconds_between(task.started_at, task.ended_at or now))
    about = [task.status.value, *_about(task), elapsed]
    return line(
        (f"{sign} ", style),
        (safe_line(task.name, LINE_CHARACTERS), "bold"),
        (f"  {glyphs.between.join(about)}  ", ""),
        (safe_line(task.task_id), "dim"),
    )


def _about(task: PlanProgress) -> list[str]:
    if not task.nodes:
        is_asked = any(nodes_in(asked.arguments) for asked in task.asked.values())
        at = "waiting for approval" if is_asked else "planning"
        return [] if task.status.is_final else [at]
    return [f"{task.nodes_done}/{counted(len(task.nodes), 'node')}"]


def _tree_node(node: NodeProgress, now: datetime) -> TreeNode:
    took = ""
    if node.started_at is not None:
        took = duration(seconds_between(node.started_at, node.ended_at or now))
    return TreeNode(
        node.plan.id,
        node.plan.title,
        node.plan.kind,
        node.plan.depends_on,
        node.status,
        took,
        node.error.message if node.error else "",
    )


def _has_failed(node: NodeProgress) -> bool:
    return node.status in (Status.FAILED, Status.BLOCKED)
