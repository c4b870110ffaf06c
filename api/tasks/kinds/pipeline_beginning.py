"""Where a pipeline begins when a person retries it: with one of its steps, as that was or as it is
from then on."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from activities.kinds.pipeline import KIND as PIPELINES
from activities.store.reading.steps import (
    DefinedStep,
    PlacedStep,
    list_defined_steps,
    list_placed_steps,
)
from activities.store.reading.tasks import StoredTask
from activities.store.restarts import Redefinition
from activities.store.tasks import NewSubTask
from api.services import Services
from api.tasks.kinds.agent_beginning import BEGIN_ANEW
from api.tasks.kinds.base import Beginning, wrong
from api.wire.requests import RetryRequest
from workflows.definitions.pipeline import Pipeline
from workflows.states import Status


async def pipeline_beginning(
    services: Services, task: StoredTask, request: RetryRequest
) -> Beginning:
    """By default the first step that is not completed; those before it keep their results.

    Raises:
        InvalidRequest: it cannot begin there.
    """
    if request.pipeline is not None:
        return await _redefined(services, task, request.pipeline, request.begin)
    steps = await list_placed_steps(services.database, task.id)
    begin = request.begin
    if begin is None:
        first = _first_open(steps)
    else:
        first = _index_of(steps, begin)
        _check_before(steps[:first], begin)
    return Beginning(first, [step.id for step in steps[first:]])


async def _redefined(
    services: Services, task: StoredTask, pipeline: Pipeline, begin: str | None
) -> Beginning:
    """By default the first step that is not completed, or is not what it was.

    A result is kept only of a step that is the same at the same place: what another one made may
    be anything.
    """
    was = await list_defined_steps(services.database, task.id)
    new = PIPELINES.sub_tasks(task.id, pipeline)
    same = _same_steps(was, new)
    if begin is None:
        first = next((i for i in range(same) if was[i].status is not Status.COMPLETED), same)
        if first == len(new):
            raise wrong("/from", "every step is completed; name the step to begin with")
    else:
        first = _index_of(new, begin)
        if first > same:
            raise wrong(f"/pipeline/steps/{same}", _why_changed(new[same].name, begin))
        _check_before(was[:first], begin)
    return Beginning(
        first,
        again=[step.id for step in new[first:]],
        redefined=Redefinition(
            name=PIPELINES.name(None, pipeline),
            definition=pipeline.model_dump(mode="json", exclude_defaults=True),
            sub_tasks=new,
        ),
    )


class _Named(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...


def _same_steps(was: Sequence[DefinedStep], new: Sequence[NewSubTask]) -> int:
    """How many steps, from the first on, are what they were."""
    for count, (old, step) in enumerate(zip(was, new, strict=False)):
        if (old.name, old.kind, old.definition) != (step.name, step.type, step.definition):
            return count
    return min(len(was), len(new))


def _why_changed(step: str, begin: str) -> str:
    return (
        f"step {step!r} comes before {begin!r} and is not what it was, so it has no result to "
        f"keep; begin with {step!r}, or leave it as it was"
    )


def _first_open(steps: Sequence[PlacedStep]) -> int:
    for index, step in enumerate(steps):
        if step.status is not Status.COMPLETED:
            return index
    raise wrong("/from", "every step is completed; name the step to begin with")


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
