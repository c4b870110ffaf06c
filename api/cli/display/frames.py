"""Pictures of a task's progress: lines of styled text, none of them wider than the terminal."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.padding import Padding
from rich.text import Text

from api.cli.display.amounts import (
    clock,
    counted,
    duration,
    failure_text,
    items_text,
    seconds_between,
)
from api.cli.display.definition_errors import OF_EITHER, OF_ITS_CODE, OF_THE_PIPELINE
from api.cli.display.glyphs import UNICODE, Glyphs, style_of
from api.cli.display.progress import StepProgress, TaskProgress
from api.cli.terminal import safe_line
from workflows.errors import said_in
from workflows.events import ArtifactCreated
from workflows.item_names import step_of
from workflows.states import Status

_NAME_CHARACTERS = 24
LINE_CHARACTERS = 300
_TIME_COLUMNS = 9
_ARTIFACTS_SHOWN = 4
_ITEMS_SHOWN = 3
_OUTPUT_LINES_OF_FAILURE = 8
_ENDED: Mapping[str, str] = {
    Status.COMPLETED: "completed in",
    Status.BLOCKED: "failed every attempt, after",
}


def frame(
    task: TaskProgress, now: datetime, glyphs: Glyphs = UNICODE, height_lines: int | None = None
) -> Group:
    """A task under way: a line for it and one for each step, with what belongs to the step.

    When that is more than ``height_lines``, steps at the top that are done share one line and
    those at the bottom that wait share another: what is being done stays in sight.
    """
    blocks = _blocks(task, now, glyphs)
    if height_lines is not None:
        blocks = _fitted(blocks, list(task.steps.values()), height_lines - 2, glyphs)
    return Group(_headline(task, now, glyphs), *(text for block in blocks for text in block))


def picture(task: TaskProgress, now: datetime, glyphs: Glyphs = UNICODE) -> Group:
    """A task that has ended: its steps, and the summary."""
    lines = [text for block in _blocks(task, now, glyphs) for text in block]
    return Group(*lines, Text(), summary(task, now, glyphs))


def summary(
    task: TaskProgress, now: datetime, glyphs: Glyphs = UNICODE, *, told: str = ""
) -> Group:
    """How a task ended, why, and what to do next. What was ``told`` in the last line is not said
    again."""
    rows: list[tuple[str, str]] = []
    if any(task.artifacts):
        rows.append(("Files", f"agentos artifacts get {task.task_id}"))
    if task.status is not Status.COMPLETED:
        rows += _remedies(task)
    if task.temporal_url:
        rows.append(("Temporal", task.temporal_url))
    lines = [hint_line(label, value) for label, value in rows]
    return Group(verdict(task, now, glyphs), *error_lines(task, glyphs, told), Text(), *lines)


def _headline(task: TaskProgress, now: datetime, glyphs: Glyphs) -> Text:
    sign, style = glyphs.of(task.status, now.timestamp()), style_of(task.status)
    elapsed = seconds_between(task.started_at, task.ended_at or now)
    about = [
        task.status.value,
        f"{task.steps_done}/{counted(len(task.steps), 'step')}",
        duration(elapsed),
    ]
    return line(
        (f"{sign} ", style),
        (safe_line(task.name, LINE_CHARACTERS), "bold"),
        (f"  {glyphs.between.join(about)}  ", ""),
        (safe_line(task.task_id), "dim"),
    )


def _blocks(task: TaskProgress, now: datetime, glyphs: Glyphs) -> list[list[Text]]:
    widths = _widths(task)
    return [list(_step(step, now, glyphs, widths)) for step in task.steps.values()]


def _widths(task: TaskProgress) -> tuple[int, int]:
    steps = task.steps.values()
    names = max((Text(_name(step.name)).cell_len for step in steps), default=0)
    return names, max((Text(_name(step.runs)).cell_len for step in steps), default=0)


def _step(
    step: StepProgress, now: datetime, glyphs: Glyphs, widths: tuple[int, int]
) -> Iterator[Text]:
    sign, style = glyphs.of(step.status, now.timestamp()), style_of(step.status)
    waits = step.status is Status.PENDING
    yield line(
        (f"  {sign} ", style),
        (_padded(_name(step.name), widths[0]), "dim" if waits else ""),
        (f"  {_padded(_name(step.runs), widths[1])}", "dim"),
        (f"  {_step_time(step, now):>{_TIME_COLUMNS}}", "dim"),
        *_item_notes(step),
        *_notes(step, now),
    )
    for item in _troubled(step):
        what = f"{item.name}: {item.error.message if item.error else ''}"
        yield line(("      ", ""), (safe_line(what, LINE_CHARACTERS), "yellow"))
    if step.status is Status.QUEUED and step.error is not None:
        yield line(("      ", ""), (safe_line(step.error.message, LINE_CHARACTERS), "yellow"))
    if step.status is Status.RUNNING:
        for text in step.last_lines(1):
            shown = safe_line(text.strip(), LINE_CHARACTERS)
            yield line((f"    {glyphs.output} ", "dim"), (shown, "dim italic"))
    yield from artifact_lines(list(step.made), glyphs, sum(widths))


def _item_notes(step: StepProgress) -> Iterator[tuple[str, str]]:
    if step.item_count is not None:
        failed = step.count(Status.FAILED, Status.BLOCKED)
        text = items_text(step.item_count, step.count(Status.COMPLETED), failed)
        yield f"  {text}", "red" if failed else "cyan"


def _troubled(step: StepProgress) -> Sequence[StepProgress]:
    """Items that wait for another attempt, or have failed."""
    found = [item for item in step.items.values() if item.error is not None]
    return found[:_ITEMS_SHOWN]


def _step_time(step: StepProgress, now: datetime) -> str:
    if step.duration_ms is not None:
        return duration(step.duration_ms / 1000)
    if step.status is Status.RUNNING:
        return duration(seconds_between(step.started_at, now))
    return ""


def _notes(step: StepProgress, now: datetime) -> Iterator[tuple[str, str]]:
    if step.status is Status.RUNNING and step.phase is not None:
        at_work = safe_line(step.detail) or step.phase.value.replace("_", " ")
        yield f"  {at_work}", "cyan"
    if step.status is Status.QUEUED and step.next_attempt_at is not None:
        wait = max(0.0, (step.next_attempt_at - now).total_seconds())
        at = clock(step.next_attempt_at, now)
        if step.waits_for:
            yield f"  waits for {step.waits_for}, until {at} at the latest", "yellow"
        else:
            yield f"  attempt {step.attempt + 1} at {at}, in {wait:.0f}s", "yellow"
    elif step.attempt > 1:
        yield f"  attempt {step.attempt}", "yellow"
    if step.cached:
        yield "  cached", "dim"


def artifact_lines(
    artifacts: Sequence[ArtifactCreated], glyphs: Glyphs, columns: int
) -> Iterator[Text]:
    for artifact in artifacts[:_ARTIFACTS_SHOWN]:
        name = _padded(safe_line(artifact.name, LINE_CHARACTERS), columns)
        size = f"  {decimal(artifact.size):>{_TIME_COLUMNS}}"
        yield line((f"    {glyphs.file} ", "green"), (name, "green"), (size, "dim"))
    if len(artifacts) > _ARTIFACTS_SHOWN:
        rest = counted(len(artifacts) - _ARTIFACTS_SHOWN, "more file")
        yield line((f"      and {rest}", "dim"))


def _fitted(
    blocks: list[list[Text]], steps: list[StepProgress], height: int, glyphs: Glyphs
) -> list[list[Text]]:
    def lines() -> int:
        return sum(len(block) for block in blocks) + (hidden_above > 0) + (hidden_below > 0)

    hidden_above = hidden_below = 0
    while lines() > height and blocks and steps[0].status is Status.COMPLETED:
        del blocks[0], steps[0]
        hidden_above += 1
    while lines() > height and blocks and steps[-1].status is Status.PENDING:
        del blocks[-1], steps[-1]
        hidden_below += 1
    above = (
        [[line((f"  {glyphs.of(Status.COMPLETED)} {counted(hidden_above, 'step')}", "green"))]]
        if hidden_above
        else []
    )
    below = (
        [[line((f"  {glyphs.of(Status.PENDING)} {counted(hidden_below, 'step')}", "dim"))]]
        if hidden_below
        else []
    )
    return [*above, *blocks, *below]


def verdict(
    task: TaskProgress,
    now: datetime,
    glyphs: Glyphs,
    *about: str,
    ended: Mapping[str, str] = _ENDED,
) -> Text:
    """How a task ended, in a line. ``ended`` says it of states whose names do not."""
    sign, style = glyphs.of(task.status), style_of(task.status)
    elapsed = duration(seconds_between(task.started_at, task.ended_at or now))
    artifacts = list(task.artifacts)
    made = f"  {counted(len(artifacts), 'file')}, {decimal(sum(a.size for a in artifacts))}"
    return line(
        (f"{sign} {safe_line(task.name, LINE_CHARACTERS)} ", style),
        (f"{ended.get(task.status, f'{task.status.value} after')} {elapsed}", ""),
        (made if artifacts else "", "dim"),
        ("".join(f"  {text}" for text in about), "dim"),
    )


def error_lines(task: TaskProgress, glyphs: Glyphs, told: str = "") -> Iterator[RenderableType]:
    """Why a task failed, unless that was ``told`` just before, and what led to it."""
    if task.error is None:
        return
    message = failure_text(task.error.message, task.error.others)
    said = said_in(task.error.message)
    step = task.find(task.error.step or "")
    printed = step.last_lines(_OUTPUT_LINES_OF_FAILURE) if step else []
    shown = [text for text in printed if not _is_said_in(said, text)]
    if message != told or shown:
        yield Text()  # Of padding, the empty line would be as long as the other.
    if message != told:
        yield Padding(Text(safe_line(message)), (0, 0, 0, 2), expand=False)
    for text in shown:
        yield line((f"  {glyphs.output} ", "red"), (safe_line(text, LINE_CHARACTERS), "dim"))


def _is_said_in(said: str, text: str) -> bool:
    return bool(said) and " ".join(text.split()).removesuffix(".") == said.removesuffix(".")


def _remedies(task: TaskProgress) -> Iterator[tuple[str, str]]:
    step = task.error.step if task.error else None
    if step is not None:
        yield "Log", f"agentos logs {task.task_id} --step {shlex.quote(step)}"
    # An item, or one of several that have failed: all that is not completed runs again.
    is_whole = step in task.steps and not (task.error and task.error.others)
    code = task.error.code if task.error and task.parent_id is None else ""
    is_certain = code in OF_THE_PIPELINE or (code in OF_ITS_CODE and _runs_code(task, step))
    if not is_certain:
        yield "Retry", retry_command(task, step if is_whole else None)
    if is_certain or code in OF_EITHER:
        yield ("Retry" if is_certain else "or"), f"agentos retry {task.task_id} --pipeline FILE"


def _runs_code(task: TaskProgress, step: str | None) -> bool:
    whole = task.steps.get(step_of(step or ""))
    return whole is not None and whole.runs.endswith(" code")


def retry_command(task: TaskProgress, begin: str | None = None) -> str:
    """What runs a task again, from ``begin`` on; a node is run again by its plan only."""
    task_id = task.task_id
    if task.parent_id is not None:
        task_id, begin = task.parent_id, task_id
    return f"agentos retry {task_id}" + (f" --from {begin}" if begin is not None else "")


def hint_line(label: str, value: str) -> Text:
    """One of the last lines: what to type next, or where to look."""
    # Left to the terminal to wrap: a URL that is cut in two cannot be clicked.
    parts = ((f"  {label:<10}", "dim"), safe_line(value))
    return Text.assemble(*parts, no_wrap=True, overflow="ignore")


def line(*parts: tuple[str, str]) -> Text:
    """Pairs of text and style; cut where the terminal ends."""
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def _name(text: str) -> str:
    return safe_line(text, _NAME_CHARACTERS)


def _padded(text: str, columns: int) -> str:
    return text + " " * max(0, columns - Text(text).cell_len)
