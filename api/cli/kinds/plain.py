"""Tasks that are a list of sub-tasks: also those of a type that this client does not know."""

from rich.console import Console

from api.cli.display.moving_picture import MovingPicture
from api.cli.display.plain_lines import PlainLines
from api.cli.display.progress import StepProgress, TaskProgress
from api.cli.kinds.base import Kind
from api.wire.responses.tasks import Task


class PlainKind(Kind[TaskProgress]):
    def progress(self, task: Task) -> TaskProgress:
        whole = [step for step in task.sub_tasks if step.item_of is None]
        steps = {step.name: StepProgress(step.name, step.type) for step in whole}
        return TaskProgress(
            str(task.task_id),
            task.name,
            temporal_url=task.temporal_url,
            steps=steps,
            latest_run=task.run,
        )

    def picture(self, progress: TaskProgress, console: Console) -> MovingPicture:
        return MovingPicture(progress, console)

    def lines(self, progress: TaskProgress, console: Console) -> PlainLines:
        return PlainLines(progress, console)
