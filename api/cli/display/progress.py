"""How far a task is, as its events tell: the state behind every progress display.

Taking in an event costs next to nothing, so that a script that prints without end slows nobody:
text is made ready for the eye only when somebody looks.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from workflows.contracts import Failure
from workflows.open_values import OPEN, Open, Unknown
from workflows.states import Phase, Status

# Of a step's output, what is kept to be shown: more than fits on a screen.
_TAIL_CHARACTERS = 8 * 1024


class _Data(BaseModel):
    """What an event says. A server newer than this client may say more, or leave something out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _StatusData(_Data):
    status: Open[Status]
    error: Failure | None = None


class _StepData(_Data):
    attempt: int = 1
    phase: Open[Phase] | None = None
    text: str = ""
    files: int = 0
    duration_ms: int | None = None
    next_attempt_at: datetime | None = None
    error: Failure | None = None


class OutputChunk(_Data):
    """A piece of what a step printed; it may end within a line."""

    step: str
    stream: str = "stdout"
    text: str = ""


class NewArtifact(_Data):
    id: str = ""
    name: str
    size: int = 0
    url: str = ""


@dataclass(slots=True)
class StepProgress:
    """``runs`` is what the step runs: a skill's or a tool's name. ``attempt`` counts from 1."""

    name: str
    runs: str = ""
    status: Status | Unknown = Status.PENDING
    phase: Phase | Unknown | None = None
    attempt: int = 1
    started_at: datetime | None = None
    duration_ms: int | None = None
    next_attempt_at: datetime | None = None
    error: Failure | None = None
    artifacts: dict[str, NewArtifact] = field(default_factory=dict)
    output: str = ""

    def last_lines(self, count: int) -> list[str]:
        """The end of its output as a terminal would leave it: a CR writes its line anew."""
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
        self.phase = self.duration_ms = self.next_attempt_at = self.error = None
        self.artifacts.clear()
        self.output = ""


@dataclass(slots=True)
class TaskProgress:
    """A task and its steps, in their order. Times are those of the server."""

    task_id: str
    name: str
    temporal_url: str | None = None
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

    def take(self, kind: str, data: dict[str, JsonValue], at: datetime) -> StepProgress | None:
        """Take in an event; gives the step that it changed, if it did."""
        self.last_event_at = at
        try:
            return self._take(kind, data, at)
        except ValidationError:
            return None  # A newer server says it otherwise. The picture has a gap then.

    def _take(self, kind: str, data: dict[str, JsonValue], at: datetime) -> StepProgress | None:
        if kind == "task.status":
            self._set_status(_StatusData.model_validate(data, context=OPEN), at)
            return None
        name = data.get("step")
        if not isinstance(name, str):
            return None
        step = self.steps.setdefault(name, StepProgress(name))
        if kind == "artifact.created":
            artifact = NewArtifact.model_validate(data)
            step.artifacts[artifact.name] = artifact
        else:
            _change(step, kind, _StepData.model_validate(data, context=OPEN), at)
        if kind == "step.started" and self.status is Status.PENDING:
            self.status = Status.RUNNING  # No event of the task says so.
        return step

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
    def artifacts(self) -> Iterable[NewArtifact]:
        return (artifact for step in self.steps.values() for artifact in step.artifacts.values())

    def _set_status(self, data: _StatusData, at: datetime) -> None:
        was_final = self.status.is_final
        self.status, self.error = data.status, data.error
        if data.status.is_final:
            self.ended_at = at
            self._end_steps(data)
        elif was_final or self.started_at is None:
            # The next run, which somebody asked for, does again what did not succeed.
            self.started_at, self.ended_at = at, None
            self.run += 1
            for step in self.steps.values():
                if step.status is not Status.COMPLETED:
                    step.status, step.phase, step.error = Status.PENDING, None, None

    def _end_steps(self, data: _StatusData) -> None:
        for step in self.steps.values():
            blamed = data.error is not None and data.error.step == step.name
            if blamed or step.status in (Status.RUNNING, Status.QUEUED):
                step.status, step.phase, step.next_attempt_at = data.status, None, None
                step.error = data.error if blamed else step.error


def _change(step: StepProgress, kind: str, data: _StepData, at: datetime) -> None:
    match kind:
        case "step.started":
            step.begin(data.attempt, at)
        case "step.phase":
            step.phase = data.phase
        case "step.output":
            step.output = (step.output + data.text)[-_TAIL_CHARACTERS:]
        case "step.completed":
            step.status, step.phase, step.duration_ms = Status.COMPLETED, None, data.duration_ms
        case "step.failed" | "step.blocked" | "step.cancelled":
            step.status, step.phase, step.error = Status(kind[5:]), None, data.error
            step.duration_ms = data.duration_ms
        case "step.retrying":
            step.status, step.phase, step.error = Status.QUEUED, None, data.error
            step.attempt = data.attempt
            step.next_attempt_at = data.next_attempt_at
        case _:
            pass
