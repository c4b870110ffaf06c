"""Waiting for a task's end: with its progress on stderr, and an exit code that tells the end."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from typing import Any

import typer
from rich.text import Text

from api.cli import exit_codes, terminal
from api.cli.commands.options import Format
from api.cli.commands.printing import print_document, print_json, route_text
from api.cli.display.displays import Display, displaying
from api.cli.display.progress import TaskProgress
from api.cli.exit_codes import ExitCode
from api.cli.kinds.base import Kind
from api.cli.kinds.table import kind_of
from api.cli.terminal import safe_line
from api.client import AsyncClient as Client
from api.client import TaskEvent
from api.wire.responses.tasks import Accepted, Changed, Task
from workflows.events import TaskRouted
from workflows.states import Status


@dataclass(frozen=True, slots=True)
class Waiting:
    """Whether a command waits for a task, how long, and how it prints the task."""

    is_wanted: bool
    timeout_seconds: float | None
    output: Format

    @classmethod
    def of(cls, wait: bool, timeout_seconds: float | None, output: Format) -> "Waiting":
        if timeout_seconds is not None and not wait:
            raise typer.BadParameter("it needs --wait", param_hint="--timeout")
        return cls(wait, timeout_seconds, output)


def tell_existing(accepted: Accepted, key: str | None) -> None:
    """Say on stderr that a key which somebody gave was not new. One of our own is sent again when
    an answer is lost."""
    if accepted.existed and key is not None:
        note = f"It was submitted before under this key, and is {accepted.status.value} now."
        terminal.stderr().print(safe_line(note), style="yellow", soft_wrap=True)


async def answer(client: Client, started: Accepted | Changed, waiting: Waiting) -> ExitCode:
    """Print a task that was just started, and wait for its end if that is wanted. In JSON that ends
    with the result alone; of a task that gives none, stderr says why."""
    task_id = str(started.task_id)
    if waiting.output is Format.TABLE:
        typer.echo(task_id)
    elif not waiting.is_wanted:
        print_json(started)
    if not waiting.is_wanted:
        hint = f"Follow it with: agentos watch {task_id}"
        terminal.stderr().print(hint, style="dim", soft_wrap=True)
        return ExitCode.OK
    code = await wait_for_end(client, task_id, timeout_seconds=waiting.timeout_seconds)
    if waiting.output is Format.JSON and code is ExitCode.OK:
        print_document((await client.task(task_id)).result)
    return code


async def wait_for_end(
    client: Client,
    task_id: str,
    *,
    timeout_seconds: float | None = None,
    on_event: Callable[[TaskEvent], None] | None = None,
) -> ExitCode:
    """Show the progress of a task until it ends; give the exit code that tells how.

    With ``on_event``, the events are given there instead. Who stops waiting leaves it running.
    """
    try:
        async with asyncio.timeout(timeout_seconds):
            task = await client.task(task_id)
            if on_event is None:
                _tell_who_waits(task)
            progress = await _follow(client, task, on_event)
    except TimeoutError:
        _print_how_to_go_on(f"It did not end within {timeout_seconds:g} s.", task_id)
        return ExitCode.TIMED_OUT
    except asyncio.CancelledError:
        _print_how_to_go_on("Stopped waiting.", task_id)
        raise
    return exit_codes.of_task(progress.status)


def _tell_who_waits(task: Task) -> None:
    """That nothing goes on until a person answers, and with which command one sees what to."""
    asking = [part.task_id for part in task.sub_tasks if part.status is Status.WAITING]
    if task.status is Status.WAITING:
        asking = [task.task_id]
    for task_id in dict.fromkeys(filter(None, asking)):
        line = f"It waits for a person: agentos approvals {task_id}"
        terminal.stderr().print(line, style="yellow", soft_wrap=True)


async def _follow(
    client: Client, task: Task, on_event: Callable[[TaskEvent], None] | None
) -> TaskProgress:
    """Show a task's events until its end, and give what they tell."""
    display: Display | None = None

    def tell(reason: str) -> None:
        if display is not None:
            display.note(f"Lost the connection ({reason}); trying again.")

    events = client.events(str(task.task_id), on_lost=tell)
    progress: TaskProgress | None = None
    async with aclosing(events):
        while True:
            kind, before = kind_of(task.type), progress
            progress = kind.progress(task)
            progress.parent_id = task.parent_id and str(task.parent_id)
            if before is not None:
                progress.go_on_from(before)
            async with _displaying(kind, progress, is_quiet=on_event is not None) as display:
                routed = await _show(events, display, progress, on_event)
                if routed is None:
                    progress.end()
                    if on_event is None:
                        await kind.complete(progress, client)
                    return progress
            # What it is now is drawn in another way, and has other parts.
            if on_event is None and not progress.is_history:
                _print_route(routed)
            task = await client.task(str(task.task_id))


def _displaying(
    kind: Kind[Any], progress: TaskProgress, *, is_quiet: bool
) -> AbstractAsyncContextManager[Display]:
    return displaying(
        progress,
        terminal.stderr(),
        picture=kind.picture,
        lines=kind.lines,
        is_quiet=is_quiet,
    )


async def _show(
    events: AsyncGenerator[TaskEvent, None],
    display: Display,
    progress: TaskProgress,
    on_event: Callable[[TaskEvent], None] | None,
) -> TaskRouted | None:
    """Show events until the task is another type of task, or has ended: then None."""
    async for event in events:
        progress.last_event_at = event.created_at
        if (payload := event.payload) is not None:
            display.take(payload, event.created_at)
        if on_event is not None:
            on_event(event)
        if isinstance(payload, TaskRouted):
            return payload
    return None


def _print_route(routed: TaskRouted) -> None:
    line = safe_line(f"routed: {route_text(routed.task_type, routed.reason)}")
    terminal.stderr().print(Text(line), soft_wrap=True)


def _print_how_to_go_on(reason: str, task_id: str) -> None:
    for line in (
        f"{reason} The task continues.",
        f"  Follow it   agentos watch {task_id}",
        f"  Cancel it   agentos cancel {task_id}",
    ):
        terminal.stderr().print(line, soft_wrap=True)
