"""Steps that a planner wrote itself: they stay as they are, but for what they refer to."""

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import JsonValue

from activities.store.reading.runs import RecordedCall, RecordedRun
from activities.tools.working_files import WorkingFiles
from api.tasks.compilation.files import Files
from api.tasks.compilation.mentions import paths_in, read_by
from api.tasks.compilation.natures import Nature
from api.tasks.compilation.readings import Reading, placed_files
from api.tasks.compilation.said import Said, said_in_arguments, said_in_code, said_in_values
from workflows.definitions.parameters import filled
from workflows.definitions.pipeline import Pipeline, Step
from workflows.definitions.references import Reference, parse, plain, references_in
from workflows.pointers import escaped

_NATURES = {"skill": Nature.SKILL, "code": Nature.CODE, "tool": Nature.TOOL}

Refer = Callable[[Reference, str], str]
"""Writes a reference anew, which is at a pointer."""


def read_steps(files: Files, run: RecordedRun, prefix: str) -> Iterator[Reading]:
    """All steps of a pipeline that is completed."""
    calls = {call.name: call for call in run.calls}
    for index, step in enumerate(filled(Pipeline.model_validate(run.definition))):
        yield _read(files, run, step, calls[step.id], f"{prefix}/steps/{index}")


def _read(files: Files, run: RecordedRun, step: Step, call: RecordedCall, at: str) -> Reading:
    shelf = files.given_to(run)
    code = step.code.source if step.code else ""
    is_program = step.kind != "tool"
    names = {item.name for item in references_in(step.json_values) if item.source == "inputs"}
    named = [file for file in shelf.files if file.name in names]
    direct = {shelf.source(file) for file in named}
    renamed = [file for file in named if is_program and shelf.is_renamed(file)]
    loose = [*renamed, *(read_by(code, shelf.files) if is_program else ())]
    for text in _texts([step.json_args, {**step.env}]) if is_program else ():
        loose += [mention.file for mention in paths_in(text, shelf.files)]
    placed = {
        name: source
        for name, source in placed_files(loose, direct, shelf, code)
        if name not in step.files
    }
    return Reading(
        run=run,
        call=call,
        nature=_NATURES[step.kind],
        at=at,
        valid=None,
        made=files.made_by(call),
        said=tuple(_said(step, at)),
        placed=placed,
        sources=frozenset({*direct, *placed.values()}),
        step=step,
        given=shelf.given,
        renamed={file.name: file.path for file in renamed},
    )


def rewritten(step: Step, at: str, refer: Refer) -> dict[str, Any]:
    """A step, which is at a pointer, with other references."""
    document = step.model_dump(mode="json", exclude_defaults=True)
    document.pop("needs", None)  # What it waits for comes before it in a list, too.
    for field in ("args", "env", "files", "foreach"):
        if field in document:
            document[field] = _rewritten(document[field], f"{at}/{field}", refer)
    return document


def _rewritten(value: JsonValue, at: str, refer: Refer) -> JsonValue:
    match value:
        case dict():
            return {k: _rewritten(item, f"{at}/{escaped(k)}", refer) for k, item in value.items()}
        case list():
            return [_rewritten(item, f"{at}/{n}", refer) for n, item in enumerate(value)]
        case str():
            return "".join(_part(part, at, refer) for part in parse(value))
    return value


def _part(part: str | Reference, at: str, refer: Refer) -> str:
    if isinstance(part, str):
        return plain(part)
    return part.text if part.source in ("item", "index") else refer(part, at)


def _said(step: Step, at: str) -> Iterator[Said]:
    """What the planner wrote, without references."""
    if step.code is not None:
        yield from said_in_code(step.code.source, step.code.language, f"{at}/code/source")
    yield from said_in_values(_plain({**step.env}), f"{at}/env")
    if isinstance(step.foreach, list):
        yield from said_in_values(_plain(step.foreach), f"{at}/foreach")
    if isinstance(step.args, list):
        words = WorkingFiles(()).read(map(_plain_text, step.args))
        yield from said_in_arguments(words, f"{at}/args")
    else:
        yield from said_in_values(_plain(step.args), f"{at}/args")


def _plain(value: JsonValue) -> JsonValue:
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case str():
            return _plain_text(value)
    return value


def _plain_text(text: str) -> str:
    return "".join(part if isinstance(part, str) else " " for part in parse(text))


def _texts(value: JsonValue) -> Iterator[str]:
    match value:
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)
        case str():
            yield value
