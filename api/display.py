"""Progress of one task on stderr: a moving picture on a terminal, plain lines elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

from pydantic import JsonValue
from rich.console import Console, Group
from rich.filesize import decimal
from rich.live import Live
from rich.text import Text

from api.frames import (
    duration,
    frame,
    picture,
    seconds_between,
    summary,
)
from api.glyphs import glyphs_of
from api.progress import StepProgress, TaskProgress
from api.terminal import safe_line

_FRAME_SECONDS = 0.1


class Display(Protocol):
    """Shows a task. ``note`` is something about the connection, not about the task."""

    def take(self, kind: str, data: dict[str, JsonValue], at: datetime) -> None: ...

    def note(self, text: str) -> None: ...


@asynccontextmanager
async def displaying(
    task: TaskProgress, console: Console, *, is_quiet: bool = False
) -> AsyncIterator[Display]:
    """Show a task's progress while the block runs, and its summary if it has ended by then.

    What is quiet shows notes only: the events are data, and somebody else prints them.
    """
    if is_quiet:
        yield _Notes(task, console)
        return
    if console.is_terminal and not console.is_dumb_terminal:
        async with _moving(task, console) as display:
            yield display
        return
    yield _PlainLines(task, console)
    if task.status.is_final:
        console.print(summary(task, _now(), glyphs_of(console)), crop=False)


@asynccontextmanager
async def _moving(task: TaskProgress, console: Console) -> AsyncIterator[Display]:
    moving = _MovingPicture(task, console)
    drawing = asyncio.create_task(moving.draw())
    try:
        with moving.live:
            yield moving
    finally:
        drawing.cancel()
        # What was last seen stays on the screen, also when the one who looked on has gone.
        draw_last = picture(task, _now(), moving.glyphs)
        console.print(draw_last if task.status.is_final else moving.frame(), crop=False)


class _MovingPicture:
    """Events change the state; ten times a second the state is drawn, however many they were."""

    def __init__(self, task: TaskProgress, console: Console) -> None:
        self._task = task
        self._console = console
        self._note = ""
        self.glyphs = glyphs_of(console)
        self.live = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,  # Data is no part of the picture.
            redirect_stderr=False,
            get_renderable=lambda: self.frame(self._console.height),
        )

    def take(self, kind: str, data: dict[str, JsonValue], at: datetime) -> None:
        self._note = ""
        self._task.take(kind, data, at)

    def note(self, text: str) -> None:
        self._note = text

    async def draw(self) -> None:
        while True:
            self.live.refresh()
            await asyncio.sleep(_FRAME_SECONDS)

    def frame(self, height_lines: int | None = None) -> Group:
        lines = frame(self._task, _now(), self.glyphs, height_lines and height_lines - 1)
        note = Text(f"  {safe_line(self._note)}", style="yellow", no_wrap=True, overflow="ellipsis")
        return Group(lines, note) if self._note else lines


class _Notes:
    """Keeps the state, shows nothing of it."""

    def __init__(self, task: TaskProgress, console: Console) -> None:
        self._task = task
        self._console = console

    def take(self, kind: str, data: dict[str, JsonValue], at: datetime) -> None:
        self._task.take(kind, data, at)

    def note(self, text: str) -> None:
        self._print(safe_line(text))

    def _print(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)


class _PlainLines(_Notes):
    """One line for each thing that happens; of the output nothing, which is what logs are for."""

    def take(self, kind: str, data: dict[str, JsonValue], at: datetime) -> None:
        step = self._task.take(kind, data, at)
        if (line := _told(kind, data, self._task, step)) is not None:
            elapsed = duration(seconds_between(self._task.started_at, at))
            self._print(f"[{elapsed:>7}] {safe_line(line)}")


def _told(
    kind: str, data: dict[str, JsonValue], task: TaskProgress, step: StepProgress | None
) -> str | None:
    if kind == "task.status":
        return f"{task.name}: {task.status.value}"
    if step is None:
        return None
    match kind:
        case "step.started":
            what = "started" if step.attempt == 1 else f"attempt {step.attempt} started"
        case "step.completed":
            what = f"completed in {duration((step.duration_ms or 0) / 1000)}"
        case "step.retrying":
            what = f"attempt {step.attempt} failed, the next is at {_clock(step)}: {_reason(step)}"
        case "step.failed" | "step.blocked":
            what = f"failed: {_reason(step)}"
        case "artifact.created":
            artifact = step.artifacts[str(data["name"])]
            what = f"made {artifact.name}, {decimal(artifact.size)}"
        case _:
            return None
    return f"{step.name}: {what}"


def _clock(step: StepProgress) -> str:
    return step.next_attempt_at.astimezone().strftime("%H:%M:%S") if step.next_attempt_at else "?"


def _reason(step: StepProgress) -> str:
    return step.error.message if step.error else "unknown"


def _now() -> datetime:
    return datetime.now(UTC)
