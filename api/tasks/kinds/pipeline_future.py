"""What becomes of the steps and items of a pipeline that runs again."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from activities.store.reading.past_steps import PastStep
from api.tasks.kinds.base import Beginning, Future


def pipeline_future(past: Sequence[PastStep], beginning: Beginning) -> Future:
    """A step whose items are all kept, or all run again, stands for them; else each of them is
    named."""
    items: defaultdict[UUID, list[PastStep]] = defaultdict(list)
    for step in past:
        if step.item_of is not None:
            items[step.item_of].append(step)
    again = frozenset(beginning.again)
    kept: list[str] = []
    redone: list[PastStep] = []
    for step in _steps(past, beginning):
        parts = list(_parts(step, items.get(step.id, ()), again))
        kept += [part.name for part in parts if part.id not in again]
        redone += [part for part in parts if part.id in again]
    return Future(kept, redone)


def _steps(past: Sequence[PastStep], beginning: Beginning) -> Sequence[PastStep]:
    steps = [step for step in past if step.item_of is None]
    if beginning.redefined is None:
        return steps
    known = {step.id: step for step in steps}
    new = beginning.redefined.sub_tasks
    return [known.get(step.id) or PastStep(step.id, step.name) for step in new]


def _parts(step: PastStep, items: Sequence[PastStep], again: frozenset[UUID]) -> Iterator[PastStep]:
    run_again = sum(item.id in again for item in items)
    if step.id in again and run_again < len(items):
        yield from items
    elif items:
        yield replace(step, seconds=_seconds(items))
    else:
        yield step


def _seconds(items: Sequence[PastStep]) -> float | None:
    known = [item.seconds for item in items if item.seconds is not None]
    return sum(known) if len(known) == len(items) else None
