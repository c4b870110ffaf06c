"""Where in a text the problems of a document are: line, column, and the step around them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from api.wire.yaml_places import Place, places_in
from workflows.pointers import Problem, unescaped

_STEP_CHARACTERS = 100
_BLOCK = re.compile(r":\s+\|[-+0-9]*\s*(?:#.*)?$")


@dataclass(frozen=True, slots=True)
class Source:
    """A text in YAML that a part of the request was written in: what is at the pointer ``at``."""

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Located:
    """A problem, and where it is. ``step`` is the id of the step around it, as it was written."""

    pointer: str
    message: str
    line: int | None = None
    column: int | None = None
    step: str | None = None
    parameter: str | None = None


def located(
    problems: Sequence[Problem],
    document: object,
    sources: Sequence[Source] = (),
    broken_at: Place | None = None,
) -> list[Located]:
    """The problems of a document, each with its place in the first source that holds it.

    ``broken_at`` is where a text ends to be YAML. Takes a while: not on the event loop.
    """
    places = _places(problems, sources) if broken_at is None else [broken_at for _ in problems]
    return [
        Located(
            problem.pointer,
            problem.message,
            None if place is None else place.line,
            None if place is None else place.column,
            step_at(document, problem.pointer),
            problem.parameter,
        )
        for problem, place in zip(problems, places, strict=True)
    ]


def _places(problems: Sequence[Problem], sources: Sequence[Source]) -> Sequence[Place | None]:
    places: dict[int, Place] = {}
    for source in sources:
        within = {
            index: problem.pointer.removeprefix(source.at)
            for index, problem in enumerate(problems)
            if index not in places and f"{problem.pointer}/".startswith(f"{source.at}/")
        }
        if not within:
            continue
        try:
            found = places_in(source.text, list(within.values()))
        except yaml.YAMLError:
            continue  # JSON that is no YAML: a name of it may hold what YAML does not take.
        lines = source.text.split("\n")
        for index, place in zip(within, found, strict=True):
            places[index] = _within_block(lines, place, problems[index].line)
    return [places.get(index) for index in range(len(problems))]


def _within_block(lines: Sequence[str], place: Place, line: int | None) -> Place:
    """The line of a text that stands line by line below its name; else where that is."""
    number = place.line + (line or 0)
    if line is None or number > len(lines) or not _BLOCK.search(lines[place.line - 1]):
        return place
    text = lines[number - 1]
    return Place(number, len(text) - len(text.lstrip()) + 1)


def step_at(document: Any, pointer: str) -> str | None:
    """The id of the step that a pointer leads into, as it was written."""
    at, is_step, step = document, False, None
    for part in map(unescaped, pointer.split("/")[1:]):
        if isinstance(at, dict) and part in at:
            is_step, at = part == "steps", at[part]
            continue
        if not isinstance(at, list) or not part.isdecimal() or int(part) >= len(at):
            break
        at = at[int(part)]
        found = at.get("id") if is_step and isinstance(at, dict) else None
        step = found[:_STEP_CHARACTERS] if isinstance(found, str) else step
        is_step = False
    return step
