"""What is wrong with a task or schedule that was not submitted yet, or what it would run."""

from datetime import datetime
from uuid import UUID

from pydantic import Field, JsonValue

from api.wire.responses.base import Answer
from api.wire.responses.comparison import ComparedValue
from workflows.open_values import Open
from workflows.states import TaskType


class FoundProblem(Answer):
    """``pointer`` is a JSON pointer. ``line`` and ``column``, from 1, are those of the text that
    was sent as YAML: of the ``pipeline``, if that is a text, and else of the body; null for JSON.
    ``step`` is the id of the step that it is about."""

    pointer: str
    message: str
    line: int | None = None
    column: int | None = None
    step: str | None = None


class WantedInput(Answer):
    """An input of the task, whether it is ``given``, and the ids of the steps that use it."""

    name: str
    given: bool
    steps: list[str]


class OutlinedStep(Answer):
    """A step: its ``kind`` is skill, tool or code, and ``runs`` is what it runs, such as the name
    of the skill."""

    id: str
    kind: str
    runs: str


class TaskCheck(Answer):
    """``valid``: it would be accepted as it is. ``type``, ``name``, ``steps`` and ``inputs`` are
    there as soon as the request can be read, also where something is wrong with it.
    ``existing_task_id`` is the task that the ``Idempotency-Key`` was used for: the same request
    gives that one, and another is refused."""

    valid: bool
    problems: list[FoundProblem] = Field(description="fifty at most")
    type: Open[TaskType] | None = None
    name: str | None = None
    steps: list[OutlinedStep] = Field(default=[])
    inputs: list[WantedInput] = Field(default=[])
    existing_task_id: UUID | None = None


class RerunCheck(TaskCheck):
    """``request`` is what would be submitted, as ``POST /tasks`` takes it, and ``changes`` are the
    first hundred places at which that differs from the task: ``task`` is the value of the new one,
    ``other`` that of the one which there is. ``is_cut``: there are more."""

    request: dict[str, JsonValue]
    changes: list[ComparedValue]
    is_cut: bool = False


class ScheduleCheck(Answer):
    """``valid``: it would be made as it is, unless its name is taken. ``next_times`` are the next
    five, which are there as soon as ``cron`` or ``every`` can be read."""

    valid: bool
    problems: list[FoundProblem] = Field(description="fifty at most")
    next_times: list[datetime]
