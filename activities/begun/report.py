"""What an agent that stays reads when a task has ended that it has begun.

Names, results and errors come from models and scripts. Each is kept on one line, so that none can
pass for a line of this report.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import JsonValue

from workflows.contracts import Failure
from workflows.states import Status, TaskType

_RESULT_CHARACTERS = 4_000
_ERROR_CHARACTERS = 2_000
_NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class MadeArtifact:
    """``size`` is in bytes."""

    id: UUID
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class EndedTask:
    """``artifacts`` are the latest of ``artifacts_in_all``; of a task that ``is_deleted`` nothing
    is left."""

    id: UUID
    type: TaskType
    name: str
    status: Status
    result: Mapping[str, JsonValue] | None
    error: Failure | None
    artifacts: Sequence[MadeArtifact]
    artifacts_in_all: int
    is_deleted: bool


def report_of(task: EndedTask, public_url: str) -> str:
    """Its lines; ``public_url`` comes before the paths of artifacts."""
    return "\n".join(_lines(task, public_url))


def _lines(task: EndedTask, public_url: str) -> Iterator[str]:
    name = _line(task.name, _NAME_CHARACTERS)
    yield f"The {task.type} task {name!r} that you began has ended: {task.status}. Id: {task.id}"
    if task.is_deleted:
        yield "It was deleted: its result and its files are gone."
        return
    if task.error is not None:
        at = f" (at {_line(task.error.step, _NAME_CHARACTERS)})" if task.error.step else ""
        yield f"Error{at}: {_line(task.error.message, _ERROR_CHARACTERS)}"
    if task.result:
        yield f"Result: {_line(_said(task.result), _RESULT_CHARACTERS)}"
    for made in task.artifacts:
        quoted = _line(made.name, _NAME_CHARACTERS).replace("'", r"\'")
        url = f"{public_url.rstrip('/')}/api/v1/artifacts/{made.id}"
        yield f"File '{quoted}' created at {url} ({made.size} bytes, artifact:{made.id})"
    if (more := task.artifacts_in_all - len(task.artifacts)) > 0:
        yield f"{more} older files: list_files shows them."
    if task.artifacts:
        yield "You can use these files by their names from now on."


def _said(result: Mapping[str, JsonValue]) -> str:
    """A summary in words, where that is all there is."""
    summary = result.get("summary")
    if isinstance(summary, str) and not any(v for k, v in result.items() if k != "summary"):
        return summary
    return json.dumps(result, ensure_ascii=False)


def _line(text: str, most: int) -> str:
    words = " ".join(text.split())
    return words if len(words) <= most else f"{words[:most]} …"
