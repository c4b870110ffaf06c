"""Tasks as a table."""

from collections.abc import Sequence

from api.cli.commands.printing import Cell, print_table, short_id, status_cell, when
from api.cli.display.amounts import elapsed
from api.cli.kinds.views import view_of
from api.wire.responses.tasks import TaskSummary


def print_tasks(tasks: Sequence[TaskSummary]) -> None:
    columns = ("ID", "STATUS", "TYPE", "DONE", "NAME", "CREATED", "TIME")
    spare = ("TYPE", "TIME", "DONE", "CREATED")
    print_table(
        columns, [_task_row(task) for task in tasks], cut="NAME", spare=spare, none="No such tasks."
    )


def _task_row(task: TaskSummary) -> Sequence[Cell]:
    return (
        short_id(task.task_id),
        status_cell(task.status),
        task.type.value,
        view_of(task.type).done(task),
        task.name,
        when(task.created_at),
        elapsed(task.started_at, task.finished_at),
    )
