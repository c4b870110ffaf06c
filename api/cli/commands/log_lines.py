"""What a step printed, as lines that say whose they are."""

from collections import deque

import typer
from rich.text import Text

from api.cli import terminal
from api.cli.terminal import safe_line, safe_text
from api.wire.responses.history import Attempt
from workflows.events import Event, StepOutput, StepOutputCut, StepPhase, StepStarted

# A line that does not end is printed in pieces of this length.
_LINE_CHARACTERS = 64 * 1024
MOST_TAIL_LINES = 1_000_000


class Printed:
    """What is printed of a log: all of it at once, or with a ``tail`` its last lines alone, when
    ``end`` is called; and from then on all again."""

    def __init__(self, tail: int | None = None) -> None:
        self._kept: deque[tuple[str, str]] | None = None if tail is None else deque(maxlen=tail)

    def print(self, label: str, text: str) -> None:
        """Lines of somebody else's."""
        if not text:
            return
        for line in safe_text(text).removesuffix("\n").split("\n"):
            if self._kept is None:
                _print(label, line)
            else:
                self._kept.append((label, line))

    def end(self) -> None:
        kept, self._kept = self._kept or (), None
        for label, line in kept:
            _print(label, line)


def print_attempt(attempt: Attempt, printed: Printed, *, is_labelled: bool) -> None:
    label = _label(attempt.step, attempt.run, attempt.attempt) if is_labelled else ""
    for text in (attempt.stdout, attempt.stderr):
        printed.print(label, text)
    if attempt.error is not None:
        reason = f"{attempt.step}: {attempt.error.get('message', '')}"
        terminal.stderr().print(safe_line(reason), style="red", soft_wrap=True)


class LogLines:
    """Joins pieces of output into lines: those of several streams must not run into each other.

    ``prefix`` stands before the names of steps: the node of a plan that they belong to.
    ``is_labelled``: each line says whose it is.
    """

    def __init__(self, printed: Printed, *, is_labelled: bool, prefix: str = "") -> None:
        self._printed = printed
        self.is_labelled = is_labelled
        self._prefix = prefix
        self._attempts: dict[str, int] = {}
        self._rest: dict[tuple[str, str], str] = {}

    def take(self, event: Event | None) -> None:
        match event:
            case StepOutput():
                self._take_output(event)
            case StepStarted():
                self._attempts[event.step] = event.attempt
            case StepOutputCut():
                note = f"{event.step} prints more than is shown live; see it all with: agentos logs"
                terminal.stderr().print(safe_line(note), style="yellow", soft_wrap=True)
            case StepPhase():
                pass
            case _:
                self._end_lines()

    def _take_output(self, chunk: StepOutput) -> None:
        key = (chunk.step, chunk.stream)
        text = self._rest.pop(key, "") + chunk.text
        whole, end, rest = text.rpartition("\n")
        if len(rest) > _LINE_CHARACTERS:
            whole, end, rest = text, "", ""
        self._rest[key] = rest
        self._print(chunk.step, whole + end)

    def _end_lines(self) -> None:
        for (step, _), rest in self._rest.items():
            self._print(step, rest)
        self._rest.clear()

    def _print(self, step: str, text: str) -> None:
        label = _label(f"{self._prefix}{step}", 1, self._attempts.get(step, 1))
        self._printed.print(label if self.is_labelled else "", text)


def _label(step: str, run: int, attempt: int) -> str:
    """``clean``; ``clean#2`` for its second attempt, ``clean@2`` in the second run of the task."""
    label = step if run == 1 else f"{step}@{run}"
    return label if attempt == 1 else f"{label}#{attempt}"


def _print(label: str, line: str) -> None:
    if label:
        prefix = (f"{safe_line(label)} | ", "cyan")
        terminal.stdout().print(Text.assemble(prefix, line), soft_wrap=True)
    else:
        typer.echo(line)
