"""``agentos diff``: in what two tasks differ."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.text import Text

from api.cli import terminal
from api.cli.commands.options import Format, NoPager, Output, TaskId, talk
from api.cli.commands.printing import (
    Cell,
    print_json,
    print_table,
    print_title,
    short_id,
    status_cell,
    when,
)
from api.cli.commands.task_ids import find_task_id
from api.cli.display.amounts import duration
from api.cli.pager import paged
from api.cli.terminal import safe_line, safe_text
from api.client import AsyncClient as Client
from api.wire.responses.comparison import (
    ComparedFile,
    ComparedStep,
    ComparedTask,
    ComparedValue,
    Comparison,
    FileOfRun,
    StepRun,
)

_VALUE_LINES = 40


def diff(
    context: typer.Context,
    task: TaskId,
    other: Annotated[
        str | None,
        typer.Argument(
            metavar="ID2",
            show_default=False,
            help="With it, what has changed from the first to this one. Without it, from the last "
            "one of the same name that was completed before.",
        ),
    ] = None,
    no_pager: NoPager = False,
    output: Output = Format.TABLE,
) -> None:
    """Show in what two tasks differ: definition, inputs, result, times and files."""

    async def converse(client: Client) -> Comparison:
        first = await find_task_id(client, task)
        if other is None:
            return await client.compare(first)
        return await client.compare(await find_task_id(client, other), first)

    found = talk(context, converse)
    if output is Format.JSON:
        print_json(found)
        return
    with paged(wanted=not no_pager):
        print_comparison(found)


def print_comparison(found: Comparison) -> None:
    tasks = [each for each in (found.other, found.task) if each is not None]
    columns = ("TASK", "STATUS", "NAME", "RUN", "TIME", "CREATED")
    print_table(columns, list(map(_task_row, tasks)), cut="NAME", spare=("CREATED", "RUN"))
    if found.other is None:
        note = "No task of this name was completed before it. Name two: agentos diff ID ID2"
        terminal.stderr().print(note, style="dim", soft_wrap=True)
        return
    for title, values in (
        (
            "Inputs",
            [
                ComparedValue(pointer=each.name, task=each.task, other=each.other)
                for each in found.inputs
            ],
        ),
        ("Definition", found.definition),
        ("Result", found.result),
    ):
        print_values(title, values)
    if found.is_cut:
        terminal.stderr().print("There is more that differs; -o json has as much.", style="dim")
    _print_steps(found.steps)
    _print_files(found.files)


def print_values(title: str, values: Sequence[ComparedValue]) -> None:
    """What was is ``-``, what is now ``+``, as with diff."""
    if not values:
        return
    print_title(title)
    for value in values:
        terminal.stdout().print(Text(safe_line(value.pointer or "/"), style="bold"), soft_wrap=True)
        for sign, text, style in (("-", value.other, "red"), ("+", value.task, "green")):
            for line in _lines(text):
                terminal.stdout().print(Text(f"  {sign} {line}", style=style), soft_wrap=True)


def _lines(text: str | None) -> Iterator[str]:
    if text is None:
        return
    lines = safe_text(text).split("\n")
    yield from lines[:_VALUE_LINES]
    if len(lines) > _VALUE_LINES:
        yield f"... {len(lines) - _VALUE_LINES:,} more lines"


def _print_steps(steps: Sequence[ComparedStep]) -> None:
    if not steps:
        return
    print_title("Steps")
    rows = [
        (each.name, *_run(each.other), *_run(each.task), _slower(each.other, each.task))
        for each in steps
    ]
    columns = ("STEP", "WAS", "TOOK", "IS", "TAKES", "CHANGE")
    print_table(columns, rows, cut="STEP", spare=("CHANGE",))


def _print_files(files: Sequence[ComparedFile]) -> None:
    if not files:
        return
    print_title("Files")
    same = sum(file.same for file in files)
    rows = [
        (file.name, _size(file.other), _size(file.task), file.step)
        for file in files
        if not file.same
    ]
    if rows:
        print_table(("NAME", "WAS", "IS", "STEP"), rows, cut="NAME", spare=("STEP",))
    if same:
        terminal.stdout().print(f"{same:,} of {len(files):,} are the same, byte for byte")


def _task_row(task: ComparedTask) -> Sequence[Cell]:
    took = "" if task.duration_ms is None else duration(task.duration_ms / 1_000)
    row = (short_id(task.task_id), status_cell(task.status), task.name)
    return (*row, str(task.run), took, when(task.created_at))


def _run(step: StepRun | None) -> tuple[Cell, Cell]:
    if step is None:
        return "-", ""
    if step.cached:
        return status_cell(step.status), "cached"
    took = "" if step.duration_ms is None else duration(step.duration_ms / 1_000)
    return status_cell(step.status), took


def _slower(was: StepRun | None, now: StepRun | None) -> str:
    if was is None or now is None or was.cached or now.cached:
        return ""
    if not was.duration_ms or now.duration_ms is None:
        return ""
    return f"{now.duration_ms / was.duration_ms:.1f}x"


def _size(file: FileOfRun | None) -> str:
    return "-" if file is None else decimal(file.size)
