"""Tasks of type ``auto``: a model chooses what the task is, which it is served as from then on."""

from collections.abc import Sequence

from activities.kinds.auto import KIND as KIND_OF_TASK
from activities.store.reading.tasks import StoredTask, TaskDetails, TaskSummary
from api.services import Services
from api.tasks.kinds.agent_beginning import BEGIN_ANEW
from api.tasks.kinds.base import Beginning, ServedKind, wrong
from api.wire.requests import RetryRequest
from api.wire.responses.files import Artifact
from api.wire.responses.tasks import Progress
from workflows.definitions.auto import MAX_ANSWERS, Auto


class ServedAutoKind(ServedKind[Auto]):
    kind = KIND_OF_TASK
    has_many_sub_tasks = True

    async def beginning(
        self, services: Services, task: StoredTask, request: RetryRequest
    ) -> Beginning:
        """At the start: such a task has failed before anything was chosen."""
        if request.begin not in (None, BEGIN_ANEW):
            message = f"nobody has chosen yet what the task is; it can begin at {BEGIN_ANEW!r} only"
            raise wrong("/from", message)
        return Beginning(0)

    def progress(self, task: TaskSummary, current: str | None) -> Progress:
        """Of the choice. How much work there is nobody knows before."""
        return Progress(done=task.turns, total=MAX_ANSWERS, percent=0, current=current)

    def result(self, task: TaskDetails, files: Sequence[Artifact]) -> None:
        """There is none before it has become something else."""


KIND = ServedAutoKind()
