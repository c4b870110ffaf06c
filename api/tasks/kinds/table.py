"""The types of tasks that the API offers."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.tasks import kinds
from api.tasks.kinds.base import ServedKind
from api.wire.requests import TaskRequest
from workflows.discovery import modules_of
from workflows.states import TaskType

_SERVED: Sequence[ServedKind[Any]] = [
    module.KIND for module in modules_of(kinds) if hasattr(module, "KIND")
]
KINDS: Mapping[TaskType, ServedKind[Any]] = {kind.kind.task_type: kind for kind in _SERVED}


def type_of(request: TaskRequest) -> TaskType:
    """The type of the task that a request asks for: nobody has to choose what has a pipeline."""
    is_chosen = request.type is TaskType.AUTO and request.pipeline is not None
    return TaskType.PIPELINE if is_chosen else request.type
