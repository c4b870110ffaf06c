"""The types of tasks that the API offers."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.tasks import kinds
from api.tasks.kinds.base import ServedKind, wrong
from api.wire.requests import AUTO, TaskRequest
from workflows.discovery import modules_of
from workflows.states import TaskType

_SERVED: Sequence[ServedKind[Any]] = [
    module.KIND for module in modules_of(kinds) if hasattr(module, "KIND")
]
KINDS: Mapping[TaskType, ServedKind[Any]] = {kind.kind.task_type: kind for kind in _SERVED}


def type_of(request: TaskRequest) -> TaskType:
    """The type of the task that a request asks for. Raises ``InvalidRequest``."""
    if request.type != AUTO:
        return request.type
    if request.pipeline is not None:
        return TaskType.PIPELINE
    raise wrong(
        "/type",
        f"tasks of type {AUTO} are not offered by this server yet; send an agent or a pipeline",
    )
