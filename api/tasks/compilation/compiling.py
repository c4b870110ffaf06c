"""Runs of agents, compiled into one pipeline."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from activities.store.reading.runs import RecordedCall, RecordedFile, RecordedMessage, RecordedRun
from activities.units import MEBIBYTE
from api.tasks.compilation.constants import Constant, Constants
from api.tasks.compilation.files import Files, Given, Link
from api.tasks.compilation.fixed_steps import read_steps
from api.tasks.compilation.natures import Tools
from api.tasks.compilation.obstacles import RESULT, obstacles, refusals
from api.tasks.compilation.readings import Reader, Reading, pointer_of
from api.tasks.compilation.selection import selected
from api.tasks.compilation.steps import Steps
from api.tasks.compilation.words import Told, Words
from workflows.definitions.pipeline import MAX_STEPS, Pipeline
from workflows.pointers import Problem, problems_in
from workflows.states import TaskType

# A request has some more beside the pipeline.
MAX_BYTES = 2 * MEBIBYTE - 64 * 1024
_NAME_CHARACTERS = 200
# Of the name of an input; what tells it apart needs some, too.
_INPUT_CHARACTERS = 50
# Pointers of what a model said. A node may be called "arguments" or "steps", too.
_SAID = re.compile(r"/calls/[^/]+/arguments/|/steps/\d+/(args|env|code)/")
_NOTHING = "no call of the task left anything that a pipeline could make again"
_NOTHING_TO_ACCEPT = "this was accepted, but there is nothing here that could be"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A pipeline, with references to the ``inputs`` that the runs had; or the ``problems`` for
    which there is none. ``steps`` says by the id of a step which call it repeats, and which files
    that made; ``places`` are pointers to the calls in the order of the steps."""

    pipeline: Pipeline | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    constants: tuple[Constant, ...] = ()
    steps: Mapping[str, tuple[RecordedCall, Sequence[RecordedFile]]] = field(default_factory=dict)
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A run, of which others may come before it in the list, to whose files its inputs refer.
    ``prefix`` is the beginning of pointers to it.

    Of a node of a plan, ``label`` is its name, ``links`` say where its inputs come from, ``told``
    what its prompt is made of, and ``advisers`` are problems if any of its calls is to be a step.
    """

    run: RecordedRun
    prefix: str = ""
    label: str = ""
    links: Mapping[str, Link] = field(default_factory=dict)
    told: Told | None = None
    advisers: tuple[Problem, ...] = ()

    @property
    def is_node(self) -> bool:
        return self.told is not None


@dataclass(frozen=True, slots=True)
class Whole:
    """What a pipeline is made from: ``of`` says it, ``inputs`` are its own, by name, and ``at`` is
    the pointer of all that was done. ``problems`` are there already."""

    name: str
    of: str
    at: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @classmethod
    def of_parts(cls, parts: Sequence[Part]) -> "Whole":
        run = parts[-1].run
        of = f"what the agent of task {run.task_id} did"
        return cls(run.name, of, f"{parts[0].prefix}/calls")


def compile_runs(
    parts: Sequence[Part],
    tools: Tools,
    accepted: Collection[str] = (),
    max_bytes: int = MAX_BYTES,
    whole: Whole | None = None,
) -> Compiled:
    """One pipeline of all ``parts``, which are in an order in which each can run, of at most
    ``max_bytes`` as JSON.

    ``accepted`` are pointers of texts that a person takes for constants, though a model may have
    read them in the data, and of results that are not wanted.
    """
    whole = whole or Whole.of_parts(parts)
    if refused := list(_refused(parts, tools)):
        return Compiled(problems=tuple(refused))
    compiled = _compiled(parts, tools, accepted, whole, {})
    if taken := _taken(compiled):
        compiled = _compiled(parts, tools, accepted, whole, _other_names(taken, parts, whole))
    if compiled.pipeline and len(compiled.pipeline.model_dump_json().encode()) > max_bytes:
        message = (
            f"the pipeline would be larger than {max_bytes} bytes, and no request could hold it"
        )
        return Compiled(problems=(Problem(whole.at, message),))
    return compiled


def _taken(compiled: Compiled) -> frozenset[str]:
    """Names of inputs under which a step wants another file. An input lies under its name in every
    step, so it has to take another one."""
    pipeline = compiled.pipeline
    return frozenset(
        name
        for step in (pipeline.steps if pipeline else ())
        for name, value in step.files.items()
        if name in compiled.inputs and value != f"${{inputs.{name}}}"
    )


def _other_names(taken: Collection[str], parts: Sequence[Part], whole: Whole) -> Mapping[str, str]:
    used = {*taken, *whole.inputs, *(name for part in parts for name in part.run.inputs)}
    return {
        name: next(
            other
            for number in range(2, len(used) + 3)
            if (other := f"{name[:_INPUT_CHARACTERS]}-{number}") not in used
        )
        for name in taken
    }


def _compiled(
    parts: Sequence[Part],
    tools: Tools,
    accepted: Collection[str],
    whole: Whole,
    renamed: Mapping[str, str],
) -> Compiled:
    """``renamed`` are inputs of the pipeline that have other names than where they come from."""
    links = {part.run.task_id: part.links for part in parts}
    files = Files([part.run for part in parts], whole.inputs, links, renamed)
    readings, problems = _read(parts, files, tools)
    chosen = selected(readings, tools)
    if not chosen and not problems:
        problems.append(Problem(whole.at, _NOTHING))
    if len(chosen) > MAX_STEPS:
        message = f"{len(chosen)} calls count, and a pipeline has at most {MAX_STEPS} steps"
        problems.append(Problem(chosen[MAX_STEPS].at, message))
    names = _names(parts)
    known: dict[tuple[str, ...], Any] = {}
    words = {part.run.task_id: Words(part.run, tools, names, part.told, known) for part in parts}
    problems += [*_obstacles(parts, tools, chosen), *whole.problems]
    problems += [found for reading in chosen for found in reading.problems]
    problems = _without(problems + _dependences(chosen, words, names), accepted)
    constants = Constants(frozenset(accepted))
    labels = {part.run.task_id: part.label for part in parts}
    steps = Steps(constants, words, labels)
    written = steps.write_all(chosen)
    if problems := problems + steps.problems:
        return Compiled(problems=tuple(problems))
    document = {
        "name": whole.name[:_NAME_CHARACTERS] or "compiled",
        "description": f"Compiled from {whole.of}.",
        "parameters": constants.parameters,
        "steps": written,
    }
    compiled = _assembled(document, chosen, files.inputs)
    made = {
        key: (_called(reading.call, labels[reading.run.task_id]), _lasting(reading))
        for key, reading in zip(steps.ids, chosen, strict=True)
    }
    return replace(compiled, constants=tuple(constants.found), steps=made)


def _called(call: RecordedCall, label: str) -> RecordedCall:
    """A call, whose name says which node made it."""
    return replace(call, name=f"{label}/{call.name}") if label else call


def _lasting(reading: Reading) -> list[RecordedFile]:
    return [made.file for made in reading.made if not made.is_printed]


def _refused(parts: Sequence[Part], tools: Tools) -> Iterator[Problem]:
    for part in parts:
        yield from refusals(part.run, tools, part.prefix, is_node=part.is_node)


def _obstacles(parts: Sequence[Part], tools: Tools, chosen: Sequence[Reading]) -> Iterator[Problem]:
    """What is in the way whatever calls say, each place once."""
    kept = {reading.run.task_id for reading in chosen}
    for part in parts:
        yield from obstacles(part.run, tools, part.prefix, is_node=part.is_node)
    asked = [found for part in parts if part.run.task_id in kept for found in part.advisers]
    yield from {found.pointer: found for found in reversed(asked)}.values()


def _read(parts: Sequence[Part], files: Files, tools: Tools) -> tuple[list[Reading], list[Problem]]:
    """All calls that were made, and succeeded, and are not there only to be read."""
    reader = Reader(files, tools)
    readings: list[Reading] = []
    problems: list[Problem] = []
    for part in parts:
        if part.run.type is TaskType.PIPELINE:
            readings += read_steps(files, part.run, part.prefix)
            continue
        for call in filter(tools.is_step, part.run.calls):
            try:
                readings.append(reader.read(part.run, call, part.prefix))
            except ValidationError:
                message = f"{call.definition.tool} does not take these arguments any more"
                problems.append(Problem(pointer_of(call, part.prefix), message))
    return readings, problems


def _names(parts: Sequence[Part]) -> set[str]:
    return {file.name for part in parts for call in part.run.calls for file in call.files}


def _dependences(
    chosen: Sequence[Reading], words: Mapping[UUID, Words], names: Collection[str]
) -> list[Problem]:
    """What calls say that can only come from the data: each place once."""
    found: dict[str, str] = {}
    for reading in chosen:
        # An assistant's message comes before the results of all its calls.
        seq = max((m.seq for m in reading.run.messages if _asks(m, reading.call)), default=0)
        for said in reading.said:
            is_file = said.text.removeprefix("./") in names or said.text in reading.run.inputs
            if is_file or said.pointer in found:
                continue
            if reason := words[reading.run.task_id].dependence(said, seq):
                found[said.pointer] = reason
    return [Problem(pointer, reason) for pointer, reason in found.items()]


def _asks(message: RecordedMessage, call: RecordedCall) -> bool:
    return message.role == "assistant" and message.seq < call.seq


def _without(problems: Sequence[Problem], accepted: Collection[str]) -> list[Problem]:
    """What is left when somebody has accepted some; nobody can accept what is not in the way."""
    left = [problem for problem in problems if not _is_accepted(problem, accepted)]
    unknown = set(accepted) - {problem.pointer for problem in problems}
    return left + [Problem(pointer, _NOTHING_TO_ACCEPT) for pointer in sorted(unknown)]


def _is_accepted(problem: Problem, accepted: Collection[str]) -> bool:
    at = problem.pointer
    return at in accepted and (at.endswith(RESULT) or _SAID.search(at) is not None)


def _assembled(
    document: Mapping[str, Any], chosen: Sequence[Reading], inputs: Mapping[str, str]
) -> Compiled:
    """The pipeline with those inputs that its steps need."""
    sources = {source for reading in chosen for source in reading.sources}
    used = {source.name for source in sources if isinstance(source, Given)}
    given = {name: ref for name, ref in inputs.items() if name in used}
    places = tuple(reading.at for reading in chosen)
    document = {**document, "inputs": list(given)}
    try:
        pipeline = Pipeline.model_validate(document)
    except ValidationError as error:
        found = problems_in(error.errors(include_url=False), document, model=Pipeline)
        return Compiled(problems=at_calls(found, places))
    return Compiled(pipeline, given, places=places)


def at_calls(
    problems: Sequence[Problem], places: Sequence[str], at: str = ""
) -> tuple[Problem, ...]:
    """Problems of a pipeline, which is at the pointer ``at``, as those of the calls it repeats."""
    return tuple(Problem(_place(found.pointer, places, at), found.message) for found in problems)


def _place(pointer: str, places: Sequence[str], at: str) -> str:
    match pointer.removeprefix(at).split("/", 3):
        case ["", "steps", index, *rest] if index.isdigit() and int(index) < len(places):
            return "/".join((places[int(index)], *rest))
    return pointer
