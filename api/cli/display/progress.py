"""How far a task is, as its events tell: the state behind every progress display.

Taking in an event costs next to nothing, so that a script that prints without end slows nobody:
text is made ready for the eye only when somebody looks.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from workflows import events
from workflows.contracts import Failure
from workflows.events import (
    ArtifactCreated,
    AttemptFailed,
    Event,
    StepEvent,
    StepStarted,
    TaskStatus,
)
from workflows.item_names import step_of
from workflows.open_values import Unknown
from workflows.states import Phase, Status

# Of a step's output, what is kept to be shown: more than fits on a screen.
_TAIL_CHARACTERS = 8 * 1024


@dataclass(slots=True)
class StepProgress:
    """``runs`` is what the step runs: a skill's or a tool's name. ``attempt`` counts from 1.
    ``cached``: it was given the result of an equal step. ``items`` are those that have begun, of
    ``item_count``, where it has some. ``detail`` says what within its phase takes long."""

    name: str
    runs: str = ""
    status: Status | Unknown = Status.PENDING
    phase: Phase | Unknown | None = None
    detail: str = ""
    attempt: int = 1
    started_at: datetime | None = None
    duration_ms: int | None = None
    next_attempt_at: datetime | None = None
    waits_for: str = ""
    error: Failure | None = None
    artifacts: dict[str, ArtifactCreated] = field(default_factory=dict)
    output: str = ""
    cached: bool = False
    item_count: int | None = None
    items: dict[str, "StepProgress"] = field(default_factory=dict)

    @property
    def made(self) -> Iterable[ArtifactCreated]:
        """Its files and those of its items."""
        yield from self.artifacts.values()
        for item in self.items.values():
            yield from item.artifacts.values()

    def count(self, *statuses: Status) -> int:
        """How many of its items are in one of these states."""
        return sum(item.status in statuses for item in self.items.values())

    def last_lines(self, count: int) -> list[str]:
        """The end of its output as a terminal would leave it: a CR rewrites its line."""
        lines: list[str] = []
        for line in reversed(self.output.split("\n")):
            kept = next((part for part in reversed(line.split("\r")) if part.strip()), None)
            if kept is not None:
                lines.insert(0, kept)
            if len(lines) == count:
                break
        return lines

    def begin(self, attempt: int, at: datetime) -> None:
        """A new attempt: what the one before it left behind no longer counts."""
        self.status, self.attempt, self.started_at = Status.RUNNING, attempt, at
        self.detail = ""
        self.phase = self.duration_ms = self.next_attempt_at = self.error = None
        self.waits_for = ""
        self.artifacts.clear()
        self.output, self.cached = "", False

    def take(self, event: StepEvent, at: datetime) -> None:
        match event:
            case events.StepStarted():
                self.begin(event.attempt, at)
                self.item_count = event.items
                if event.kept == 0:
                    self.items.clear()  # Of a run before.
            case events.StepPhase():
                self.phase, self.detail = event.phase, event.detail or ""
            case events.StepOutput():
                self.output = (self.output + event.text)[-_TAIL_CHARACTERS:]
            case events.ArtifactCreated():
                self.artifacts[event.name] = event
            case events.StepRetrying():
                self.status, self.phase, self.error = event.status, None, event.error
                self.attempt, self.next_attempt_at = event.attempt, event.next_attempt_at
            case events.StepHeld():
                self.status, self.phase, self.error = Status.QUEUED, None, None
                self.next_attempt_at, self.waits_for = event.next_attempt_at, event.reason
            case events.AttemptEnded():
                self.status, self.phase = event.status, None
                self.error = event.error if isinstance(event, AttemptFailed) else None
                self.duration_ms = event.duration_ms
                self.cached = isinstance(event, events.StepCompleted) and bool(event.cached)
            case _:
                pass


@dataclass(slots=True)
class TaskProgress:
    """A task and its steps, in their order. Times are those of the server. ``parent_id`` is the
    plan of a node."""

    task_id: str
    name: str
    temporal_url: str | None = None
    parent_id: str | None = None
    status: Status | Unknown = Status.PENDING
    error: Failure | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    last_event_at: datetime | None = None
    steps: dict[str, StepProgress] = field(default_factory=dict)
    run: int = 0
    latest_run: int = 1

    @property
    def is_history(self) -> bool:
        """Whether what was taken in belongs to a run before the latest."""
        return self.run < self.latest_run

    def take(self, event: Event, at: datetime) -> StepProgress | None:
        """Take in an event; gives the step that it changed, if it did."""
        if isinstance(event, TaskStatus):
            self._set_status(event, at)
        if not isinstance(event, StepEvent):
            return None
        step = self._step(event.step)
        step.take(event, at)
        if isinstance(event, StepStarted) and self.status is Status.PENDING:
            self.status = Status.RUNNING  # No event of the task says so.
        return step

    def find(self, name: str) -> StepProgress | None:
        """The step, or the item of one, of this name."""
        whole = self.steps.get(step_of(name))
        return self.steps.get(name) or (whole and whole.items.get(name))

    def _step(self, name: str) -> StepProgress:
        whole = self.steps.get(step_of(name))
        if name in self.steps or whole is None:
            return self.steps.setdefault(name, StepProgress(name))
        return whole.items.setdefault(name, StepProgress(name))

    def _each(self) -> Iterable[StepProgress]:
        for step in self.steps.values():
            yield step
            yield from step.items.values()

    def go_on_from(self, before: "TaskProgress") -> None:
        """It is the same task, which has become one of another type."""
        self.status, self.run = before.status, before.run
        self.started_at, self.last_event_at = before.started_at, before.last_event_at

    @property
    def has_ended(self) -> bool:
        return self.ended_at is not None

    def end(self) -> None:
        """The server has no more to tell, whatever it calls the state that the task is in."""
        self.ended_at = self.ended_at or self.last_event_at

    @property
    def steps_done(self) -> int:
        return sum(step.status is Status.COMPLETED for step in self.steps.values())

    @property
    def artifacts(self) -> Iterable[ArtifactCreated]:
        return (artifact for step in self.steps.values() for artifact in step.made)

    def _set_status(self, event: TaskStatus, at: datetime) -> None:
        was_final = self.status.is_final
        self.status, self.error = event.status, event.error
        if event.status.is_final:
            self.ended_at = at
            self._end_steps(event)
        elif was_final or self.started_at is None:
            # The next run, which somebody asked for, does again what did not succeed.
            self.started_at, self.ended_at = at, None
            self.run += 1
            for step in self._each():
                if step.status is not Status.COMPLETED:
                    step.status, step.phase, step.error = Status.PENDING, None, None

    def _end_steps(self, event: TaskStatus) -> None:
        for step in self._each():
            blamed = event.error is not None and event.error.step == step.name
            if blamed or step.status in (Status.RUNNING, Status.QUEUED):
                step.status, step.phase, step.next_attempt_at = event.status, None, None
                step.error = event.error if blamed else step.error
