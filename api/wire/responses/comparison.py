"""A task beside another, as a rule the one of its name that went well last."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.wire.responses.base import Answer
from workflows.open_values import Open
from workflows.states import Status


class ComparedTask(Answer):
    """``duration_ms`` is from its start to its end, None before that."""

    task_id: UUID
    name: str
    status: Open[Status]
    run: int
    created_at: datetime
    duration_ms: int | None


class ComparedInput(Answer):
    """References to files, and null where there is no input of this name."""

    name: str
    task: str | None
    other: str | None


class ComparedValue(Answer):
    """A value that differs, at the place ``pointer`` of what was submitted. A text is given as it
    is, all else as JSON, and what is long is cut; null where there is none."""

    pointer: str
    task: str | None
    other: str | None


class StepRun(Answer):
    status: Open[Status]
    duration_ms: int | None
    retry_count: int
    cached: bool


class ComparedStep(Answer):
    """Steps, calls or nodes of the same name; null where there is none."""

    name: str
    task: StepRun | None
    other: StepRun | None


class FileOfRun(Answer):
    id: UUID
    size: int
    sha256: str | None
    url: str


class ComparedFile(Answer):
    """Files of the same name, in pipelines of the same step; null where there is none. They are
    ``same`` if each of their bytes is."""

    name: str
    step: str
    task: FileOfRun | None
    other: FileOfRun | None
    same: bool


class Comparison(Answer):
    """``other`` is null where nothing of this name was completed before; then the lists are empty.

    ``inputs``, ``definition`` and ``result`` have what differs only; if ``is_cut``, one of the
    latter two differs in more places. Of the ``result`` files are left out. ``steps`` and ``files``
    have all of both tasks, as far as each of these shows them.
    """

    task: ComparedTask
    other: ComparedTask | None
    inputs: list[ComparedInput]
    definition: list[ComparedValue]
    result: list[ComparedValue] = Field(default_factory=list)
    is_cut: bool = False
    steps: list[ComparedStep]
    files: list[ComparedFile]
