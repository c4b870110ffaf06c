"""How far a task is, in a word or two.

It stands apart from the kinds: a list of tasks is to be there at once, and they take long to load.
"""

from api.cli.display.amounts import counted
from api.wire.responses.tasks import TaskSummary
from workflows.states import TaskType


def done(task: TaskSummary) -> str:
    match task.type:
        case TaskType.AGENT | TaskType.EXCHANGE:
            # How many turns an agent may make says nothing of how far it is.
            return counted(task.progress.done, "turn")
        case TaskType.AUTO:
            return "choosing"
        case _:
            return f"{task.progress.done}/{task.progress.total}"
