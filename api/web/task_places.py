"""The parts of a task that a page offers by name: to begin with them, to read their log."""

from collections.abc import Sequence

from api.wire.responses.tasks import Task


def named_parts(task: Task) -> Sequence[str]:
    """Of a step's items, of which there may be many, those that have failed."""
    shown = (part for part in task.sub_tasks if part.item_of is None or part.error is not None)
    return list(dict.fromkeys(part.name for part in shown))
