"""Progress as a picture that moves, on a terminal."""

import asyncio
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from api.cli.display.frames import frame, picture
from api.cli.display.glyphs import glyphs_of
from api.cli.display.progress import TaskProgress
from api.cli.terminal import safe_line
from workflows.events import Event

_FRAME_SECONDS = 0.1


class MovingPicture:
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

    def take(self, event: Event, at: datetime) -> None:
        self._note = ""
        self._task.take(event, at)

    def note(self, text: str) -> None:
        self._note = text

    async def draw(self) -> None:
        while True:
            self.live.refresh()
            await asyncio.sleep(_FRAME_SECONDS)

    def frame(self, height_lines: int | None = None) -> Group:
        """What is seen now."""
        lines = self._frame(height_lines and height_lines - 1)
        note = Text(f"  {safe_line(self._note)}", style="yellow", no_wrap=True, overflow="ellipsis")
        return Group(lines, note) if self._note else lines

    def last(self) -> Group:
        """What stays on the screen of a task that has ended."""
        return picture(self._task, now(), self.glyphs)

    def _frame(self, height_lines: int | None) -> Group:
        return frame(self._task, now(), self.glyphs, height_lines)


def now() -> datetime:
    return datetime.now(UTC)
