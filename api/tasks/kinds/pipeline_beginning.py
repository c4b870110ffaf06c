"""Where a pipeline begins when a person retries it: with one of its steps or items, as that was or
as it is from then on. What runs again with it, ``workflows.definitions.needs`` says."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from activities.kinds.pipeline import KIND as PIPELINES
from activities.store.reading.steps import DefinedStep, PlacedItem, list_defined_steps
from activities.store.reading.tasks import StoredTask
from activities.store.restarts import Redefinition
from api.services import Services
from api.tasks.kinds.agent_beginning import BEGIN_ANEW
from api.tasks.kinds.base import Beginning, wrong
from api.tasks.kinds.pipeline_changes import changes_of, makes_another
from api.wire.requests import RetryRequest
from workflows.definitions.input_reach import inputs_within_reach
from workflows.definitions.needs import all_needs_of, redone
from workflows.definitions.pipeline import Pipeline, Step
from workflows.definitions.pipeline_checking import inputs_of
from workflows.errors.inputs import ReferenceMalformed
from workflows.item_names import step_of
from workflows.states import Status
from workflows.suggestions import nearest

_NAME_IT = "name the step to begin with, on the command line with --from STEP"
_ALL_COMPLETED = f"every step is completed; {_NAME_IT}"
_ALL_AS_IT_WAS = f"every step is completed and makes what it made; {_NAME_IT}"


class _Named(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def dependencies(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a person wants to begin: with these steps, or with an ``item`` of the only one."""

    steps: Collection[str]
    item: PlacedItem | None = None


async def pipeline_beginning(
    services: Services, task: StoredTask, request: RetryRequest
) -> Beginning:
    """By default all that is not completed, and what uses an input that is replaced. Beside it runs
    what needs it; the rest is kept.

    Raises:
        InvalidRequest: it cannot begin there.
    """
    was = await list_defined_steps(services.database, task.id)
    if request.pipeline is not None:
        return _redefined(task, was, request.pipeline, request)
    pipeline = PIPELINES.read(task)
    place = _place(was, was, request.begin)
    is_open = {step.name for step in was if step.status is not Status.COMPLETED}
    _check_needs(was, _states(was), place, request.begin)
    place = replace(place, steps={*place.steps, *_given_others(task, request, pipeline)})
    begin = {*place.steps, *is_open}
    if not begin:
        raise wrong("/from", _ALL_COMPLETED)
    return _beginning(was, was, begin, place, pipeline)


def _redefined(
    task: StoredTask, was: Sequence[DefinedStep], pipeline: Pipeline, request: RetryRequest
) -> Beginning:
    """By default all that is not completed, or is not what it was, and what uses an input that is
    replaced."""
    begin = request.begin
    new = PIPELINES.sub_tasks(task.id, pipeline)
    changes = changes_of(task, was, pipeline, new)
    changed = frozenset(
        step.step for step in changes.steps if makes_another(step) and not step.removed
    )
    place = _place(new, was, begin)
    for index, step in enumerate(new):
        if begin is not None and step.name in changed & _all_before(new, place):
            raise wrong(f"/pipeline/steps/{index}", _why_changed(step.name, begin))
    known = {step.name: step for step in was}
    is_open = {
        step.name
        for step in new
        if step.name not in changed and known[step.name].status is not Status.COMPLETED
    }
    _check_needs(new, _states(was), place, begin)
    others = _given_others(task, request, pipeline)
    starts = {*place.steps, *is_open, *changed, *others}
    if not starts:
        raise wrong("/from", _ALL_AS_IT_WAS)
    # Of a step that is another now no item is what it was.
    item = place.item if changed.isdisjoint(place.steps) else None
    whole = _Place({*place.steps, *changed, *others}, item)
    beginning = _beginning(was, new, starts, whole, pipeline)
    redefined = Redefinition(
        name=PIPELINES.name(None, pipeline),
        definition=pipeline.model_dump(mode="json", exclude_defaults=True),
        sub_tasks=new,
    )
    return replace(beginning, redefined=redefined, changes=changes)


def _beginning(
    was: Sequence[DefinedStep],
    steps: Sequence[_Named],
    begin: Collection[str],
    place: _Place,
    pipeline: Pipeline,
) -> Beginning:
    needs = _needs(steps)
    again = redone(needs, begin)
    known = {step.name: step for step in was}
    rows: list[UUID] = []
    keeps_some = len(again) < len(steps)
    for step in steps:
        if step.name in again:
            items = known[step.name].items if step.name in known else ()
            is_whole = not again.isdisjoint(needs[step.name]) or (
                step.name in place.steps and place.item not in items
            )
            wanted = [item for item in items if is_whole or _is_to_run(item, place)]
            keeps_some |= len(wanted) < len(items)
            rows += [step.id, *(item.id for item in wanted)]
    first = next(index for index, step in enumerate(steps) if step.name in again)
    # Of a graph it only says whether something is kept.
    first = max(first, int(pipeline.is_graph and keeps_some))
    return Beginning(first, again=rows, unread=_unread(pipeline, again))


def _unread(pipeline: Pipeline, again: Collection[str]) -> frozenset[str]:
    """The inputs that no step may use which runs again."""
    try:
        within_reach = (
            inputs_within_reach(step, pipeline.inputs)
            for step in pipeline.steps
            if step.id in again
        )
        return frozenset(pipeline.inputs).difference(*within_reach)
    except ReferenceMalformed:
        return frozenset()  # What is wrong with it will be told.


def _is_to_run(item: PlacedItem, place: _Place) -> bool:
    return item.status is not Status.COMPLETED or item == place.item


def _needs(steps: Sequence[_Named]) -> Mapping[str, Sequence[str]]:
    return {step.name: step.dependencies for step in steps}


def _all_before(steps: Sequence[_Named], place: _Place) -> frozenset[str]:
    needs = all_needs_of(_needs(steps))
    return frozenset[str]().union(*(needs[name] for name in place.steps)) - {*place.steps}


def _place(steps: Sequence[_Named], was: Sequence[DefinedStep], begin: str | None) -> _Place:
    if begin is None:
        return _Place(())
    for step in steps:
        if begin in (step.name, str(step.id)):
            return _Place({step.name})
    known = ", ".join(step.name for step in steps)
    names = {step.name for step in steps}
    if (found := next(_items(was, begin), None)) is not None:
        if gone := sorted({*found.steps} - names):
            message = f"the new pipeline has no step {gone[0]!r}, of which {begin!r} is an item"
            raise wrong("/from", f"{message} (steps: {known})")
        return found
    if begin == BEGIN_ANEW:
        return _Place(names)
    named = (step for step in was if step.name == step_of(begin) and step.name in names)
    whole = next((step for step in named if step.items), None)
    if whole is not None:
        last = whole.items[-1].name
        raise wrong("/from", f"there is no item {begin!r}; the last of its step is {last}")
    meant = nearest(begin, names)
    hint = f"; did you mean {meant!r}?" if meant else ""
    raise wrong("/from", f"there is no step {begin!r} (steps: {known}){hint}")


def _items(was: Sequence[DefinedStep], begin: str) -> Iterator[_Place]:
    for step in was:
        for item in step.items:
            if begin in (item.name, str(item.id)):
                yield _Place({step.name}, item)


def _given_others(task: StoredTask, request: RetryRequest, pipeline: Pipeline) -> frozenset[str]:
    """The steps that use an input that is replaced, unless it was said where to begin."""
    if request.begin is not None:
        return frozenset()
    replaced = {name for name, ref in request.inputs.items() if task.inputs.get(name) != ref}
    return frozenset(
        step.id for step in pipeline.steps if not _used_by(step, pipeline).isdisjoint(replaced)
    )


def _used_by(step: Step, pipeline: Pipeline) -> frozenset[str]:
    try:
        return frozenset(inputs_of(step, pipeline.inputs))
    except ReferenceMalformed:
        return frozenset(pipeline.inputs)  # What is wrong with it will be told.


def _why_changed(step: str, begin: str) -> str:
    return (
        f"step {step!r} comes before {begin!r} and is not what it was, so it has no result to "
        f"keep; begin with {step!r}, or leave it as it was"
    )


def _states(steps: Sequence[DefinedStep]) -> Mapping[str, Status]:
    return {step.name: step.status for step in steps}


def _check_needs(
    steps: Sequence[_Named], states: Mapping[str, Status], place: _Place, begin: str | None
) -> None:
    """What is begun with a step needs the results of those before it."""
    before = _all_before(steps, place)
    for step in steps:
        status = states.get(step.name, Status.PENDING)
        if step.name in before and status is not Status.COMPLETED:
            raise wrong(
                "/from",
                f"step {step.name!r}, which comes before {begin!r}, is not completed "
                f"({status}); begin with {step.name!r}",
            )
