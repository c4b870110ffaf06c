"""How tasks of each type are shown by the commands that look at them once.

It stands apart from the kinds: such a command is to answer at once, and those take long to load.
"""

import json
from collections.abc import Mapping, Sequence

from rich.text import Text

from api.cli.commands.printing import print_agents_result, print_text, print_title
from api.cli.display.amounts import counted
from api.client.tasks import TaskCalls
from api.wire.responses.tasks import Task, TaskSummary
from workflows.open_values import Unknown
from workflows.states import Status, TaskType


class View:
    """Of a task that is a list of sub-tasks: also of a type that this client does not know.

    ``part`` is what a sub-task of it is called; with ``draws_usage`` its drawing says what was
    used, by the tasks below it as well.
    """

    part: str = "step"
    draws_usage: bool = False

    def done(self, task: TaskSummary) -> str:
        """How far the task is, in a word or two."""
        return f"{task.progress.done}/{task.progress.total}"

    def progress_note(self, task: Task) -> str:
        """How far the task is, where its sub-tasks do not show it."""
        return ""

    async def drawing(self, client: TaskCalls, task: Task) -> Sequence[Text] | None:
        """What is shown in place of a table of the task's sub-tasks; None: the table is."""
        return None

    def print_result(self, task: Task) -> None:
        """Print what the task gave beside files, if it gave something."""
        if isinstance(task.result, dict):
            print_title("Result")
            print_text(json.dumps(task.result, indent=2, ensure_ascii=False))


class _AgentView(View):
    part = "call"

    def done(self, task: TaskSummary) -> str:
        # How many turns an agent may make says nothing of how far it is.
        return counted(task.progress.done, "turn")

    def progress_note(self, task: Task) -> str:
        return f"{task.progress.done} of at most {counted(task.progress.total, 'turn')}"

    def print_result(self, task: Task) -> None:
        print_agents_result(task.result)


class _AutoView(View):
    part = "call"

    def done(self, task: TaskSummary) -> str:
        return "choosing"

    def print_result(self, task: Task) -> None:
        """It gives none before it is chosen what it is."""


class _PlanView(View):
    part = "node"
    draws_usage = True

    def progress_note(self, task: Task) -> str:
        return task.progress.current or ""

    async def drawing(self, client: TaskCalls, task: Task) -> Sequence[Text]:
        from api.cli.commands.plan_view import plan_lines, waiting_lines

        task_id = str(task.task_id)
        lines = list(plan_lines(task_id, await client.plan(task_id)))
        if task.status is Status.WAITING:
            lines += waiting_lines(task_id, (await client.approvals(task_id)).items)
        return lines

    def print_result(self, task: Task) -> None:
        print_agents_result(task.result)


_PLAIN = View()
_VIEWS: Mapping[TaskType | Unknown, View] = {
    TaskType.AGENT: _AgentView(),
    TaskType.EXCHANGE: _AgentView(),
    TaskType.AUTO: _AutoView(),
    TaskType.PLAN: _PlanView(),
}


def view_of(task_type: TaskType | Unknown) -> View:
    return _VIEWS.get(task_type, _PLAIN)
