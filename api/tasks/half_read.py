"""A pipeline of which some fields are wrong: what can be told of the others all the same.

Only what a field says by itself counts. What steps say of each other may look wrong merely because
the wrong field is missing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any
from uuid import UUID

from pydantic import JsonValue, ValidationError

from activities.kinds.pipeline_validation import problems_with_pipeline
from activities.off_loop import off_loop
from api.services import Services
from workflows.definitions.pipeline import Pipeline
from workflows.pointers import Problem, unescaped
from workflows.suggestions import nearest

_AT = "/pipeline"
_BY_ITSELF = re.compile(
    r"(/pipeline/steps/\d+)/(skill|script|tool|code/skill|code/source|needs/\d+)"
)
# What a step runs is told by these together.
_RUNS = ("skill", "script", "tool", "code")
_ID = re.compile(r"/pipeline/steps/\d+/id")


async def further_problems(
    services: Services, team_id: UUID, document: JsonValue, told: Sequence[Problem]
) -> list[Problem]:
    """Beside those that were ``told`` when the pipeline in a document was read."""
    pipeline = await off_loop(_without_wrong_fields, document, told)
    if pipeline is None:
        return []
    found = await problems_with_pipeline(services.installed, team_id, pipeline, {}, _AT)
    known = {problem.pointer for problem in told}
    return [each for each in found if each.pointer not in known and _is_certain(each, known)]


def _is_certain(problem: Problem, known: set[str]) -> bool:
    if (place := _BY_ITSELF.fullmatch(problem.pointer)) is None:
        return False
    step, field = place.groups()
    if field.startswith("needs"):
        ids = any(_ID.fullmatch(pointer) for pointer in known)
        return not ids and not any(_may_be(pointer, "id") for pointer in known)
    if field in _RUNS and any(_may_say_what_runs(pointer, step) for pointer in known):
        return False
    return field != "code/source" or not any(p.startswith(f"{step}/code/") for p in known)


def _may_be(pointer: str, field: str) -> bool:
    """Whether a wrong field of a step may have been meant to be this one."""
    name = pointer.rpartition("/")[2]
    return len(name) <= len(field) + 2 and field in name.lower()


def _may_say_what_runs(pointer: str, step: str) -> bool:
    owner, _, name = pointer.rpartition("/")
    return owner == step and nearest(name.lower(), _RUNS) is not None


def _without_wrong_fields(document: JsonValue, told: Sequence[Problem]) -> Pipeline | None:
    """None where too little is left of it."""
    if not isinstance(document, dict) or not isinstance(document.get("pipeline"), dict):
        return None
    whole: dict[str, Any] = deepcopy(document)
    for problem in told:
        _remove(whole, [*map(unescaped, problem.pointer.split("/")[1:])])
    pipeline = whole.get("pipeline")
    if not isinstance(pipeline, dict):
        return None
    try:
        return Pipeline.model_validate(dict(_with_names(pipeline)))
    except ValidationError:
        return None


def _remove(at: Any, path: Sequence[str]) -> None:
    """The field that a pointer leads into: of a list, all of it, as places in it would shift."""
    owner, name = None, ""
    for part in path:
        if isinstance(at, dict):
            if part not in at:
                return  # It is missing.
            owner, name, at = at, part, at[part]
        elif isinstance(at, list) and part.isdecimal() and int(part) < len(at):
            at = at[int(part)]
    if owner is not None:
        del owner[name]


def _with_names(pipeline: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """A name for the pipeline, and for each step that has none."""
    yield "name", "unnamed"
    for field, value in pipeline.items():
        if field == "steps" and isinstance(value, list):
            named = enumerate(value)
            yield field, [_named(step, number) for number, step in named]
        else:
            yield field, value


def _named(step: Any, number: int) -> Any:
    return {"id": f"unnamed-{number}", **step} if isinstance(step, dict) else step
