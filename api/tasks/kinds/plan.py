"""Tasks of type ``plan``: a model splits the work into nodes, each of which is a task."""

from collections.abc import Sequence

from activities.kinds.plan import KIND as KIND_OF_TASK
from activities.store.reading.tasks import StoredTask, TaskDetails, TaskSummary
from api.services import Services
from api.tasks.kinds.agent import KIND as AGENT
from api.tasks.kinds.base import Beginning, ServedKind, wrong
from api.wire.requests import TaskRequest
from api.wire.responses.files import Artifact
from api.wire.responses.tasks import AgentResult, Progress
from workflows.definitions.plan import Plan


class ServedPlanKind(ServedKind[Plan]):
    kind = KIND_OF_TASK

    def define(self, request: TaskRequest) -> Plan:
        if not (request.prompt or "").strip():
            raise wrong("/prompt", "a task of type plan needs a prompt that says what to do")
        return request.plan or Plan()

    async def beginning(self, services: Services, task: StoredTask, begin: str | None) -> Beginning:
        return Beginning(0)

    def progress(self, task: TaskSummary, current: str | None) -> Progress:
        return AGENT.progress(task, current)

    def result(self, task: TaskDetails, files: Sequence[Artifact]) -> AgentResult:
        return AGENT.result(task, files)


KIND = ServedPlanKind()
