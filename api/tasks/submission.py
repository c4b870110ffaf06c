"""From a request to a task: judge it whole, write it down, start it."""

import hashlib
from uuid import UUID, uuid4

from activities.store import tasks
from activities.store.tasks import Accepted, NewTask
from api.errors import IdempotencyConflict, InvalidRequest
from api.services import Services
from api.tasks.kinds.table import KINDS, type_of
from api.tasks.lookup import load_task
from api.tasks.runs import start_soon
from api.webhooks.receivers import judged_callbacks
from api.wire.requests import TaskRequest
from workflows.states import Status


async def submit(
    services: Services, team_id: UUID, request: TaskRequest, idempotency_key: str | None
) -> tuple[UUID, Status]:
    """Accept a task. It is started now, or by the sweeper once Temporal can be reached.

    Raises:
        InvalidRequest: with everything that is wrong.
        IdempotencyConflict: the key was used for another request.
        TemporaryFailure: the database cannot be reached; nothing was accepted.
    """
    task_type = type_of(request)
    served = KINDS[task_type]
    kind, definition = served.kind, served.define(request)
    digest = _digest(request) if idempotency_key else None
    callbacks, unheard = await judged_callbacks(services, team_id, request.callbacks)
    problems = await kind.problems(services.installed, team_id, definition, request.inputs)
    if problems := [*problems, *unheard]:
        # What was fine when it was accepted may be gone now: that makes no repeat wrong.
        if idempotency_key and (
            earlier := await tasks.find_accepted(services.database, team_id, idempotency_key)
        ):
            return await _repeated(services, team_id, earlier, digest, idempotency_key)
        raise InvalidRequest(problems)
    task_id = uuid4()
    task = NewTask(
        id=task_id,
        team_id=team_id,
        type=task_type,
        name=kind.name(request.prompt, definition),
        definition=definition.model_dump(mode="json", exclude_defaults=True),
        sub_tasks=kind.sub_tasks(task_id, definition),
        inputs=request.inputs,
        prompt=request.prompt,
        priority=request.priority,
        idempotency_key=idempotency_key,
        request_digest=digest,
        cache=request.cache,
        callbacks=callbacks,
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


def _digest(request: TaskRequest) -> str:
    """The same for requests that mean the same, however they are written."""
    # What older versions did not know must not change what they have written down.
    newer = {"callbacks"} if not request.callbacks else None
    return hashlib.sha256(request.model_dump_json(exclude=newer).encode()).hexdigest()
