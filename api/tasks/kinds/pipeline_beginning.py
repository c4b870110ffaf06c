"""Where a pipeline begins when a person retries it: with one of its steps, as that was or as it is
from then on."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from pydantic import JsonValue

from activities.kinds.pipeline import KIND as PIPELINES
from activities.store.reading.steps import DefinedStep, PlacedStep, list_defined_steps
from activities.store.reading.tasks import StoredTask
from activities.store.restarts import Redefinition
from activities.store.tasks import NewSubTask
from api.services import Services
from api.tasks.kinds.agent_beginning import BEGIN_ANEW
from api.tasks.kinds.base import Beginning, wrong
from api.wire.requests import RetryRequest
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.pipeline_checking import inputs_of
from workflows.errors.inputs import ReferenceMalformed
from workflows.states import Status

# They say how a step is run, not what it makes: with others its result is what it was.
_MANNERS = ("timeout", "retries", "retry_on", "cache")


async def pipeline_beginning(
    services: Services, task: StoredTask, request: RetryRequest
) -> Beginning:
    """By default the first step that is not completed, is not what it was, or is given an input
    that is replaced; those before it keep their results.

    A result is kept only of a step that is the same at the same place: what another one made may
    be anything.

    Raises:
        InvalidRequest: it cannot begin there.
    """
    was = await list_defined_steps(services.database, task.id)
    pipeline = request.pipeline or PIPELINES.read(task)
    new = PIPELINES.sub_tasks(task.id, pipeline)
    same = len(was) if request.pipeline is None else _same_steps(was, new)
    if request.begin is None:
        first = min(_first_open(was[:same]), _first_given(pipeline, _replaced(task, request)))
        if first == len(new):
            raise wrong("/from", _why_nothing(is_new=request.pipeline is not None))
    else:
        first = _index_of(new, request.begin)
        if first > same:
            raise wrong(f"/pipeline/steps/{same}", _why_changed(new[same].name, request.begin))
        _check_before(was[:first], request.begin)
    again = [step.id for step in new[first:]]
    if request.pipeline is None:
        return Beginning(first, again)
    redefined = Redefinition(
        name=PIPELINES.name(None, pipeline),
        definition=pipeline.model_dump(mode="json", exclude_defaults=True),
        sub_tasks=new,
    )
    return Beginning(first, again, redefined=redefined)


class _Named(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...


def _same_steps(was: Sequence[DefinedStep], new: Sequence[NewSubTask]) -> int:
    """How many steps, from the first on, make what they made."""
    for count, (old, step) in enumerate(zip(was, new, strict=False)):
        if (old.name, old.kind) != (step.name, step.type):
            return count
        if _makes(old.definition) != _makes(step.definition):
            return count
    return min(len(was), len(new))


def _makes(definition: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    return {name: value for name, value in definition.items() if name not in _MANNERS}


def _replaced(task: StoredTask, request: RetryRequest) -> Collection[str]:
    """The names of inputs that are others than the task has."""
    return {name for name, ref in request.inputs.items() if task.inputs.get(name) != ref}


def _first_given(pipeline: Pipeline, names: Collection[str]) -> int:
    """The place of the first step that uses one of these inputs; behind the last if none does."""
    for index, step in enumerate(pipeline.steps):
        try:
            if not inputs_of(step, pipeline).isdisjoint(names):
                return index
        except ReferenceMalformed:
            return index  # What is wrong with it will be told.
    return len(pipeline.steps)


def _first_open(steps: Sequence[PlacedStep]) -> int:
    """The place of the first step that is not completed; behind the last if all are."""
    for index, step in enumerate(steps):
        if step.status is not Status.COMPLETED:
            return index
    return len(steps)


def _why_nothing(*, is_new: bool) -> str:
    done = "every step is completed"
    if is_new:
        done = f"{done} and makes what it made, as far as the pipeline says"
    return f"{done}; name the step to begin with"


def _why_changed(step: str, begin: str) -> str:
    return (
        f"step {step!r} comes before {begin!r} and is not what it was, so it has no result to "
        f"keep; begin with {step!r}, or leave it as it was"
    )


def _index_of(steps: Sequence[_Named], begin: str) -> int:
    for index, step in enumerate(steps):
        if begin in (step.name, str(step.id)):
            return index
    if begin == BEGIN_ANEW:
        return 0
    known = ", ".join(step.name for step in steps)
    raise wrong("/from", f"there is no step {begin!r} (steps: {known})")


def _check_before(steps: Sequence[PlacedStep], begin: str) -> None:
    for step in steps:
        if step.status is not Status.COMPLETED:
            raise wrong(
                "/from",
                f"step {step.name!r}, which comes before {begin!r}, is not completed "
                f"({step.status}); begin with {step.name!r}",
            )
