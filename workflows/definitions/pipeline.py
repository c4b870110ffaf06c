"""The definition of a pipeline, as people write it in YAML or JSON, and what makes it sound."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import chain, islice
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    model_validator,
)

from workflows.definitions.inputs import MAX_INPUTS, InputName, environment_name
from workflows.definitions.references import Reference, references_in
from workflows.definitions.variables import problem_with_variable
from workflows.errors import ReferenceMalformed
from workflows.pointers import MAX_PROBLEMS, Problem, escaped

MAX_STEPS = 100
MAX_ARGUMENTS = 1_000
MAX_REFERENCES = 2_000  # Escaped ones, too, in all steps together.
MAX_SOURCE_CHARACTERS = 256 * 1024
DEFAULT_TIMEOUT = timedelta(minutes=5)
MIN_TIMEOUT = timedelta(seconds=0.1)
MAX_TIMEOUT = timedelta(hours=24)
DEFAULT_RETRIES = 3
MAX_RETRIES = 20
MAX_RETRY_ON = 64
MAX_VARIABLES = 64
MAX_VARIABLE_CHARACTERS = 32 * 1024

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h)?")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}


def _to_duration(value: object) -> object:
    if not isinstance(value, (str, int, float)):
        return value
    shown = repr(value)[:40]
    match = _DURATION.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"{shown} is not a duration: write 90s, 5m, 1h or a number of seconds")
    seconds = float(match[1]) * _UNIT_SECONDS[match[2]]
    # Compared before it is a timedelta, which holds only so many days.
    if not MIN_TIMEOUT.total_seconds() <= seconds <= MAX_TIMEOUT.total_seconds():
        raise ValueError(f"{shown} is out of range: at least 0.1s, at most 24h")
    return timedelta(seconds=seconds)


def _to_argument(value: object) -> object:
    """YAML reads ``--rows, 5`` as a number; a script is given text all the same."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if is_number else value


def _to_value(value: str) -> str:
    if "\0" in value:
        raise ValueError("a variable cannot hold a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half of a surrogate pair; remove it") from None
    return value


StepId = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$")]
Argument = Annotated[str, Field(max_length=128 * 1024), BeforeValidator(_to_argument)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
Variable = Annotated[
    str,
    Field(max_length=MAX_VARIABLE_CHARACTERS),
    BeforeValidator(_to_argument),
    AfterValidator(_to_value),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(_to_duration),
    PlainSerializer(lambda value: f"{value.total_seconds():.11g}s", when_used="json"),
    Field(ge=MIN_TIMEOUT, le=MAX_TIMEOUT),
]
RetryOn = Literal["timeout", "any"] | Annotated[int, Field(strict=True, ge=1, le=255)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Code(_Model):
    """Code of the user's own, run like a skill script.

    With a ``skill``, it has that skill's folder, modules and packages at hand.
    """

    language: Literal["python", "shell", "javascript"]
    source: str = Field(min_length=1, max_length=MAX_SOURCE_CHARACTERS)
    skill: str | None = Field(default=None, min_length=1, max_length=64)


class Step(_Model):
    """One step: exactly one of ``skill``, ``tool`` and ``code``.

    ``args`` is a list for a skill or code (its command line), an object for a tool.
    ``env`` are further environment variables of a skill or code.
    ``retry_on`` names failures to retry besides exit code 75 (temporary failure).
    """

    id: StepId
    skill: str | None = Field(default=None, min_length=1, max_length=64)
    script: str | None = Field(default=None, min_length=1, max_length=255)
    tool: str | None = Field(default=None, min_length=1, max_length=128)
    code: Code | None = None
    args: Annotated[list[Argument], Field(max_length=MAX_ARGUMENTS)] | dict[str, JsonValue] = []
    env: dict[VariableName, Variable] = Field(default={}, max_length=MAX_VARIABLES)
    timeout: Duration = DEFAULT_TIMEOUT
    retries: int = Field(default=DEFAULT_RETRIES, strict=True, ge=0, le=MAX_RETRIES)
    retry_on: tuple[RetryOn, ...] = Field(default=(), max_length=MAX_RETRY_ON)

    @model_validator(mode="before")
    @classmethod
    def _name_no_arguments(cls, value: object) -> object:
        """A tool takes an object, also when there is nothing in it."""
        if isinstance(value, dict) and value.get("tool") and value.get("args", []) == []:
            return {**value, "args": {}}
        return value

    @property
    def kind(self) -> Literal["skill", "tool", "code"]:
        return "skill" if self.skill else "tool" if self.tool else "code"

    @property
    def json_args(self) -> JsonValue:
        """``args`` as a JSON value: a list of texts or an object."""
        return [*self.args] if isinstance(self.args, list) else self.args

    @property
    def json_values(self) -> JsonValue:
        """All that may hold references, as one JSON value."""
        return [self.json_args, {**self.env}]

    @property
    def runs(self) -> str:
        """What the step runs, in a word or two: ``csv-clean``, ``write_file``, ``python code``."""
        return self.skill or self.tool or (f"{self.code.language} code" if self.code else "nothing")


class Pipeline(_Model):
    """A fixed list of steps, run one after the other."""

    name: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=2_000)
    inputs: list[InputName] = Field(default=[], max_length=MAX_INPUTS)
    steps: list[Step] = Field(min_length=1, max_length=MAX_STEPS)


def problems_of(pipeline: Pipeline, given: Mapping[str, object], at: str = "") -> list[Problem]:
    """What can be known to be wrong before a skill is looked up, at most fifty problems.

    ``given`` are the inputs of the task; ``at`` is the pointer of the pipeline in the request.
    """
    if (count := sum(map(_count_references, pipeline.steps))) > MAX_REFERENCES:
        message = f"its arguments hold {count} references, more than {MAX_REFERENCES}"
        return [Problem(f"{at}/steps", message)]
    found = chain(
        _step_problems(pipeline, at),
        _reference_problems(pipeline, at),
        _input_problems(pipeline, given, at),
    )
    return list(islice(found, MAX_PROBLEMS))


def _step_problems(pipeline: Pipeline, at: str) -> Iterator[Problem]:
    first_use: dict[str, int] = {}
    for index, step in enumerate(pipeline.steps):
        where = f"{at}/steps/{index}"
        if step.id in first_use:
            yield Problem(f"{where}/id", f"{step.id!r} is also the id of step {first_use[step.id]}")
        first_use.setdefault(step.id, index)
        chosen = [name for name in ("skill", "tool", "code") if getattr(step, name) is not None]
        if len(chosen) != 1:
            named = " and ".join(chosen) or "none"
            yield Problem(where, f"a step has exactly one of skill, tool and code; found {named}")
        if step.script is not None and step.skill is None:
            yield Problem(f"{where}/script", "only a step with a skill has a script")
        if step.tool is not None and isinstance(step.args, list):
            yield Problem(f"{where}/args", "a tool takes an object of named arguments")
        if step.tool is None and isinstance(step.args, dict):
            yield Problem(f"{where}/args", "a skill or code takes a list of arguments")
        if step.tool is not None and step.env:
            yield Problem(f"{where}/env", "only a step with a skill or code has env")
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
    order = {step.id: index for index, step in reversed(list(enumerate(pipeline.steps)))}
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
                if message := _misdirected(reference, index, order, pipeline.inputs):
                    yield Problem(pointer, message)
                elif reference.is_all_files and value != reference.text and pointer in words:
                    yield Problem(pointer, f"{reference.text} must stand alone in its argument")
                elif reference.is_all_files and (step.tool is not None or pointer in variables):
                    yield Problem(pointer, f"name one file: {reference.text[:-1]}['NAME']}}")


def _count_references(step: Step) -> int:
    values = (value for _, value in _arguments(step, ""))
    return sum(value.count("${") for value in values if isinstance(value, str))


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
    reference: Reference, index: int, order: Mapping[str, int], inputs: list[str]
) -> str | None:
    if reference.source == "inputs":
        known = ", ".join(inputs) or "none"
        return (
            None
            if reference.name in inputs
            else f"{reference.text}: there is no input {reference.name!r} (declared: {known})"
        )
    if reference.name not in order:
        return f"{reference.text}: there is no step {reference.name!r}"
    if order[reference.name] == index:
        return f"{reference.text}: a step cannot refer to itself"
    if order[reference.name] > index:
        return f"{reference.text}: step {reference.name!r} runs later; refer to earlier steps only"
    return None


def _input_problems(pipeline: Pipeline, given: Mapping[str, object], at: str) -> Iterator[Problem]:
    used = _used_inputs(pipeline)
    for index, name in enumerate(pipeline.inputs):
        if name not in used:
            yield Problem(f"{at}/inputs/{index}", f"input {name!r} is used by no step")
        if name not in given:
            yield Problem("/inputs", f"input {name!r} is declared by the pipeline but not given")
    for name in given:
        if name not in pipeline.inputs:
            yield Problem(f"/inputs/{escaped(name)}", f"the pipeline declares no input {name!r}")


def _used_inputs(pipeline: Pipeline) -> set[str]:
    used: set[str] = set()
    for step in pipeline.steps:
        try:
            references = list(references_in(step.json_values))
        except ReferenceMalformed:
            return set(pipeline.inputs)  # Reported already; a second complaint would mislead.
        used.update(item.name for item in references if item.source == "inputs")
        if step.code is not None:
            used.update(name for name in pipeline.inputs if _mentions(step.code.source, name))
    return used


def _mentions(source: str, name: str) -> bool:
    """Code finds its inputs by environment or path, without an argument."""
    places = (environment_name(name), "AGENTOS_INPUT_DIR", "/workspace/input")
    return any(place in source for place in places)
