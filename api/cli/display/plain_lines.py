"""Progress as plain lines, where there is no terminal."""

from datetime import UTC, datetime

from rich.console import Console, RenderableType
from rich.filesize import decimal
from rich.text import Text

from api.cli.display.amounts import clock, counted, duration, items_text, seconds_between
from api.cli.display.frames import summary
from api.cli.display.glyphs import glyphs_of
from api.cli.display.progress import StepProgress, TaskProgress
from api.cli.terminal import safe_line
from workflows import events
from workflows.events import Event
from workflows.item_names import step_of
from workflows.states import Status


class Notes:
    """Keeps the state, shows nothing of it."""

    def __init__(self, task: TaskProgress, console: Console) -> None:
        self._task = task
        self._console = console

    def take(self, event: Event, at: datetime) -> None:
        self._task.take(event, at)

    def note(self, text: str) -> None:
        self._print(safe_line(text))

    def _print(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)


class PlainLines(Notes):
    """One line for each thing that happens; of the output nothing, which is what logs are for.

    Of runs before the latest nothing either: whoever retries a task has seen them fail.
    """

    # Why a step failed, while no other line has come since but that the task ended.
    _told = ""

    def take(self, event: Event, at: datetime) -> None:
        step = self._task.take(event, at)
        if not self._task.is_history:
            self._take(event, step, at)

    def _take(self, event: Event, step: StepProgress | None, at: datetime) -> None:
        if (line := line_of(event, self._task, step)) is not None:
            self._print_timed(line, at)
            if not isinstance(event, events.TaskStatus):
                self._told = _reason(step) if step and isinstance(event, _FAILURES) else ""

    def note(self, text: str) -> None:
        super().note(text)
        self._told = ""

    def summary(self, now: datetime) -> RenderableType:
        """What comes last, once the task has ended."""
        return summary(self._task, now, glyphs_of(self._console), told=self._told)

    def _print_timed(self, line: str, at: datetime) -> None:
        elapsed = duration(seconds_between(self._task.started_at, at))
        self._print(f"[{elapsed:>7}] {safe_line(line)}")


def line_of(event: Event, task: TaskProgress, step: StepProgress | None) -> str | None:
    """The line for an event of a task or a step; None when it is not worth one."""
    if isinstance(event, events.TaskStatus):
        return f"{task.name}: {task.status.value}"
    if step is None:
        return None
    if step.name not in task.steps and isinstance(event, _QUIET_OF_ITEMS):
        return _items_line(event, task.steps[step_of(step.name)])
    match event:
        case events.StepStarted():
            what = "started" if step.attempt == 1 else f"attempt {step.attempt} started"
            if step.item_count is not None:
                what = f"started for {counted(step.item_count, 'item')}"
        case events.StepPhase(detail=str(detail)):
            what = detail
        case events.StepCompleted():
            took = duration((step.duration_ms or 0) / 1000)
            what = "taken from the cache" if step.cached else f"completed in {took}"
        case events.StepRetrying():
            what = f"attempt {step.attempt} failed, the next is at {_clock(step)}: {_reason(step)}"
        case events.StepHeld():
            what = f"waits for {event.reason}, until {_clock(step)} at the latest"
        case events.StepFailed() | events.StepBlocked():
            what = f"failed: {_reason(step)}"
        case events.ArtifactCreated():
            what = f"made {event.name}, {decimal(event.size)}"
        case _:
            return None
    return f"{step.name}: {what}"


_FAILURES = (events.StepFailed, events.StepBlocked)
# Of items that go well only their number is told, some ten times.
_QUIET_OF_ITEMS = (events.StepStarted, events.StepCompleted, events.ArtifactCreated)
_LINES_OF_ITEMS = 10


def _items_line(event: Event, step: StepProgress) -> str | None:
    completed, total = step.count(Status.COMPLETED), step.item_count or 0
    each = max(1, total // _LINES_OF_ITEMS)
    if not isinstance(event, events.StepCompleted) or (completed % each and completed != total):
        return None
    failed = step.count(Status.FAILED, Status.BLOCKED)
    return f"{step.name}: {items_text(total, completed, failed)}"


def _clock(step: StepProgress) -> str:
    return clock(step.next_attempt_at, datetime.now(UTC)) if step.next_attempt_at else "?"


def _reason(step: StepProgress) -> str:
    return step.error.message if step.error else "unknown"
