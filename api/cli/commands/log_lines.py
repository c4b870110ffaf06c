"""What a step printed, as lines that say whose they are."""

import typer
from rich.text import Text

from api.cli import terminal
from api.cli.terminal import safe_line, safe_text
from api.wire.responses.history import Attempt
from workflows.events import Event, StepOutput, StepOutputCut, StepPhase, StepStarted

# A line that does not end is printed in pieces of this length.
_LINE_CHARACTERS = 64 * 1024


def print_attempt(attempt: Attempt, *, is_labelled: bool) -> None:
    label = _label(attempt.step, attempt.run, attempt.attempt) if is_labelled else ""
    for text in (attempt.stdout, attempt.stderr):
        _print(label, text)
    if attempt.error is not None:
        reason = f"{attempt.step}: {attempt.error.get('message', '')}"
        terminal.stderr().print(safe_line(reason), style="red", soft_wrap=True)


class LogLines:
    """Joins pieces of output into lines: those of several streams must not run into each other.

    ``prefix`` stands before the names of steps: the node of a plan that they belong to.
    ``is_labelled``: each line says whose it is.
    """

    def __init__(self, *, is_labelled: bool, prefix: str = "") -> None:
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
        _print(label if self.is_labelled else "", text)


def _label(step: str, run: int, attempt: int) -> str:
    """``clean``; ``clean#2`` for its second attempt, ``clean@2`` in the second run of the task."""
    label = step if run == 1 else f"{step}@{run}"
    return label if attempt == 1 else f"{label}#{attempt}"


def _print(label: str, text: str) -> None:
    if not text:
        return
    console = terminal.stdout()
    for line in safe_text(text).removesuffix("\n").split("\n"):
        if label:
            console.print(Text.assemble((f"{safe_line(label)} | ", "cyan"), line), soft_wrap=True)
        else:
            typer.echo(line)
