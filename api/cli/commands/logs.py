"""``agentos logs``: what the steps of a task printed."""

from typing import Annotated

import typer
from rich.text import Text

from api.cli import terminal
from api.cli.commands.options import Format, Output, TaskId
from api.cli.commands.pages import page_after_page, whole_list
from api.cli.commands.printing import print_json, print_json_line
from api.cli.commands.task_ids import talk_about
from api.cli.terminal import safe_line, safe_text
from api.client import Client
from api.client.transport import Params
from api.wire.responses.history import Attempt
from api.wire.responses.pages import Page
from workflows.events import Event, StepEvent, StepOutput, StepOutputCut, StepPhase, StepStarted

# A line that does not end is printed in pieces of this length.
_LINE_CHARACTERS = 64 * 1024


def logs(
    context: typer.Context,
    task: TaskId,
    step: Annotated[
        str | None, typer.Option(metavar="STEP", show_default=False, help="Only this step.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Keep printing new output until the task ends.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Print what the steps of a task printed."""

    async def converse(client: Client, task_id: str) -> None:
        async def fetch(params: Params) -> Page[Attempt]:
            return await client.attempts(task_id, params)

        of_step = {} if step is None else {"step": step}
        if follow:
            await _follow(client, task_id, step, output)
        elif output is Format.JSON:
            print_json(await whole_list(fetch, of_step))
        else:
            async for page in page_after_page(fetch, of_step):
                for attempt in page.items:
                    _print_attempt(attempt, is_labelled=step is None)

    talk_about(context, task, converse)


def _print_attempt(attempt: Attempt, *, is_labelled: bool) -> None:
    label = _label(attempt.step, attempt.run, attempt.attempt) if is_labelled else ""
    for text in (attempt.stdout, attempt.stderr):
        _print(label, text)
    if attempt.error is not None:
        reason = f"{attempt.step}: {attempt.error.get('message', '')}"
        terminal.stderr().print(safe_line(reason), style="red", soft_wrap=True)


async def _follow(client: Client, task_id: str, step: str | None, output: Format) -> None:
    lines = _Lines(is_labelled=step is None)
    async for sent in client.events(task_id, on_lost=_tell_lost):
        event = sent.payload
        if step is not None and not (isinstance(event, StepEvent) and event.step == step):
            continue
        if output is Format.TABLE:
            lines.take(event)
        elif isinstance(event, StepOutput):
            print_json_line(sent)


class _Lines:
    """Joins pieces of output into lines: those of several streams must not run into each other."""

    def __init__(self, *, is_labelled: bool) -> None:
        self._is_labelled = is_labelled
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
        _print(_label(step, 1, self._attempts.get(step, 1)) if self._is_labelled else "", text)


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


def _tell_lost(reason: str) -> None:
    line = f"Lost the connection ({reason}); trying again."
    terminal.stderr().print(safe_line(line), style="yellow", soft_wrap=True)
