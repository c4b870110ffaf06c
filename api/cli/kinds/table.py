"""The types of tasks that the terminal knows."""

from collections.abc import Mapping
from typing import Any

from api.cli import kinds
from api.cli.kinds.base import Kind
from api.cli.kinds.plain import PlainKind
from workflows.discovery import modules_of
from workflows.open_values import Unknown
from workflows.states import TaskType

KINDS: Mapping[TaskType, Kind[Any]] = {
    module.KIND.task_type: module.KIND for module in modules_of(kinds) if hasattr(module, "KIND")
}
_UNKNOWN = PlainKind()


def kind_of(task_type: TaskType | Unknown) -> Kind[Any]:
    """The kind of a type; for one that is newer than this client, a plain one."""
    return _UNKNOWN if isinstance(task_type, Unknown) else KINDS[task_type]
