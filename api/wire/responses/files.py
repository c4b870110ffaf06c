"""Files: uploads, and those that tasks made."""

from datetime import datetime
from uuid import UUID

from api.wire.responses.base import Answer
from workflows.open_values import Open
from workflows.states import ArtifactType


class Artifact(Answer):
    """``sub_task`` is the name of the step that made it; ``url`` is where to fetch it."""

    id: UUID
    name: str
    type: Open[ArtifactType]
    size: int
    mime_type: str
    sha256: str | None
    url: str
    sub_task: str
    created_at: datetime


class File(Answer):
    id: UUID
    name: str
    size: int
    mime_type: str
    sha256: str
    url: str


class UploadedFile(File):
    """``existed``: the team had uploaded the same bytes under the same name and type before, and
    this is that file, which is kept for as long as a new one."""

    existed: bool = False


class TaskInput(Answer):
    """``file`` is what was uploaded, or made by the task ``task_id``; null for what is elsewhere,
    or was deleted. ``deleted_name`` is what an upload was called that was deleted."""

    name: str
    ref: str
    file: File | None
    task_id: UUID | None = None
    deleted_name: str | None = None


class TaskInputList(Answer):
    items: list[TaskInput]


class ListedFile(File):
    created_at: datetime
