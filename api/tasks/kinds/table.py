"""The types of tasks that the API offers."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.tasks import kinds
from api.tasks.kinds.base import ServedKind
from workflows.discovery import modules_of
from workflows.states import TaskType

_SERVED: Sequence[ServedKind[Any]] = [
    module.KIND for module in modules_of(kinds) if hasattr(module, "KIND")
]
KINDS: Mapping[TaskType, ServedKind[Any]] = {kind.kind.task_type: kind for kind in _SERVED}
