"""What a retry would do, and the options of commands that retry."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import BaseModel

from api.cli import terminal
from api.cli.commands.asking import ask
from api.cli.commands.options import Format
from api.cli.commands.parameters import with_parameters
from api.cli.commands.pipeline_file import read_definition
from api.cli.commands.printing import Cell, print_fields, print_json
from api.cli.display.amounts import counted, dollars, duration
from api.cli.terminal import safe_line
from api.wire.requests import RetryRequest
from api.wire.responses.dead_letters import Estimate, Foresight, StepCount
from api.wire.responses.pipeline_changes import PipelineChanges
from workflows.item_names import folded

Request = TypeVar("Request", bound=BaseModel)

_STEPS_SHOWN = 20
_SAME = "the same as that of the task"

Foreseen = Annotated[
    bool,
    typer.Option(
        "--plan",
        "--dry-run",
        help="Only show which steps would be kept, which would run again, and what that may cost.",
    ),
]
NewPipeline = Annotated[
    Path | None,
    typer.Option(
        "--pipeline",
        metavar="FILE",
        show_default=False,
        help="What the pipeline is from now on. Steps that are as they were, and that need none "
        "which is another, keep their results.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, even on a terminal.")]


def with_pipeline(
    request: Request, path: Path | None, parameters: Sequence[str] | None = None
) -> Request:
    """A request with the pipeline in a file, if there is one, and its ``parameters`` NAME=VALUE."""
    if path is None:
        return request
    pipeline = with_parameters(read_definition(path), parameters or ())
    return request.model_copy(update={"pipeline": pipeline})


def print_foresight(foresight: Foresight, output: Format) -> None:
    print_json(foresight) if output is Format.JSON else print_fields([*_fields(foresight)])


def say_beforehand(foresight: Foresight) -> None:
    """What is about to happen, on stderr: results that are made anew are gone for good."""
    if foresight.changes is not None:
        _say_changes(foresight.changes)
    redone = _listed(foresight.redone_steps)
    line = f"Runs again: {redone} (last time: {_estimate(foresight.estimate)})."
    kept = f"Keeps: {_listed(foresight.kept_steps)}. " if foresight.kept_steps else ""
    _say(f"{kept}{line}")


def _say_changes(changes: PipelineChanges) -> None:
    if changes.is_none:
        _say(f"The pipeline is {_SAME}.")
        return
    _say("New in the pipeline:")
    for line in _lines(changes):
        _say(f"  {line}")


def _say(line: str) -> None:
    terminal.stderr().print(safe_line(line), style="dim", soft_wrap=True)


def _lines(changes: PipelineChanges) -> Sequence[str]:
    lines = [f"{change.step}: {change.words}" for change in changes.steps]
    if more := lines[_STEPS_SHOWN:]:
        lines = [*lines[:_STEPS_SHOWN], f"and {counted(len(more), 'more step')}"]
    return [changes.words, *lines] if changes.words else lines


def ask_about_retry(request: RetryRequest, path: Path | None, *, yes: bool) -> None:
    """On a terminal, whether the pipeline in a file is to take the place of the task's own, or what
    was made is to be made anew. What only takes up where it failed costs nothing that is there."""
    if path is not None:
        ask(f"Go on with the pipeline in {path}?", yes=yes)
    elif request.begin is not None or request.inputs or request.parameters:
        ask("Run these again? What they made is replaced.", yes=yes)


def _fields(foresight: Foresight) -> Iterator[tuple[str, Cell]]:
    if foresight.count != 1:
        yield "Tasks", str(foresight.count)
    if foresight.refused:
        yield "Refused", str(foresight.refused)
    if foresight.changes is not None:
        lines = _lines(foresight.changes) or [f"nothing: the pipeline is {_SAME}"]
        yield "New", lines[0]
        yield from (("", line) for line in lines[1:])
    yield "Kept", _listed(foresight.kept_steps)
    yield "Runs again", _listed(foresight.redone_steps)
    yield "Estimate", _estimate(foresight.estimate)


def _listed(steps: Sequence[StepCount]) -> str:
    told = folded(
        step.step if step.tasks == 1 else f"{step.step} ({step.tasks}x)" for step in steps
    )
    names, more = told[:_STEPS_SHOWN], len(told[_STEPS_SHOWN:])
    return ", ".join(names) + (f", and {more} more" if more else "") or "nothing"


def _estimate(estimate: Estimate) -> str:
    """By what they cost before: nobody knows what a step costs that never ran."""
    parts = [duration(estimate.seconds)]
    if estimate.tokens:
        parts.append(f"{estimate.tokens:,} tokens")
    if estimate.cost_usd:
        parts.append(dollars(estimate.cost_usd))
    if estimate.unknown:
        parts.append(f"and {counted(estimate.unknown, 'step')} that never ran")
    return ", ".join(parts)
