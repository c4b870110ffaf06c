"""What makes the definition of a pipeline sound, beside the shape of its parts."""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from itertools import chain, islice

from pydantic import JsonValue

from workflows.definitions.foreach import has_file_items, problem_with_item
from workflows.definitions.graph_checking import Placing, foreach_reference, graph_problems
from workflows.definitions.inputs import environment_name
from workflows.definitions.pipeline import MAX_REFERENCES, Pipeline, Step
from workflows.definitions.references import Reference, parse, references_in
from workflows.definitions.variables import problem_with_variable
from workflows.errors.inputs import ReferenceMalformed
from workflows.pointers import MAX_PROBLEMS, Problem, RefusedSince, escaped
from workflows.suggestions import nearest

# A variable whose name is put together, as in f"INPUT_{name}", may be that of any input.
_ANY_INPUT = re.compile(r"\bINPUT_(?![A-Za-z0-9_])")


def problems_of(pipeline: Pipeline, given: Mapping[str, object], at: str = "") -> list[Problem]:
    """What can be known to be wrong before a skill is looked up, at most fifty problems.

    ``given`` are the inputs of the task; ``at`` is the pointer of the pipeline in the request.
    """
    if (count := sum(map(_count_references, pipeline.steps))) > MAX_REFERENCES:
        message = f"its arguments hold {count} references, more than {MAX_REFERENCES}"
        return [Problem(f"{at}/steps", message)]
    found = chain(
        _step_problems(pipeline, at),
        graph_problems(pipeline, at),
        _reference_problems(pipeline, at),
        _input_problems(pipeline, given, at),
        _parameter_problems(pipeline, at),
    )
    return list(islice(found, MAX_PROBLEMS))


def _step_problems(pipeline: Pipeline, at: str) -> Iterator[Problem]:
    first_use: dict[str, int] = {}
    for index, step in enumerate(pipeline.steps):
        where = f"{at}/steps/{index}"
        if step.id in first_use:
            number = first_use[step.id] + 1
            yield Problem(f"{where}/id", f"{step.id!r} is also the id of step number {number}")
        first_use.setdefault(step.id, index)
        chosen = [name for name in ("skill", "tool", "code") if getattr(step, name) is not None]
        if len(chosen) != 1:
            named = " and ".join(chosen) or "none"
            yield Problem(where, f"a step has exactly one of skill, tool and code; found {named}")
        if step.script is not None and step.skill is None:
            yield Problem(f"{where}/script", "only a step with a skill has a script")
        if step.tool is not None and isinstance(step.args, list):
            yield Problem(f"{where}/args", "a tool takes an object of named arguments")
        if chosen and step.tool is None and isinstance(step.args, dict):
            yield Problem(f"{where}/args", "a skill or code takes a list of arguments")
        if step.tool is not None and step.env:
            yield Problem(f"{where}/env", "only a step with a skill or code has env")
        if step.tool is not None and step.files:
            yield Problem(f"{where}/files", "only a step with a skill or code has files")
        yield from (
            Problem(f"{where}/env/{name}", problem)
            for name, value in step.env.items()
            if (problem := problem_with_variable(name, value))
        )
    first_name: dict[str, str] = {}
    for index, name in enumerate(pipeline.inputs):
        variable = environment_name(name)
        other = first_name.setdefault(variable, name)
        if name in pipeline.inputs[:index]:
            yield Problem(f"{at}/inputs/{index}", f"input {name!r} is declared twice")
        elif other != name:
            message = f"input {name!r} and input {other!r} would both be {variable}; rename one"
            yield Problem(f"{at}/inputs/{index}", message)


def _reference_problems(pipeline: Pipeline, at: str) -> Iterator[Problem]:
    placing = Placing(pipeline)
    for index, step in enumerate(pipeline.steps):
        words = dict(_arguments(step, f"{at}/steps/{index}/args"))
        variables = dict(_leaves({**step.env}, f"{at}/steps/{index}/env"))
        for pointer, value in (words | variables).items():
            try:
                references = list(references_in(value))
            except ReferenceMalformed as error:
                yield Problem(pointer, str(error))
                continue
            for reference in references:
                if message := _misdirected(reference, index, placing, pipeline):
                    yield Problem(pointer, message)
                elif reference.has_pattern:
                    yield RefusedSince(pointer, _pattern(reference))
                elif reference.is_all_files and value != reference.text and pointer in words:
                    yield Problem(pointer, f"{reference.text} must stand alone in its argument")
                elif reference.is_all_files and (step.tool is not None or pointer in variables):
                    yield Problem(pointer, f"name one file: {reference.text[:-1]}['NAME']}}")
        yield from _placed_problems(step, index, placing, pipeline, f"{at}/steps/{index}")
        if message := _foreach_misplaced(step, index, placing):
            yield Problem(f"{at}/steps/{index}/foreach", message)


def _foreach_misplaced(step: Step, index: int, placing: Placing) -> str | None:
    with suppress(ReferenceMalformed):  # Reported already.
        source = foreach_reference(step)
        return None if source is None else placing.problem(source, index)
    return None


def _placed_problems(
    step: Step, index: int, placing: Placing, pipeline: Pipeline, where: str
) -> Iterator[Problem]:
    """What is wrong with files that a step wants placed under names of its own."""
    for name, value in step.files.items():
        pointer = f"{where}/files/{escaped(name)}"
        try:
            parts = parse(value)
        except ReferenceMalformed as error:
            yield Problem(pointer, str(error))
            continue
        only = parts[0] if len(parts) == 1 else None
        if not isinstance(only, Reference) or not _is_one_file(only, step):
            message = "it must be one file: ${inputs.NAME} or ${steps.ID.files['NAME']}"
            yield Problem(pointer, message)
        elif message := _misdirected(only, index, placing, pipeline) or "":
            yield Problem(pointer, message)
        elif only.has_pattern:
            yield RefusedSince(pointer, _pattern(only))
        elif name in pipeline.inputs and (only.source, only.name) != ("inputs", name):
            message = f"an input of the task has the name {name!r} already; use another one"
            yield Problem(pointer, message)


def _pattern(reference: Reference) -> str:
    every = f"${{steps.{reference.name}.files}}"
    return (
        f"{reference.text}: a pattern stands in foreach only; name one file, give all with {every} "
        "alone in an argument, or run the step with foreach"
    )


def _is_one_file(reference: Reference, step: Step) -> bool:
    if reference.source == "item" and not reference.path:
        with suppress(ReferenceMalformed):  # Reported already.
            return has_file_items(step)
    return reference.is_file and not reference.is_all_files


def _count_references(step: Step) -> int:
    values = [*_arguments(step, ""), *_leaves(step.foreach, "")]
    counted = sum(value.count("${") for _, value in values if isinstance(value, str))
    return counted + len(step.files)


def _arguments(step: Step, at: str) -> Iterator[tuple[str, JsonValue]]:
    if isinstance(step.args, list):
        yield from ((f"{at}/{number}", value) for number, value in enumerate(step.args))
    else:
        yield from _leaves(step.args, at)


def _leaves(value: JsonValue, at: str) -> Iterator[tuple[str, JsonValue]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{at}/{escaped(key)}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{at}/{number}")
    else:
        yield at, value


def _misdirected(
    reference: Reference, index: int, placing: Placing, pipeline: Pipeline
) -> str | None:
    if reference.source in ("item", "index"):
        with suppress(ReferenceMalformed):  # Reported already.
            return problem_with_item(pipeline.steps[index], reference)
        return None
    if reference.source == "inputs":
        return _undeclared(reference, "input", pipeline.inputs)
    if reference.source == "parameters":
        return _undeclared(reference, "parameter", pipeline.parameters)
    if reference.source == "nodes":
        return f"{reference.text}: a pipeline has steps; refer to ${{steps.{reference.name}...}}"
    return placing.problem(reference, index)


def _undeclared(reference: Reference, kind: str, declared: Collection[str]) -> str | None:
    if reference.name in declared:
        return None
    hint = _meant(reference.name, declared)
    return f"{reference.text}: there is no {kind} {reference.name!r}{hint}"


def _meant(name: str, declared: Collection[str]) -> str:
    known = ", ".join(declared) or "none"
    meant = nearest(name, declared)
    return f"; did you mean {meant}?" if meant else f" (declared: {known})"


def _parameter_problems(pipeline: Pipeline, at: str) -> Iterator[Problem]:
    used: set[str] = set()
    for step in pipeline.steps:
        with suppress(ReferenceMalformed):  # Reported already.
            values = [step.json_values, step.foreach]
            used.update(r.name for r in references_in(values) if r.source == "parameters")
    for name in pipeline.parameters:
        if name not in used:
            pointer = f"{at}/parameters/{escaped(name)}"
            yield Problem(pointer, _unused("parameter", name))


def _input_problems(pipeline: Pipeline, given: Mapping[str, object], at: str) -> Iterator[Problem]:
    used = _used_inputs(pipeline)
    for index, name in enumerate(pipeline.inputs):
        if name not in used:
            yield Problem(f"{at}/inputs/{index}", _unused("input", name))
        if name not in given:
            message = f"input {name!r} is declared by the pipeline but not given"
            remedy = f"give it in `inputs`, on a command line with --input {name}=FILE"
            yield Problem("/inputs", f"{message}; {remedy}")
    for name in given:
        if name not in pipeline.inputs:
            hint = _meant(name, pipeline.inputs)
            message = f"the pipeline declares no input {name!r}{hint}"
            yield Problem(f"/inputs/{escaped(name)}", message)


def _unused(kind: str, name: str) -> str:
    return (
        f"{kind} {name!r} is used by no step; refer to it as ${{{kind}s.{name}}}, or leave it out"
    )


def _used_inputs(pipeline: Pipeline) -> set[str]:
    try:
        return {name for step in pipeline.steps for name in inputs_of(step, pipeline.inputs)}
    except ReferenceMalformed:
        return set(pipeline.inputs)  # Reported already; a second complaint would mislead.


def inputs_of(step: Step, given: Collection[str]) -> set[str]:
    """Those of the inputs ``given`` to its task that a step uses. Raises ``ReferenceMalformed``."""
    used = {item.name for item in references_in(step.json_values) if item.source == "inputs"}
    if step.code is not None:
        used.update(name for name in given if mentions_input(step.code.source, name))
    return used


def mentions_input(source: str, name: str) -> bool:
    """Code finds its inputs by environment or path, without an argument."""
    places = (environment_name(name), "AGENTOS_INPUT_DIR", "/workspace/input", "../input")
    return any(place in source for place in places) or _ANY_INPUT.search(source) is not None
