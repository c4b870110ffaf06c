"""What the page of a workflow in Temporal says for good: where the task is, and where it is from.

Names of inputs, keys and people, and the prompt, are told only where ``is_open``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from temporalio import workflow

from workflows.contracts import task_id_of
from workflows.markdown import block, code, codes

# Of the prompt: enough to know the task by. Each run keeps its own.
_PROMPT_CHARACTERS = 300
_PAGE = "page"


@dataclass(frozen=True, slots=True)
class Told:
    """A task as its page in Temporal tells of it. ``page`` is where the web page is, if known;
    ``origin`` is Markdown."""

    task_id: UUID
    type: str
    run: int
    page: str = ""
    origin: str = ""
    parts: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    prompt: str | None = None
    is_open: bool = False


def details_of(told: Told) -> str:
    run = f", run {told.run}" if told.run > 1 else ""
    lines = [
        f"- {told.type}{run}: {_where(told.page, told.task_id)}",
        f"- started by {told.origin}" if told.origin else "",
        f"- steps: {codes(told.parts, 30)}" if told.parts else "",
        _inputs(told),
    ]
    listed = "\n".join(filter(None, lines))
    if not told.is_open or not told.prompt:
        return listed
    return f"{listed}\n\n{block(told.prompt, _PROMPT_CHARACTERS)}"


def details_of_child(
    task_id: UUID,
    *,
    node: int | None = None,
    run_of: UUID | None = None,
) -> str:
    """Of a task that this workflow starts: a node of a plan, or the run of a schedule."""
    page, lines = page_of_workflow(), []
    if node is not None:
        plan = task_id_of(workflow.info().workflow_id)
        if plan is not None:
            lines.append(f"- node {node} of the plan {link(page, 'tasks', plan)}")
    if run_of is not None:
        lines.append(f"- started by schedule {link(page, 'schedules', run_of)}")
    return "\n".join([f"- {_where(page, task_id)}", *lines])


def page_of_workflow() -> str:
    """Where the web page is, as whoever started this workflow, or its parent, knew it."""
    return workflow.memo_value(_PAGE, "", type_hint=str)


def memo(run: int, page: str) -> Mapping[str, object]:
    """The memo of a workflow that runs a task, or an agent."""
    return {"run": run, _PAGE: page} if page else {"run": run}


def memo_of_child(run: int) -> Mapping[str, object]:
    return memo(run, page_of_workflow())


def link(page: str, kind: str, target: UUID) -> str:
    """To the page of a task, an agent or a schedule; its id where nobody knows the address."""
    short = f"`{str(target)[:8]}`"
    return f"[{short}]({page}/{kind}/{target})" if page else short


def _where(page: str, task_id: UUID) -> str:
    shown = code(f"agentos show {task_id}")
    return f"[open in AgentOS]({page}/tasks/{task_id}), {shown}" if page else shown


def _inputs(told: Told) -> str:
    if not told.inputs:
        return ""
    if told.is_open:
        return f"- inputs: {codes(told.inputs, 30)}"
    return f"- inputs: {len(told.inputs)}"
