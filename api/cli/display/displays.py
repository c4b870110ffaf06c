"""Progress of one task on stderr: a moving picture on a terminal, plain lines elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol, TypeVar

from rich.console import Console

from api.cli.display.moving_picture import MovingPicture, now
from api.cli.display.plain_lines import Notes, PlainLines
from api.cli.display.progress import TaskProgress
from workflows.events import Event

Shown = TypeVar("Shown", bound=TaskProgress)


class Display(Protocol):
    """Shows a task. ``note`` is something about the connection, not about the task."""

    def take(self, event: Event, at: datetime) -> None: ...

    def note(self, text: str) -> None: ...


@asynccontextmanager
async def displaying(
    task: Shown,
    console: Console,
    *,
    picture: Callable[[Shown, Console], MovingPicture],
    lines: Callable[[Shown, Console], PlainLines],
    is_quiet: bool = False,
) -> AsyncIterator[Display]:
    """Show a task's progress while the block runs, and its summary if it has ended by then.

    ``picture`` makes what moves on a terminal, ``lines`` what is printed elsewhere.
    What is quiet shows notes only: the events are data, and somebody else prints them.
    """
    if is_quiet:
        yield Notes(task, console)
        return
    if console.is_terminal and not console.is_dumb_terminal:
        async with _drawn(picture(task, console), task, console) as moving:
            yield moving
        return
    plain = lines(task, console)
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
