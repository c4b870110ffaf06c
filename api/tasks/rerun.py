"""A new task that does the same as another, with other inputs or parameters if they are given."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from activities.store.audit import Actor
from activities.store.reading.asked_tasks import AskedTask, find_asked_task
from activities.store.tasks import find_accepted
from api.errors import IdempotencyConflict, InvalidRequest, StateConflict
from api.services import Services
from api.tasks.lookup import found
from api.tasks.names import check_names
from api.tasks.submission import Submitted, submit
from api.wire.requests import RerunRequest
from workflows.definitions.task_request import TaskRequest
from workflows.pointers import problems_in
from workflows.states import TaskType

_ITS_OWN = "it is the key of the task that is to be run once more"


async def rerun(
    services: Services,
    actor: Actor,
    task_id: UUID,
    request: RerunRequest,
    idempotency_key: str | None,
) -> Submitted:
    """Submit what a task is once more. The task itself stays as it is.

    Raises:
        NotFound
        StateConflict: it is the turn of an agent that stays.
        InvalidRequest: with everything that is wrong.
        IdempotencyConflict: the key was used for another request.
    """
    asked = found(await find_asked_task(services.database, actor.team_id, task_id), task_id)
    if asked.type is TaskType.EXCHANGE:
        reason = f"it is a turn of agent {asked.parent_id}; send that a message"
        raise StateConflict(id=task_id, action="run once more", reason=reason)
    if idempotency_key is not None:
        earlier = await find_accepted(services.database, actor.team_id, idempotency_key)
        if earlier is not None and earlier.id == task_id:
            # A new task is asked for: that this one is the same request makes it none.
            raise IdempotencyConflict(key=idempotency_key, difference=_ITS_OWN, task_id=task_id)
    wanted = _again(asked, request)
    return await submit(services, actor, wanted, idempotency_key, was_accepted=True)


def _again(asked: AskedTask, request: RerunRequest) -> TaskRequest:
    """Raises ``InvalidRequest``."""
    check_names("input", request.inputs, asked.inputs)
    definition = dict(asked.definition or {})
    parameters = definition.get("parameters")
    known: Collection[str] = parameters if isinstance(parameters, Mapping) else ()
    is_pipeline = asked.type is TaskType.PIPELINE
    check_names("parameter", request.parameters, known if is_pipeline else ())
    if request.parameters:
        definition["parameters"] = {**_mapping(parameters), **request.parameters}
    document = {
        "type": asked.type,
        "prompt": asked.prompt,
        "priority": asked.priority,
        "inputs": {**asked.inputs, **request.inputs},
        "cache": asked.cache if request.cache is None else request.cache,
        "callbacks": [
            {"url": each["url"], "events": each["events"]} for each in asked.callbacks or ()
        ],
        **(definition if asked.type is TaskType.AUTO else {asked.type.value: definition}),
    }
    try:
        return TaskRequest.model_validate(document)
    except ValidationError as error:  # An older version has taken what is refused today.
        raise InvalidRequest(
            problems_in(error.errors(include_url=False), document, model=TaskRequest)
        ) from error


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
