"""From a request to a task: judge it whole, write it down, start it."""

import hashlib
import textwrap
from uuid import UUID, uuid4

import structlog

from activities.store import tasks
from activities.store.reading.tasks import StoredTask
from activities.store.tasks import NewTask
from api.errors import IdempotencyConflict, InvalidRequest
from api.services import Services
from api.tasks.lookup import load_task
from api.tasks.runs import first_run, run_of
from api.tasks.validation import problems_with
from api.wire.requests import AUTO, TaskRequest
from workflows.definitions.agent import Agent
from workflows.definitions.kinds import Definition
from workflows.definitions.pipeline import Pipeline
from workflows.errors import TemporaryFailure
from workflows.pointers import Problem
from workflows.states import Status, TaskType

_NAME_CHARACTERS = 80

log = structlog.get_logger(__name__)


async def submit(
    services: Services, team_id: UUID, request: TaskRequest, idempotency_key: str | None
) -> tuple[UUID, Status]:
    """Accept a task. It is started now, or by the sweeper once Temporal can be reached.

    Raises:
        InvalidRequest: with everything that is wrong.
        IdempotencyConflict: the key was used for another request.
        TemporaryFailure: the database cannot be reached; nothing was accepted.
    """
    definition = _definition_of(request)
    if problems := await problems_with(services, team_id, definition, request.inputs):
        raise InvalidRequest(problems)
    task = NewTask(
        id=uuid4(),
        team_id=team_id,
        type=TaskType.AGENT if isinstance(definition, Agent) else TaskType.PIPELINE,
        name=_name_of(request, definition),
        definition=definition,
        inputs=request.inputs,
        prompt=request.prompt,
        priority=request.priority,
        idempotency_key=idempotency_key,
        request_digest=_digest(request) if idempotency_key else None,
    )
    accepted = await tasks.create_task(services.database, task)
    if accepted.is_new:
        await _start_new(services, task)
        return task.id, Status.PENDING
    if accepted.request_digest != task.request_digest:
        raise IdempotencyConflict(key=idempotency_key)
    earlier = await load_task(services.database, team_id, accepted.id)
    return earlier.id, earlier.status


async def start_stored(services: Services, task: StoredTask) -> None:
    """Start the workflow of a task's present run, as its row has it.

    Raises:
        TemporaryFailure: Temporal cannot be reached.
    """
    run = await run_of(services, task)
    await services.temporal.start(run, name=task.name, priority=task.priority)


async def _start_new(services: Services, task: NewTask) -> None:
    run = first_run(services, task)
    try:
        await services.temporal.start(run, name=task.name, priority=task.priority)
    except TemporaryFailure as failure:
        # The row is written: the task is accepted, and the sweeper starts it.
        log.warning("task.start_delayed", task_id=str(task.id), reason=str(failure))


def _definition_of(request: TaskRequest) -> Definition:
    match request.type:
        case TaskType.AGENT:
            return _agent_of(request)
        case TaskType.PIPELINE if request.pipeline is None:
            raise _wrong("/pipeline", "a task of type pipeline needs a pipeline")
        case _ if request.pipeline is not None:
            return request.pipeline
        case _:
            raise _wrong(
                "/type",
                f"tasks of type {AUTO} are not offered by this server yet; send an agent or a "
                "pipeline",
            )


def _agent_of(request: TaskRequest) -> Agent:
    if request.pipeline is not None:
        raise _wrong("/pipeline", "a task of type agent has no pipeline")
    if not (request.prompt or "").strip():
        raise _wrong("/prompt", "a task of type agent needs a prompt that says what to do")
    return request.agent or Agent()


def _name_of(request: TaskRequest, definition: Definition) -> str:
    """Of an agent's task, its prompt's first words."""
    if isinstance(definition, Pipeline):
        return definition.name
    words = " ".join((request.prompt or "").split())
    return textwrap.shorten(words, _NAME_CHARACTERS, placeholder=" …")


def _wrong(pointer: str, message: str) -> InvalidRequest:
    return InvalidRequest([Problem(pointer, message)])


def _digest(request: TaskRequest) -> str:
    """The same for requests that mean the same, however they are written."""
    return hashlib.sha256(request.model_dump_json().encode()).hexdigest()
