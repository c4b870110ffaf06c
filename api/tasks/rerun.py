"""A new task that does the same as another, with other inputs or parameters if they are given."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from pydantic import JsonValue, ValidationError

from activities.store.audit import Actor
from activities.store.reading.asked_tasks import AskedTask, find_asked_task
from activities.store.tasks import find_accepted
from api.errors import IdempotencyConflict, InvalidRequest, StateConflict
from api.services import Services
from api.tasks.comparing import MAX_VALUES, differing
from api.tasks.drafts import Draft, check
from api.tasks.lookup import found
from api.tasks.submission import Submitted, submit
from api.wire.given_names import unknown_names
from api.wire.requests import RerunRequest
from api.wire.responses.checks import RerunCheck
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
    asked = await _asked(services, actor.team_id, task_id, idempotency_key)
    draft = _again(asked, request)
    if draft.request is None:
        raise InvalidRequest(draft.problems)
    return await submit(services, actor, draft.request, idempotency_key, was_accepted=True)


async def check_rerun(
    services: Services,
    team_id: UUID,
    task_id: UUID,
    request: RerunRequest,
    idempotency_key: str | None,
) -> RerunCheck:
    """What ``rerun`` would submit, and what is wrong with that. Nothing is kept.

    Raises:
        NotFound
        StateConflict: it is the turn of an agent that stays.
        IdempotencyConflict: the key is that of the task itself.
    """
    asked = await _asked(services, team_id, task_id, idempotency_key)
    draft, same = _again(asked, request), _document(asked, RerunRequest(), asked.definition or {})
    checked = await check(services, team_id, draft, idempotency_key, was_accepted=True)
    assert isinstance(draft.document, dict), "that of a task is one"
    changes = differing(draft.document, same)
    return RerunCheck(
        **dict(checked),
        request=draft.document,
        changes=[*changes[:MAX_VALUES]],
        is_cut=len(changes) > MAX_VALUES,
    )


async def _asked(
    services: Services, team_id: UUID, task_id: UUID, idempotency_key: str | None
) -> AskedTask:
    asked = found(await find_asked_task(services.database, team_id, task_id), task_id)
    if asked.type is TaskType.EXCHANGE:
        reason = f"it is a turn of agent {asked.parent_id}; send that a message"
        raise StateConflict(id=task_id, action="run once more", reason=reason)
    if idempotency_key is not None:
        earlier = await find_accepted(services.database, team_id, idempotency_key)
        if earlier is not None and earlier.id == task_id:
            # A new task is asked for: that this one is the same request makes it none.
            raise IdempotencyConflict(key=idempotency_key, difference=_ITS_OWN, task_id=task_id)
    return asked


def _again(asked: AskedTask, request: RerunRequest) -> Draft[TaskRequest]:
    definition = dict(asked.definition or {})
    parameters = definition.get("parameters")
    known: Collection[str] = parameters if isinstance(parameters, Mapping) else ()
    is_pipeline = asked.type is TaskType.PIPELINE
    problems = [
        *unknown_names("input", request.inputs, asked.inputs),
        *unknown_names("parameter", request.parameters, known if is_pipeline else ()),
    ]
    if request.parameters:
        definition["parameters"] = {**_mapping(parameters), **request.parameters}
    document = _document(asked, request, definition)
    if problems:
        return Draft(document, problems=tuple(problems))
    try:
        return Draft(document, TaskRequest.model_validate(document))
    except ValidationError as error:  # An older version has taken what is refused today.
        wrong = problems_in(error.errors(include_url=False), document, model=TaskRequest)
        return Draft(document, problems=tuple(wrong))


def _document(
    asked: AskedTask, request: RerunRequest, definition: Mapping[str, JsonValue]
) -> dict[str, JsonValue]:
    """The request that would make the task: with what it says, and all that makes a difference."""
    callbacks: list[JsonValue] = [
        {"url": each["url"], "events": [*each["events"]]} for each in asked.callbacks or ()
    ]
    return {
        "type": asked.type.value,
        **({} if asked.prompt is None else {"prompt": asked.prompt}),
        "priority": asked.priority,
        "inputs": {**asked.inputs, **request.inputs},
        "cache": asked.cache if request.cache is None else request.cache,
        **({"callbacks": callbacks} if callbacks else {}),
        **(definition if asked.type is TaskType.AUTO else {asked.type.value: {**definition}}),
    }


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
