"""Drafts of tasks: judged as if they were submitted, with the place of everything that is wrong."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, JsonValue

from activities.kinds.errors import TaskRefused
from activities.off_loop import off_loop
from activities.store.tasks import find_accepted
from activities.submissions import submission_of
from api.errors import InvalidRequest
from api.services import Services
from api.tasks.half_read import further_problems
from api.tasks.judging import judge
from api.wire.located import Source, located
from api.wire.responses.checks import FoundProblem, OutlinedStep, TaskCheck, WantedInput
from api.wire.yaml_places import Place
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.pipeline_checking import inputs_of
from workflows.definitions.task_request import TaskRequest
from workflows.errors.inputs import ReferenceMalformed
from workflows.pointers import Problem

PIPELINE = "/pipeline"


Request = TypeVar("Request", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Draft(Generic[Request]):
    """What was sent: the ``request`` that it is, or else ``problems``.

    ``broken_at`` is where a text ends to be YAML. ``sources`` are looked at in their order.
    """

    document: JsonValue = None
    request: Request | None = None
    problems: tuple[Problem, ...] = ()
    sources: tuple[Source, ...] = ()
    broken_at: Place | None = None


async def check(
    services: Services,
    team_id: UUID,
    draft: Draft[TaskRequest],
    idempotency_key: str | None = None,
    *,
    was_accepted: bool = False,
) -> TaskCheck:
    """Judge a draft by the rules of a submission, and say for which task the key was used. Nothing
    is kept.

    Raises:
        TemporaryFailure: who must be asked cannot be reached.
    """
    checked = await _checked(services, team_id, draft, was_accepted=was_accepted)
    if idempotency_key is None:
        return checked
    earlier = await find_accepted(services.database, team_id, idempotency_key)
    return checked.model_copy(update={"existing_task_id": earlier and earlier.id})


async def _checked(
    services: Services, team_id: UUID, draft: Draft[TaskRequest], *, was_accepted: bool
) -> TaskCheck:
    if draft.request is None:
        more = await further_problems(services, team_id, draft.document, draft.problems)
        told = InvalidRequest([*draft.problems, *more]).problems if more else draft.problems
        return await off_loop(_answer, replace(draft, problems=told))
    try:
        await judge(services, team_id, draft.request, was_accepted=was_accepted)
    except TaskRefused as refused:
        problems = InvalidRequest(refused.problems).problems  # As short as those of an answer.
        draft = replace(draft, problems=problems)
    return await off_loop(_answer, draft)


def _answer(draft: Draft[TaskRequest]) -> TaskCheck:
    outline = {} if draft.request is None else _outline(draft.request)
    return TaskCheck(valid=not draft.problems, problems=found_in(draft), **outline)


def found_in(draft: Draft[Any]) -> list[FoundProblem]:
    """What is wrong, each with its place. Takes a while: not on the event loop."""
    found = located(draft.problems, draft.document, draft.sources, draft.broken_at)
    return [FoundProblem.model_validate(asdict(each)) for each in found]


def _outline(request: TaskRequest) -> dict[str, Any]:
    """What it would run, as far as it can be read."""
    try:
        submission = submission_of(request)
    except TaskRefused:
        return {"type": request.asked_type}
    named = submission.kind.name(request.prompt, submission.definition)
    outline: dict[str, Any] = {"type": submission.kind.task_type, "name": named}
    definition = submission.definition
    if not isinstance(definition, Pipeline):
        given = [WantedInput(name=name, given=True, steps=[]) for name in request.inputs]
        return outline | {"inputs": given}
    users = _users(definition)
    return outline | {
        "steps": [
            OutlinedStep(id=step.id, kind=step.kind, runs=step.runs) for step in definition.steps
        ],
        "inputs": [
            WantedInput(name=name, given=name in request.inputs, steps=users.get(name, []))
            for name in dict.fromkeys(definition.inputs)
        ],
    }


def _users(pipeline: Pipeline) -> dict[str, list[str]]:
    """The steps that use each input."""
    users: dict[str, list[str]] = {}
    for step in pipeline.steps:
        try:
            used = inputs_of(step, pipeline.inputs)
        except ReferenceMalformed:
            continue  # It is among the problems.
        for name in used:
            users.setdefault(name, []).append(step.id)
    return users
