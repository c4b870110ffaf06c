"""How far a task is, in words: of steps or nodes how many are done, or how many turns it took."""

from api.tasks.kinds.table import KINDS
from api.wire.responses.tasks import TaskSummary
from workflows.states import TaskType


def has_an_end(task: TaskSummary) -> bool:
    """Whether its total says how much there is to do."""
    kind = KINDS[task.type] if isinstance(task.type, TaskType) else None
    return bool(task.progress.total) and not (kind and kind.counts_turns)


def progress(task: TaskSummary) -> str:
    """``2 of 4``, ``5 turns``, or nothing yet."""
    done, total = task.progress.done, task.progress.total
    if has_an_end(task):
        return f"{done} of {total}"
    if not total:
        return ""
    return f"{done} turn" if done == 1 else f"{done} turns"
