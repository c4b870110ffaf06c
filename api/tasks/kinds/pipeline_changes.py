"""In what a pipeline differs from that which a task has, and which of its steps that makes others.

Definitions are compared as they are understood: what is left out is its default, and one duration
may be written in several ways.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from pydantic import BaseModel, JsonValue, ValidationError

from activities.store.reading.steps import DefinedStep
from activities.store.reading.tasks import StoredTask
from activities.store.tasks import NewSubTask
from api.tasks.json_values import is_same
from api.wire.responses.pipeline_changes import PipelineChanges, StepChange
from workflows.definitions.pipeline import Pipeline, Step

# They say how a step is run, not what it makes: with others its result is what it was. What it
# waits for is compared by itself.
_MANNERS = frozenset({"timeout", "retries", "retry_on", "cache", "needs", "parallel"})

Definition = Mapping[str, JsonValue]


def makes_another(change: StepChange) -> bool:
    """Whether the result of the step from before is none of the step as it is now.

    A result is kept only of a step that is the same and waits for the same: what another one made
    may be anything.
    """
    is_other = not _MANNERS.issuperset(change.fields)
    return change.added or is_other or change.waits_for is not None


def changes_of(
    task: StoredTask,
    was: Sequence[DefinedStep],
    pipeline: Pipeline,
    steps: Sequence[NewSubTask],
) -> PipelineChanges:
    """``was`` are the steps that the task has, ``steps`` those that it gets with the pipeline."""
    old, new = _understood(Pipeline, task.definition), _written(pipeline)
    fields = [name for name in _differing(Pipeline, old, new) if name != "steps"]
    return PipelineChanges(
        fields=fields,
        parameters=_names(old, new) if "parameters" in fields else [],
        steps=[*_changed(was, steps), *_removed(was, steps)],
    )


def _changed(was: Sequence[DefinedStep], steps: Sequence[NewSubTask]) -> Iterator[StepChange]:
    known = {step.name: step for step in was}
    moved = _moved(list(known), [step.name for step in steps])
    for step in steps:
        before = known.get(step.name)
        if before is None:
            yield StepChange(step=step.name, added=True)
            continue
        change = _change(before, step).model_copy(update={"moved": step.name in moved})
        if change != StepChange(step=step.name):
            yield change


def _change(was: DefinedStep, step: NewSubTask) -> StepChange:
    fields = _differing(Step, _understood(Step, was.definition), step.definition)
    if tuple(was.dependencies) == tuple(step.dependencies):
        return StepChange(step=step.name, fields=fields)
    others = [name for name in fields if name != "needs"]
    return StepChange(step=step.name, fields=others, waits_for=[*step.dependencies])


def _removed(was: Sequence[DefinedStep], steps: Sequence[NewSubTask]) -> Iterator[StepChange]:
    names = {step.name for step in steps}
    return (StepChange(step=step.name, removed=True) for step in was if step.name not in names)


def _moved(was: Sequence[str], names: Sequence[str]) -> frozenset[str]:
    """Those of both that are not in the same order; what was put before them has moved nothing."""
    blocks = SequenceMatcher(None, was, names, autojunk=False).get_matching_blocks()
    unmoved = {name for block in blocks for name in was[block.a : block.a + block.size]}
    return frozenset(was).intersection(names) - unmoved


def _names(old: Definition, new: Definition) -> list[str]:
    """The parameters of another value, and those that only one of the two has."""
    before, after = (_object(each.get("parameters")) for each in (old, new))
    return [
        name
        for name in dict.fromkeys((*after, *before))
        if (name in before) != (name in after) or not is_same(before[name], after[name])
    ]


def _object(value: JsonValue) -> Definition:
    return value if isinstance(value, dict) else {}


def _differing(model: type[BaseModel], old: Definition, new: Definition) -> list[str]:
    """The fields that differ. Where one is missing, it has its default; null is no value of it."""
    return [name for name in model.model_fields if not is_same(old.get(name), new.get(name))]


def _understood(model: type[BaseModel], definition: Definition) -> Definition:
    """A definition as this version would write it down."""
    try:
        return _written(model.model_validate(definition))
    except ValidationError:  # An older version has taken what is refused today.
        return definition


def _written(value: BaseModel) -> Definition:
    found: dict[str, JsonValue] = value.model_dump(mode="json", exclude_defaults=True)
    return found
