"""From a request to a task: judge it whole, write it down, start it."""

from dataclasses import replace
from uuid import UUID, uuid4

from activities.kinds.errors import TaskRefused
from activities.store import tasks
from activities.store.audit import Actor
from activities.store.tasks import Accepted
from api.errors import IdempotencyConflict, InvalidRequest
from api.services import Services
from api.tasks.digests import digest_of
from api.tasks.judging import judge
from api.tasks.lookup import load_task
from api.tasks.runs import start_soon
from workflows.definitions.task_request import TaskRequest
from workflows.states import Status


async def submit(
    services: Services, actor: Actor, request: TaskRequest, idempotency_key: str | None
) -> tuple[UUID, Status]:
    """Accept a task. It is started now, or by the sweeper once Temporal can be reached.

    Raises:
        InvalidRequest: with everything that is wrong.
        IdempotencyConflict: the key was used for another request.
        TemporaryFailure: the database cannot be reached; nothing was accepted.
    """
    team_id = actor.team_id
    digest = digest_of(request) if idempotency_key else None
    try:
        submission = await judge(services, team_id, request)
    except TaskRefused as refused:
        # What was fine when it was accepted may be gone now: that makes no repeat wrong.
        if idempotency_key and (
            earlier := await tasks.find_accepted(services.database, team_id, idempotency_key)
        ):
            return await _repeated(services, team_id, earlier, digest, idempotency_key)
        raise InvalidRequest(refused.problems) from refused
    task = replace(
        submission.task(uuid4(), team_id),
        idempotency_key=idempotency_key,
        request_digest=digest,
        created_by=actor.name,
    )
    accepted = await tasks.create_task(services.database, task)
    if not accepted.is_new:
        return await _repeated(services, team_id, accepted, digest, idempotency_key)
    await start_soon(services, task)
    return task.id, Status.PENDING


async def _repeated(
    services: Services,
    team_id: UUID,
    earlier: Accepted,
    digest: str | None,
    idempotency_key: str | None,
) -> tuple[UUID, Status]:
    if earlier.request_digest != digest:
        raise IdempotencyConflict(key=idempotency_key)
    task = await load_task(services.database, team_id, earlier.id)
    return task.id, task.status
