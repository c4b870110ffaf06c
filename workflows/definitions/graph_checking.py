"""What makes the ``needs`` and the ``foreach`` of the steps of a pipeline sound."""

from collections import Counter
from collections.abc import Iterator, Mapping

from workflows.definitions.foreach import FilesOf, ListOf, problems_in_list, source_of
from workflows.definitions.needs import all_needs_of, needs_of
from workflows.definitions.pipeline import Pipeline, Step
from workflows.definitions.references import Reference
from workflows.errors.inputs import ReferenceMalformed
from workflows.pointers import Problem, pointer
from workflows.suggestions import nearest


def graph_problems(pipeline: Pipeline, at: str) -> Iterator[Problem]:
    """Each is where it is written; what arguments refer to is looked at elsewhere."""
    order = order_of(pipeline)
    for index, step in enumerate(pipeline.steps):
        where = f"{at}/steps/{index}"
        yield from _needs_problems(step, index, order, where)
        if step.parallel is not None and step.foreach is None:
            message = "only a step with foreach has it; that of all steps is beside them"
            yield Problem(f"{where}/parallel", message)
        if step.foreach is not None:
            yield from _foreach_problems(step, where)


def order_of(pipeline: Pipeline) -> Mapping[str, int]:
    """The place of each step; of two with one name, the first."""
    return {step.id: index for index, step in reversed(list(enumerate(pipeline.steps)))}


class Placing:
    """Whether the steps of a pipeline may refer to each other."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._order = order_of(pipeline)
        self._needs = all_needs_of(needs_of(pipeline.steps))
        self._steps = pipeline.steps
        counts = Counter(step.id for step in pipeline.steps)
        self._ambiguous = {name for name, count in counts.items() if count > 1}

    def problem(self, reference: Reference, index: int) -> str | None:
        """What is wrong with a reference to a step, in the step at ``index``."""
        text, name = reference.text, reference.name
        if name not in self._order:
            meant = nearest(name, [step.id for step in self._steps[:index]])
            hint = f"; did you mean {meant}?" if meant else ""
            return f"{text}: there is no step {name!r}{hint}"
        if self._order[name] == index:
            return f"{text}: a step cannot refer to itself"
        if self._order[name] > index:
            return f"{text}: step {name!r} runs later; refer to earlier steps only"
        if not self._ambiguous.isdisjoint((name, self._steps[index].id)):
            return None  # Who waits for whom is seen once the steps have names of their own.
        if name not in self._needs[self._steps[index].id]:
            return f"{text}: it does not wait for step {name!r}; add {name!r} to its needs"
        return None


def _needs_problems(
    step: Step, index: int, order: Mapping[str, int], where: str
) -> Iterator[Problem]:
    for number, name in enumerate(step.needs or ()):
        at = f"{where}/needs/{number}"
        if name not in order:
            earlier = sorted(order, key=order.__getitem__)[:index]
            meant = nearest(name, earlier)
            known = ", ".join(earlier) or "none"
            hint = f"; did you mean {meant}?" if meant else f" (earlier steps: {known})"
            yield Problem(at, f"there is no step {name!r}{hint}")
        elif order[name] == index:
            yield Problem(at, "a step cannot need itself")
        elif order[name] > index:
            yield Problem(at, f"step {name!r} comes later; write it before the steps that need it")
        elif name in (step.needs or ())[:number]:
            yield Problem(at, f"{name!r} is named twice")


def _foreach_problems(step: Step, where: str) -> Iterator[Problem]:
    try:
        source_of(step.foreach if step.foreach is not None else [])
    except ReferenceMalformed as error:
        yield Problem(f"{where}/foreach", str(error))
    for place, message in problems_in_list(step):
        yield Problem(f"{where}/foreach{pointer(place)}", message)


def foreach_reference(step: Step) -> Reference | None:
    """The step whose files or words are the items, where they come from one.
    Raises ``ReferenceMalformed``."""
    source = source_of(step.foreach) if step.foreach is not None else ()
    return source.reference if isinstance(source, (FilesOf, ListOf)) else None
