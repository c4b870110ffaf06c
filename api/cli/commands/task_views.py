"""A task, with its steps and files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import JsonValue
from rich.filesize import decimal
from rich.text import Text

from api.cli.commands.printing import (
    Cell,
    beginning,
    draw,
    print_fields,
    print_table,
    print_title,
    route_text,
    short_id,
    status_cell,
    when,
)
from api.cli.display.amounts import clock, counted, dollars, elapsed, failure_text, items_text
from api.cli.kinds.views import view_of
from api.cli.terminal import safe_line
from api.wire.responses.files import Artifact, TaskInput
from api.wire.responses.tasks import Creator, ItemCounts, SubTask, Task, Usage
from workflows.item_names import step_of
from workflows.states import Status, TaskType

_ITEMS_SHOWN = 10
_DIGEST_CHARACTERS = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """A task with what is shown beside it: a ``drawing`` of its sub-tasks, in place of a table of
    them, and what is known of its ``inputs``."""

    task: Task
    drawing: Sequence[Text] | None = None
    inputs: Sequence[TaskInput] = ()


def print_task(shown: Shown) -> None:
    task, drawing = shown.task, shown.drawing
    print_fields(_task_fields(task, shown.inputs))
    view = view_of(task.type)
    view.print_result(task)
    if drawing is not None:
        print_title(f"{view.part.capitalize()}s")
        for line in drawing:
            draw(line)
    elif task.sub_tasks:
        print_title(f"{view.part.capitalize()}s")
        columns = (view.part.upper(), "STATUS", "TRIES", "TIME", "FILES", "SKILL", "NOTE")
        rows = [_step_row(step, task) for step in _shown(task.sub_tasks)]
        print_table(columns, rows, cut="NOTE", spare=("SKILL", "FILES", "TIME"))
    if task.artifacts:
        print_title("Files")
        print_artifacts(task.artifacts)


def print_artifacts(artifacts: Sequence[Artifact]) -> None:
    print_table(
        ("ID", "NAME", "SIZE", "TYPE", "STEP"),
        [
            (short_id(item.id), item.name, decimal(item.size), item.mime_type, item.sub_task)
            for item in artifacts
        ],
        cut="NAME",
        spare=("TYPE", "STEP"),
    )


def _task_fields(task: Task, inputs: Sequence[TaskInput] = ()) -> Sequence[tuple[str, Cell]]:
    files = {given.name: given for given in inputs}
    fields: list[tuple[str, Cell]] = [
        ("Task", str(task.task_id)),
        ("Name", task.name),
        ("Status", status_cell(task.status)),
        ("Type", task.type.value),
        ("Routed", route_text(task.route.type, task.route.reason) if task.route else ""),
        ("Turn of" if task.type is TaskType.EXCHANGE else "Node of", str(task.parent_id or "")),
        ("Begun by", f"agent {task.agent_id}" if task.agent_id else ""),
        ("Priority", str(task.priority)),
        ("Run", str(task.run) if task.run > 1 else ""),
        ("Created", when(task.created_at)),
        ("Time", elapsed(task.started_at, task.finished_at)),
        ("By", _creator(task.created_by)),
        *((f"Input {name}", _input(ref, files.get(name))) for name, ref in task.inputs.items()),
        ("Prompt", beginning(task.prompt or "")),
        ("Progress", view_of(task.type).progress_note(task)),
        ("Waits for", _wait(task)),
        ("Used", "" if view_of(task.type).draws_usage else _used(task.usage)),
        ("Error", _error(task.error or {})),
        ("Temporal", task.temporal_url or ""),
    ]
    return [(label, value) for label, value in fields if value]


def _input(ref: str, given: TaskInput | None) -> Cell:
    """By the name of the file, which people know; the reference is there to be copied."""
    if given is not None and given.deleted_name is not None:
        return Text.assemble(safe_line(given.deleted_name), (f"  deleted  {safe_line(ref)}", "dim"))
    if given is None or given.file is None:
        return ref
    file = given.file
    about = f"  {decimal(file.size)}  {safe_line(ref)}"
    return Text.assemble(safe_line(file.name), (about, "dim"))


def _error(error: Mapping[str, JsonValue]) -> str:
    others = error.get("others")
    return failure_text(str(error.get("message", "")), others if isinstance(others, int) else None)


def _creator(creator: Creator | None) -> str:
    if creator is None:
        return ""
    if creator.kind == "local":
        return creator.name or "local user"
    named = creator.name or str(creator.id or "")
    return f"{creator.kind} {named}".strip()


def _wait(task: Task) -> str:
    if task.waits_for is None or task.next_attempt_at is None:
        return task.waits_for or ""
    until = clock(task.next_attempt_at, datetime.now(UTC))
    return f"{task.waits_for}; tried again at {until} at the latest"


def _used(usage: Usage) -> str:
    if not usage.turns:
        return ""
    cost = f", {dollars(usage.cost_usd)}" if usage.cost_usd else ""
    return f"{usage.tokens_used:,} tokens{cost}"


def _shown(sub_tasks: Sequence[SubTask]) -> Sequence[SubTask]:
    """Of items only some that have failed, are tried again or were cut off: their step counts
    all of them."""
    troubled = [step for step in sub_tasks if step.item_of is not None and _is_troubled(step)]
    shown = {item.id for item in troubled[:_ITEMS_SHOWN]}
    return [step for step in sub_tasks if step.item_of is None or step.id in shown]


def _is_troubled(item: SubTask) -> bool:
    was_cut_off = item.status is Status.CANCELLED and item.started_at is not None
    return item.error is not None or was_cut_off


def _step_row(step: SubTask, task: Task) -> Sequence[Cell]:
    files = sum(step.name in (made.sub_task, step_of(made.sub_task)) for made in task.artifacts)
    is_new = step.started_at is None
    return (
        step.name,
        status_cell(step.status),
        "" if is_new else _tries(step),
        elapsed(step.started_at, step.finished_at),
        str(files) if files else "",
        _skill(step),
        _note(step, task) if step.items is None else _items_note(step.items),
    )


def _tries(step: SubTask) -> str:
    """Those of this run, and how many there were in all."""
    tries = step.retry_count + 1
    return str(tries) if step.attempts <= tries else f"{tries} ({step.attempts} in all)"


def _skill(step: SubTask) -> str:
    """By which version of which skill it was done."""
    if step.skill is None:
        return ""
    parts = (step.skill.name, step.skill.version or "", step.skill.digest[:_DIGEST_CHARACTERS])
    return " ".join(filter(None, parts))


def _items_note(items: ItemCounts) -> str:
    return items_text(items.total, items.completed, items.failed)


def _note(step: SubTask, task: Task) -> str:
    if step.status is Status.WAITING and step.approval is not None:
        return f"waits for you until {clock(step.approval.expires_at, datetime.now(UTC))}"
    if step.status is Status.RUNNING and step.phase is not None:
        return step.phase.value.replace("_", " ")
    if step.next_attempt_at is not None and step.waits_for is not None:
        return f"waits for {step.waits_for}"
    if step.next_attempt_at is not None:
        return f"next try at {clock(step.next_attempt_at, datetime.now(UTC))}"
    if step.error is not None:
        message = str(step.error.get("message", ""))
        # The task says it already: its code is enough here.
        is_told = task.error is not None and task.error.get("message") == message
        return str(step.error.get("code", "")) if is_told else message
    notes = ["cached"] if step.cached else []
    if step.refused:
        notes.append(f"{counted(len(step.refused), 'file')} not collected")
    return ", ".join(notes)
