"""What ``agentos rerun`` would submit, before it does."""

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from pydantic import JsonValue

from api.cli.commands.checking import Checked, print_checked
from api.cli.commands.diff import print_values
from api.cli.commands.inputs import GivenInputs
from api.cli.commands.printing import Cell, beginning, print_fields, print_line, print_title
from api.client import AsyncClient as Client
from api.wire.given_names import unknown_names
from api.wire.requests import RerunRequest
from api.wire.responses.checks import FoundProblem, RerunCheck
from api.wire.responses.comparison import ComparedValue
from workflows.pointers import pointer

_OF_EVERY_TASK = ("type", "prompt", "priority", "inputs", "cache", "callbacks")
_SHOWN_ELSEWHERE = ("name", "parameters", "steps", "inputs")


class CheckedRerun(Checked):
    """``request`` is what would be submitted, with the ``uploads`` in it as the paths that they
    still are; ``changes`` are the places at which it differs from that of the task."""

    request: dict[str, JsonValue]
    changes: list[ComparedValue]
    is_cut: bool
    uploads: dict[str, str]


async def check_rerun(
    client: Client, task_id: str, request: RerunRequest, given: GivenInputs, key: str | None
) -> CheckedRerun:
    """Have the server check a request, which has no more of what is ``given`` than references."""
    uploads = {name: str(value) for name, value in given.items() if isinstance(value, Path)}
    answer = await client.check_rerun(task_id, request, idempotency_key=key)
    was = _mapping(answer.request.get("inputs"))
    problems = _problems(answer, uploads, {*was} - _unknown(answer, request))
    return CheckedRerun(
        of=task_id,
        valid=not problems,
        problems=problems,
        name=answer.name,
        steps=answer.steps,
        inputs=answer.inputs,
        existing_task_id=answer.existing_task_id,
        request={**answer.request, "inputs": {**was, **uploads}},
        changes=[*_uploaded(uploads, was), *answer.changes],
        is_cut=answer.is_cut,
        uploads=uploads,
    )


def _unknown(answer: RerunCheck, request: RerunRequest) -> set[str]:
    """Names of references that the task may not have; something is wrong with them in any case."""
    places = {each.pointer for each in answer.problems}
    return {name for name in request.inputs if pointer(("inputs", name)) in places}


def _problems(
    answer: RerunCheck, uploads: Mapping[str, str], known: Collection[str]
) -> list[FoundProblem]:
    """Without those of inputs that a file takes the place of."""
    replaced = {pointer(("inputs", name)) for name in uploads}
    return [
        *(each for each in answer.problems if each.pointer not in replaced),
        *(
            FoundProblem(pointer=each.pointer, message=each.message)
            for each in unknown_names("input", uploads, known)
        ),
    ]


def _uploaded(uploads: Mapping[str, str], was: Mapping[str, JsonValue]) -> Iterator[ComparedValue]:
    for name, path in uploads.items():
        other = was.get(name)
        yield ComparedValue(
            pointer=pointer(("inputs", name)),
            task=path,
            other=None if other is None else str(other),
        )


def print_rerun(checked: CheckedRerun) -> None:
    """For people: what would be submitted, and how that differs from the task."""
    print_checked(checked)
    if not checked.valid:
        return
    print_fields([*_fields(checked)])
    if checked.changes:
        print_values("Different from the task", checked.changes)
        if checked.is_cut:
            print_line("There is more that differs.")
    else:
        print_title("Different from the task")
        print_line("Nothing.")


def _fields(checked: CheckedRerun) -> Iterator[tuple[str, Cell]]:
    request = checked.request
    type_ = str(request.get("type"))
    # What a task of type auto says of itself lies beside its prompt.
    definition = _mapping(request.get(type_)) if type_ in request else _beside(request)
    yield "Type", type_
    yield "Name", checked.name or ""
    if prompt := request.get("prompt"):
        yield "Prompt", beginning(str(prompt))
    yield from _listed("Inputs", _mapping(request.get("inputs")), checked.uploads)
    yield from _listed("Parameters", _mapping(definition.get("parameters")))
    yield "Priority", str(request.get("priority"))
    yield "Cache", "used" if request.get("cache") else "not used"
    for index, callback in enumerate(_callbacks(request)):
        yield "" if index else "Callbacks", callback
    rest = {key: value for key, value in definition.items() if key not in _SHOWN_ELSEWHERE}
    if rest and not checked.steps:
        yield type_.capitalize(), beginning(json.dumps(rest, ensure_ascii=False))


def _beside(request: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    return {name: value for name, value in request.items() if name not in _OF_EVERY_TASK}


def _callbacks(request: Mapping[str, JsonValue]) -> Iterator[str]:
    callbacks = request.get("callbacks")
    for each in map(_mapping, callbacks if isinstance(callbacks, list) else ()):
        events = each.get("events")
        listed = ", ".join(map(str, events)) if isinstance(events, list) else ""
        yield f"{each.get('url')} ({listed})"


def _listed(
    label: str, values: Mapping[str, JsonValue], uploads: Mapping[str, str] | None = None
) -> Iterator[tuple[str, Cell]]:
    for index, (name, value) in enumerate(values.items()):
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        note = ", to be uploaded" if name in (uploads or {}) else ""
        yield "" if index else label, f"{name}={text}{note}"


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}
