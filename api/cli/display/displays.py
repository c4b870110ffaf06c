"""Progress of one task on stderr: a moving picture on a terminal, plain lines elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

from rich.console import Console

from api.cli.display.moving_picture import MovingPicture, now
from api.cli.display.plain_lines import Notes
from api.cli.display.progress import TaskProgress
from api.cli.kinds.base import Kind, Shown
from workflows.events import Event


class Display(Protocol):
    """Shows a task. ``note`` is something about the connection, not about the task."""

    def take(self, event: Event, at: datetime) -> None: ...

    def note(self, text: str) -> None: ...


@asynccontextmanager
async def displaying(
    kind: Kind[Shown], task: Shown, console: Console, *, is_quiet: bool = False
) -> AsyncIterator[Display]:
    """Show a task's progress while the block runs, and its summary if it has ended by then.

    What is quiet shows notes only: the events are data, and somebody else prints them.
    """
    if is_quiet:
        yield Notes(task, console)
        return
    if console.is_terminal and not console.is_dumb_terminal:
        async with _drawn(kind.picture(task, console), task, console) as moving:
            yield moving
        return
    plain = kind.lines(task, console)
    yield plain
    if task.has_ended:
        console.print(plain.summary(now()), crop=False)


@asynccontextmanager
async def _drawn(
    moving: MovingPicture, task: TaskProgress, console: Console
) -> AsyncIterator[MovingPicture]:
    drawing = asyncio.create_task(moving.draw())
    try:
        with moving.live:
            yield moving
    finally:
        drawing.cancel()
        # What was last seen stays on the screen, also when the one who looked on has gone.
        console.print(moving.last() if task.has_ended else moving.frame(), crop=False)
