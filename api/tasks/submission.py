"""From a request to a task: judge it whole, write it down, start it."""

from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from activities.inputs.errors import InputsGone
from activities.kinds.errors import TaskRefused
from activities.store import tasks
from activities.store.audit import Actor
from activities.store.tasks import Accepted, GivenInputs
from api.errors import IdempotencyConflict, InvalidRequest
from api.services import Services
from api.tasks.digests import digest_of
from api.tasks.judging import judge
from api.tasks.lookup import load_task
from api.tasks.repeats import difference, given_inputs
from api.tasks.runs import start_soon
from workflows.definitions.task_request import TaskRequest
from workflows.states import Status


@dataclass(frozen=True, slots=True)
class _Keyed:
    """A request that is made once, with its inputs by their bytes."""

    key: str
    request: TaskRequest
    given: GivenInputs


@dataclass(frozen=True, slots=True)
class Submitted:
    """A task as it is now. ``existed``: an earlier request with the same key has made it."""

    task_id: UUID
    status: Status
    existed: bool = False


async def submit(
    services: Services,
    actor: Actor,
    request: TaskRequest,
    idempotency_key: str | None,
    *,
    was_accepted: bool = False,
) -> Submitted:
    """Accept a task. It is started now, or by the sweeper once Temporal can be reached.

    Raises:
        InvalidRequest: with everything that is wrong.
        IdempotencyConflict: the key was used for another request.
        TemporaryFailure: the database cannot be reached; nothing was accepted.
    """
    team_id = actor.team_id
    keyed = None
    if idempotency_key is not None:
        given = await given_inputs(services.database, team_id, request.inputs)
        keyed = _Keyed(idempotency_key, request, given)
    try:
        submission = await judge(services, team_id, request, was_accepted=was_accepted)
        task = replace(submission.task(uuid4(), team_id), created_by=actor.name)
        if keyed is not None:
            task = replace(
                task,
                idempotency_key=keyed.key,
                request_digest=digest_of(request),
                request_inputs=keyed.given,
            )
        accepted = await tasks.create_task(services.database, task)
    except (TaskRefused, InputsGone) as refused:
        # What was fine when it was accepted may be gone now: that makes no repeat wrong.
        if keyed and (earlier := await tasks.find_accepted(services.database, team_id, keyed.key)):
            return await _repeated(services, team_id, earlier, keyed)
        raise InvalidRequest(refused.problems) from refused
    if keyed is not None and not accepted.is_new:
        return await _repeated(services, team_id, accepted, keyed)
    await start_soon(services, task)
    return Submitted(task.id, Status.PENDING)


async def _repeated(
    services: Services, team_id: UUID, earlier: Accepted, keyed: _Keyed
) -> Submitted:
    differs = await difference(services.database, team_id, earlier, keyed.request, keyed.given)
    if differs is not None:
        raise IdempotencyConflict(key=keyed.key, difference=differs, task_id=earlier.id)
    task = await load_task(services.database, team_id, earlier.id)
    return Submitted(task.id, task.status, existed=True)
