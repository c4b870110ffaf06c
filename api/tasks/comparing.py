"""In what a task differs from another."""

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice, zip_longest
from typing import TypeVar, cast
from uuid import UUID

from pydantic import BaseModel, JsonValue

from activities.store.reading.former_tasks import find_former
from activities.store.reading.tasks import find_details
from api.services import Services
from api.tasks.json_values import is_same
from api.tasks.lookup import found
from api.tasks.views import Views
from api.wire.responses.comparison import (
    ComparedFile,
    ComparedInput,
    ComparedStep,
    ComparedTask,
    ComparedValue,
    Comparison,
    FileOfRun,
    StepRun,
)
from api.wire.responses.files import Artifact
from api.wire.responses.tasks import SubTask, Task
from workflows.pointers import escaped
from workflows.states import TaskType

MAX_VALUES = 100
MAX_VALUE_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class _Missing:
    """Instead of a value, where there is none: null is one."""


_MISSING = _Missing()
_Value = JsonValue | _Missing
Key = TypeVar("Key", bound=Hashable)


async def compare_task(
    services: Services, team_id: UUID, task_id: UUID, other_id: UUID | None = None
) -> Comparison:
    """A task beside another, by default the last one of its name that was completed before it.

    Raises:
        NotFound: of either.
    """
    views = Views(services.options)
    task = views.task(found(await find_details(services.database, team_id, task_id), task_id))
    wanted = other_id or await find_former(services.database, team_id, task_id)
    if wanted is None:
        return _alone(task)
    details = await find_details(services.database, team_id, wanted)
    if details is None and other_id is None:  # It was deleted just now.
        return _alone(task)
    return compared(task, views.task(found(details, wanted)))


def _alone(task: Task) -> Comparison:
    return Comparison(task=_task(task), other=None, inputs=[], definition=[], steps=[], files=[])


def compared(task: Task, other: Task) -> Comparison:
    values = differing(_submitted(task), _submitted(other))
    results = differing(_gave(task), _gave(other))
    return Comparison(
        task=_task(task),
        other=_task(other),
        inputs=[
            ComparedInput(name=name, task=task.inputs.get(name), other=other.inputs.get(name))
            for name in _all(task.inputs, other.inputs)
            if task.inputs.get(name) != other.inputs.get(name)
        ],
        definition=values[:MAX_VALUES],
        result=results[:MAX_VALUES],
        is_cut=max(len(values), len(results)) > MAX_VALUES,
        steps=list(_steps(task, other)),
        files=list(_files(task, other)),
    )


def _task(task: Task) -> ComparedTask:
    return ComparedTask(
        task_id=task.task_id,
        name=task.name,
        status=task.status,
        run=task.run,
        created_at=task.created_at,
        duration_ms=_duration_ms(task.started_at, task.finished_at),
    )


def _submitted(task: Task) -> JsonValue:
    return {"type": task.type.value, "prompt": task.prompt, task.type.value: task.definition}


def _gave(task: Task) -> JsonValue:
    """The result but for the files, which are compared by themselves."""
    match task.result:
        case None:
            return {}
        case BaseModel() as result:
            return cast(JsonValue, result.model_dump(mode="json", exclude={"files"}))
        case other:
            return cast(JsonValue, other)


def differing(task: JsonValue, other: JsonValue) -> Sequence[ComparedValue]:
    """The places at which two documents differ, and one more than are shown if there are more."""
    return list(islice(_values("", task, other), MAX_VALUES + 1))


def _values(pointer: str, task: _Value, other: _Value) -> Iterator[ComparedValue]:
    """The innermost places at which two values differ."""
    if not isinstance(task, _Missing) and not isinstance(other, _Missing) and is_same(task, other):
        return
    if isinstance(task, dict) and isinstance(other, dict):
        for key in _all(task, other):
            at = f"{pointer}/{escaped(key)}"
            yield from _values(at, task.get(key, _MISSING), other.get(key, _MISSING))
    elif isinstance(task, list) and isinstance(other, list):
        for index, one, another in _pairs(task, other):
            yield from _values(f"{pointer}/{index}", one, another)
    else:
        yield ComparedValue(pointer=pointer, task=_text(task), other=_text(other))


def _pairs(
    task: Sequence[JsonValue], other: Sequence[JsonValue]
) -> Iterator[tuple[int, _Value, _Value]]:
    """Items at the same place, or where all have one, with the same id: a step that was put before
    others does not make these different."""
    here, there = _by_id(task), _by_id(other)
    if here is None or there is None:
        for index, (one, another) in enumerate(zip_longest(task, other, fillvalue=_MISSING)):
            yield index, one, another
        return
    for key in _all(here, there):
        place, item = here.get(key, (None, _MISSING))
        other_place, other_item = there.get(key, (0, _MISSING))
        yield other_place if place is None else place, item, other_item


def _by_id(items: Sequence[JsonValue]) -> Mapping[str, tuple[int, JsonValue]] | None:
    found = {
        str(item["id"]): (index, item)
        for index, item in enumerate(items)
        if isinstance(item, dict) and "id" in item
    }
    return found if found and len(found) == len(items) else None


def _text(value: _Value) -> str | None:
    if isinstance(value, _Missing):
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE_CHARACTERS else f"{text[:MAX_VALUE_CHARACTERS]}…"


def _steps(task: Task, other: Task) -> Iterator[ComparedStep]:
    """Without items, which their step stands for."""
    here, there = (
        {step.name: step for step in each.sub_tasks if step.item_of is None}
        for each in (task, other)
    )
    for name in _all(here, there):
        one, another = here.get(name), there.get(name)
        yield ComparedStep(name=name, task=one and _step(one), other=another and _step(another))


def _step(step: SubTask) -> StepRun:
    return StepRun(
        status=step.status,
        duration_ms=_duration_ms(step.started_at, step.finished_at),
        retry_count=step.retry_count,
        cached=step.cached,
    )


def _files(task: Task, other: Task) -> Iterator[ComparedFile]:
    """An agent's calls have other names in each run, so its files are known by their own."""
    by_step = TaskType.PIPELINE == task.type == other.type
    here, there = (
        {(file.sub_task if by_step else "", file.name): file for file in each.artifacts}
        for each in (task, other)
    )
    for key in _all(here, there):
        one, another = here.get(key), there.get(key)
        step = next(file.sub_task for file in (one, another) if file is not None)
        yield ComparedFile(
            name=key[1],
            step=step,
            task=one and _file(one),
            other=another and _file(another),
            same=one is not None and another is not None and _is_same(one, another),
        )


def _is_same(one: Artifact, another: Artifact) -> bool:
    return one.sha256 is not None and one.sha256 == another.sha256


def _file(file: Artifact) -> FileOfRun:
    return FileOfRun(id=file.id, size=file.size, sha256=file.sha256, url=file.url)


def _all(here: Iterable[Key], there: Iterable[Key]) -> Iterable[Key]:
    """The keys of both, those of the first in their order, then what the second has beyond them."""
    return dict.fromkeys(chain(here, there))


def _duration_ms(start: datetime | None, end: datetime | None) -> int | None:
    if start is None or end is None:
        return None
    return max(0, round((end - start).total_seconds() * 1_000))
