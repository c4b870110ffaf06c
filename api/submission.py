"""From a request to a task: read it, judge it whole, write it down, start it."""

import hashlib
from uuid import UUID, uuid4

import structlog
from pydantic import JsonValue, ValidationError

from activities.store import tasks
from activities.store.tasks import NewTask
from api.deps import Services
from api.documents import unstorable
from api.errors import BodyMalformed, IdempotencyConflict, InvalidRequest
from api.pointers import problems_in
from api.queries import StoredTask, load_task
from api.schemas import TaskRequest
from api.starting import pipeline_run
from api.validation import problems_with
from api.yaml_reader import parse_yaml
from workflows.contracts import Status, TaskType
from workflows.definition import Pipeline, Problem
from workflows.errors import TemporaryFailure

log = structlog.get_logger(__name__)


def read_request(document: JsonValue) -> TaskRequest:
    """The request in a body; its pipeline may be text, YAML or JSON.

    Raises:
        InvalidRequest: with everything that its form alone shows to be wrong.
    """
    if isinstance(document, dict) and isinstance(text := document.get("pipeline"), str):
        document = {**document, "pipeline": _parse_pipeline(text)}
    try:
        request = TaskRequest.model_validate(document)
    except ValidationError as error:
        raise InvalidRequest(problems_in(error.errors(include_url=False), document)) from error
    if problems := list(unstorable(document)):
        raise InvalidRequest(problems)
    return request


async def submit(
    services: Services, team_id: UUID, request: TaskRequest, idempotency_key: str | None
) -> tuple[UUID, Status]:
    """Accept a task. It is started now, or by the sweeper once Temporal can be reached.

    Raises:
        InvalidRequest: with everything that is wrong.
        IdempotencyConflict: the key was used for another request.
        TemporaryFailure: the database cannot be reached; nothing was accepted.
    """
    pipeline = _pipeline_of(request)
    if problems := await problems_with(services, team_id, pipeline, request.inputs):
        raise InvalidRequest(problems)
    task = NewTask(
        id=uuid4(),
        team_id=team_id,
        type=TaskType.PIPELINE,
        name=pipeline.name,
        pipeline=pipeline,
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
    assert task.pipeline is not None
    run = pipeline_run(task.id, task.team_id, task.pipeline, run=task.run, first=task.first_step)
    await services.temporal.start(run, name=task.name, priority=task.priority)


async def _start_new(services: Services, task: NewTask) -> None:
    run = pipeline_run(task.id, task.team_id, task.pipeline)
    try:
        await services.temporal.start(run, name=task.name, priority=task.priority)
    except TemporaryFailure as failure:
        # The row is written: the task is accepted, and the sweeper starts it.
        log.warning("task.start_delayed", task_id=str(task.id), reason=str(failure))


def _pipeline_of(request: TaskRequest) -> Pipeline:
    if request.pipeline is not None and request.type in (TaskType.PIPELINE, TaskType.AUTO):
        return request.pipeline
    if request.type is TaskType.PIPELINE:
        raise InvalidRequest([Problem("/pipeline", "a task of type pipeline needs a pipeline")])
    message = f"tasks of type {request.type} are not offered by this server yet; send a pipeline"
    raise InvalidRequest([Problem("/type", message)])


def _parse_pipeline(text: str) -> JsonValue:
    try:
        return parse_yaml(text)
    except BodyMalformed as error:
        place = f"line {error.fields['line']}, column {error.fields['column']}"
        raise InvalidRequest(
            [Problem("/pipeline", f"not valid YAML: {error.fields['reason']} ({place})")]
        ) from error


def _digest(request: TaskRequest) -> str:
    """The same for requests that mean the same, however they are written."""
    return hashlib.sha256(request.model_dump_json().encode()).hexdigest()
