"""Tasks of type ``agent``: a model with tools, until it finishes."""

from collections.abc import Sequence

from activities.kinds.agent import KIND as KIND_OF_TASK
from activities.store.reading.tasks import StoredTask, TaskDetails, TaskSummary
from api.services import Services
from api.tasks.kinds.agent_beginning import last_kept_message
from api.tasks.kinds.base import Beginning, ServedKind
from api.wire.requests import RetryRequest
from api.wire.responses.files import Artifact
from api.wire.responses.tasks import AgentResult, Progress
from workflows.definitions.agent import DEFAULT_TURNS, Agent
from workflows.states import Status


class ServedAgentKind(ServedKind[Agent]):
    kind = KIND_OF_TASK
    has_many_sub_tasks = True
    counts_turns = True

    async def beginning(
        self, services: Services, task: StoredTask, request: RetryRequest
    ) -> Beginning:
        """After a turn that is whole. What was done later is dropped by the run once it begins."""
        return Beginning(await last_kept_message(services.database, task, request.begin))

    def progress(self, task: TaskSummary, current: str | None) -> Progress:
        """Of the turns that are allowed. Who finishes earlier is done nevertheless."""
        total = task.turn_limit or DEFAULT_TURNS
        is_done = task.status is Status.COMPLETED
        percent = 100 if is_done else min(100, 100 * task.turns // total)
        return Progress(done=task.turns, total=total, percent=percent, current=current)

    def result(self, task: TaskDetails, files: Sequence[Artifact]) -> AgentResult:
        """What it gave to ``finish``, and all files."""
        return result_of(task, files)


KIND = ServedAgentKind()


def result_of(task: TaskDetails, files: Sequence[Artifact]) -> AgentResult:
    """What a model gave to ``finish``, and all files."""
    given = task.result or {}
    return AgentResult.model_validate(
        {
            "summary": given.get("summary") or "",
            "result": given.get("result"),
            "files": files,
        }
    )
