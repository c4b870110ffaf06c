"""Tasks of type ``plan``: a model splits the work into nodes, each of which is a task."""

from collections.abc import Sequence

from activities.kinds.plan import KIND as KIND_OF_TASK
from activities.store.reading.past_steps import PastStep
from activities.store.reading.steps import Step, StepState
from activities.store.reading.tasks import StoredTask, TaskDetails, TaskSummary
from api.services import Services
from api.tasks.kinds.agent import result_of
from api.tasks.kinds.base import Beginning, Future, ServedKind, check_fields, wrong
from api.tasks.kinds.plan_beginning import plan_beginning
from api.wire.requests import RetryRequest, TaskRequest
from api.wire.responses.files import Artifact
from api.wire.responses.tasks import AgentResult, Progress
from workflows.definitions.plan import Plan
from workflows.states import LIVING, Status

_PLANNING = "planning"
_APPROVAL = "waiting for approval"
_SYNTHESIS = "synthesis"


class ServedPlanKind(ServedKind[Plan]):
    kind = KIND_OF_TASK

    def define(self, request: TaskRequest) -> Plan:
        check_fields(request, "plan")
        if not (request.prompt or "").strip():
            raise wrong("/prompt", "a task of type plan needs a prompt that says what to do")
        return request.plan or Plan()

    async def beginning(
        self, services: Services, task: StoredTask, request: RetryRequest
    ) -> Beginning:
        return await plan_beginning(services, task, request)

    def future(self, past: Sequence[PastStep], beginning: Beginning) -> Future:
        """Of the nodes. A plan that is made, or revised, anew has others."""
        nodes = [step for step in past if step.number is not None and not step.is_out]
        again = [
            node
            for node in nodes
            if node.id in beginning.again or node.order > beginning.first_step
        ]
        return Future([node.name for node in nodes if node not in again], again)

    def progress(self, task: TaskSummary, current: str | None) -> Progress:
        """Of the nodes, but for those that the plan goes on without; or of those to be approved."""
        nodes = [step for step in task.steps if step.number is not None and not step.is_out]
        planned = next((step.planned for step in task.steps if step.planned is not None), None)
        done = sum(node.status is Status.COMPLETED for node in nodes)
        total = len(nodes) or planned or 1
        percent = 100 if task.status is Status.COMPLETED else 100 * done // total
        at = _APPROVAL if planned is not None else _current(nodes, done)
        at = None if task.status.is_final else at
        return Progress(done=done, total=total, percent=percent, current=at)

    def shown(self, steps: Sequence[Step]) -> Sequence[Step]:
        """The nodes. What the planner calls is in the trace."""
        nodes = [(step.number, step) for step in steps if step.number is not None]
        return [step for _, step in sorted(nodes, key=lambda pair: pair[0])]

    def result(self, task: TaskDetails, files: Sequence[Artifact]) -> AgentResult:
        return result_of(task, files)


KIND = ServedPlanKind()


def _current(nodes: Sequence[StepState], done: int) -> str | None:
    if not nodes:
        return _PLANNING
    if done == len(nodes):
        return _SYNTHESIS
    begun = (node.name for node in nodes if node.status in LIVING - {Status.PENDING})
    return next(begun, None)
