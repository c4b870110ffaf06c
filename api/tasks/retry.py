"""Running a task that has ended again, from one of its steps or turns on."""

from uuid import UUID

from activities.store import tasks
from api.errors import InvalidRequest, StateConflict
from api.services import Services
from api.tasks.kinds.table import KINDS
from api.tasks.lookup import load_task
from api.tasks.runs import start_soon
from api.wire.requests import RetryRequest
from workflows.states import Status


async def retry_task(
    services: Services, team_id: UUID, task_id: UUID, request: RetryRequest
) -> Status:
    """Start the next run of a task. What came before the place where it begins is kept.

    Raises:
        NotFound
        StateConflict: the task has not ended.
        InvalidRequest: with everything that is wrong.
    """
    task = await load_task(services.database, team_id, task_id)
    if not task.status.is_final:
        reason = f"it is {task.status}; cancel it first, or wait until it ends"
        raise StateConflict(id=task.id, action="retried", reason=reason)
    served = KINDS[task.type]
    inputs = {**task.inputs, **request.inputs}
    beginning = await served.beginning(services, task, request.begin)
    # A skill, tool or file of the first run may be gone by now.
    kind = served.kind
    if problems := await kind.problems(services.installed, team_id, kind.read(task), inputs):
        raise InvalidRequest(problems)
    if not await tasks.restart_task(
        services.database,
        task.id,
        task.run,
        first_step=beginning.first_step,
        again=beginning.again,
        inputs=inputs,
    ):
        raise StateConflict(id=task.id, action="retried", reason="it was retried just now")
    await start_soon(services, await load_task(services.database, team_id, task_id))
    return Status.PENDING
