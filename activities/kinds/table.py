"""The types of tasks that there are."""

from collections.abc import Mapping
from typing import Any

from activities import kinds
from activities.kinds.base import Kind
from workflows.discovery import modules_of
from workflows.states import TaskType

KINDS: Mapping[TaskType, Kind[Any]] = {
    module.KIND.task_type: module.KIND for module in modules_of(kinds) if hasattr(module, "KIND")
}
