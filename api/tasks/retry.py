"""Running a task that has ended again, from one of its steps or turns on."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import structlog

from activities.store import tasks
from activities.store.reading.steps import PlacedStep, list_placed_steps
from activities.store.reading.tasks import StoredTask
from api.errors import InvalidRequest, StateConflict
from api.services import Services
from api.tasks.agent_retry import last_kept_message, wrong_begin
from api.tasks.lookup import load_task
from api.tasks.submission import start_stored
from api.tasks.validation import problems_with
from api.wire.requests import RetryRequest
from workflows.definitions.agent import Agent
from workflows.errors import TemporaryFailure
from workflows.states import Status

log = structlog.get_logger(__name__)


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
        reason = f"it is {task.status}; cancel it first, or wait for its end"
        raise StateConflict(id=task.id, action="retried", reason=reason)
    inputs = {**task.inputs, **request.inputs}
    first = await _first(services, task, request.begin)
    await _check(services, task, inputs)
    if not await tasks.restart_task(
        services.database, task.id, task.run, task.definition, first=first, inputs=inputs
    ):
        raise StateConflict(id=task.id, action="retried", reason="somebody else has just done so")
    await _start(services, team_id, task_id)
    return Status.PENDING


async def _start(services: Services, team_id: UUID, task_id: UUID) -> None:
    try:
        await start_stored(services, await load_task(services.database, team_id, task_id))
    except TemporaryFailure as failure:
        # The row is written: the run is accepted, and the sweeper starts it.
        log.warning("task.start_delayed", task_id=str(task_id), reason=str(failure))


async def _first(services: Services, task: StoredTask, begin: str | None) -> int:
    if isinstance(task.definition, Agent):
        return await last_kept_message(services.database, task, begin)
    return await _first_step(services, task, begin)


async def _first_step(services: Services, task: StoredTask, begin: str | None) -> int:
    steps = await list_placed_steps(services.database, task.id)
    if begin is None:
        for index, step in enumerate(steps):
            if step.status is not Status.COMPLETED:
                return index
        raise wrong_begin("every step is completed; name the step to begin with")
    for index, step in enumerate(steps):
        if begin in (step.name, str(step.id)):
            _check_before(steps[:index], begin)
            return index
    known = ", ".join(step.name for step in steps)
    raise wrong_begin(f"there is no step {begin!r} (steps: {known})")


def _check_before(steps: Sequence[PlacedStep], begin: str) -> None:
    for step in steps:
        if step.status is not Status.COMPLETED:
            raise wrong_begin(
                f"step {step.name!r}, which comes before {begin!r}, is not completed "
                f"({step.status}); begin with {step.name!r}"
            )


async def _check(services: Services, task: StoredTask, inputs: Mapping[str, str]) -> None:
    """A skill, tool or file of the first run may be gone by now."""
    if problems := await problems_with(services, task.team_id, task.definition, inputs):
        raise InvalidRequest(problems)
