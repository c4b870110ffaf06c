"""Calls as the steps of a pipeline."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from activities.store.reading.runs import RecordedCall
from activities.tools.running import SCRIPT_SECONDS
from api.tasks.compilation.constants import Constants
from api.tasks.compilation.files import Given, Lost, Made, Source
from api.tasks.compilation.fixed_steps import rewritten
from api.tasks.compilation.natures import RUNS, Nature
from api.tasks.compilation.readings import Part, Reading
from api.tasks.compilation.said import Said
from api.tasks.compilation.words import Words
from workflows.definitions.pipeline import DEFAULT_TIMEOUT, Step
from workflows.definitions.references import Reference, plain
from workflows.pointers import Problem, escaped

_ID_CHARACTERS = 50
# Of the time that a step has, what a call may have taken.
_COMFORTABLE_SHARE = 0.4


class Steps:
    """Writes readings as steps, in their order. ``ids`` are those of the steps; ``problems`` is
    what could not be written. ``words`` are those of the runs, by task, and ``labels`` say which
    node of a plan a run is that of."""

    def __init__(
        self,
        constants: Constants,
        words: Mapping[UUID, Words],
        labels: Mapping[UUID, str] | None = None,
    ) -> None:
        self.ids: list[str] = []
        self.problems: list[Problem] = []
        self._constants = constants
        self._words = words
        self._labels = labels or {}
        self._shared: frozenset[str] = frozenset()
        self._makers: dict[UUID, str] = {}
        self._fixed: dict[tuple[UUID, str], str] = {}

    def write_all(self, readings: Sequence[Reading]) -> list[dict[str, Any]]:
        """Steps, as people write them. Where nodes have steps of one name, these begin with the
        name of the node."""
        users: defaultdict[str, set[str]] = defaultdict(set)
        for reading in readings:
            users[_name_of(reading)].add(self._labels.get(reading.run.task_id, ""))
        self._shared = frozenset(name for name, nodes in users.items() if len(nodes) > 1)
        return [self._write(reading) for reading in readings]

    def _write(self, reading: Reading) -> dict[str, Any]:
        key = self._key(reading)
        if reading.step is None:
            step = self._of_call(reading, key)
        else:
            step = self._of_step(reading, reading.step, key)
        self.ids.append(key)
        self._makers.update((made.file.id, key) for made in reading.made)
        return step

    def _key(self, reading: Reading) -> str:
        name, label = _name_of(reading), self._labels.get(reading.run.task_id, "")
        if label and (name in self._shared or name in self.ids):
            name = f"{label[: max(_ID_CHARACTERS - len(name) - 1, 1)]}-{name}"
        return _free_id(name, self.ids)

    def _of_step(self, reading: Reading, step: Step, key: str) -> dict[str, Any]:
        """A step that was one before."""

        def refer(reference: Reference, pointer: str) -> str:
            name, is_placing = reference.name, pointer.startswith(f"{reading.at}/files/")
            if reference.source == "inputs":
                if name in reading.renamed and not is_placing:
                    return reading.renamed[name]
                return self._reference(reading, reading.given[name], pointer)
            before = f"${{{reference.source}.{reference.name}"
            other = self._fixed[reading.run.task_id, reference.name]
            return f"${{steps.{other}{reference.text.removeprefix(before)}"

        written = rewritten(step, reading.at, refer)
        files = {
            name: self._reference(reading, source, reading.at)
            for name, source in reading.placed.items()
        }
        if files:
            written["files"] = {**files, **written.get("files", {})}
        self._fixed[reading.run.task_id, step.id] = key
        return {**written, "id": key}

    def _of_call(self, reading: Reading, key: str) -> dict[str, Any]:
        names = self._parameters(reading, key)
        step: dict[str, Any] = {"id": key, **_what_runs(reading)}
        if reading.nature in RUNS:
            args = [
                self._argument(reading, index, parts, names)
                for index, parts in enumerate(reading.args)
            ]
            files = {
                name: self._reference(reading, source, reading.at)
                for name, source in reading.placed.items()
            }
            step |= ({"args": args} if args else {}) | ({"files": files} if files else {})
            if _is_slow(reading.call):
                step["timeout"] = f"{SCRIPT_SECONDS:g}s"
        else:
            arguments = reading.call.definition.arguments
            step["args"] = _with_parameters(arguments, f"{reading.at}/arguments", names)
        return step

    def _parameters(self, reading: Reading, step: str) -> Mapping[str, tuple[Said, str]]:
        """The texts that become parameters, by their pointers."""
        words = self._words[reading.run.task_id]
        own = {file.name for file in reading.call.files}
        return {
            said.pointer: (said, name)
            for said in reading.said
            if said.text not in own and (name := self._constants.name(said, words, step))
        }

    def _argument(
        self,
        reading: Reading,
        index: int,
        parts: Sequence[Part],
        names: Mapping[str, tuple[Said, str]],
    ) -> str:
        pointer = f"{reading.at}/arguments/args/{index}"
        match parts, names.get(pointer):
            case (str(text),), (said, name) if text.endswith(said.text):
                before = text.removesuffix(said.text)
                return f"{self._text(before, pointer)}${{parameters.{name}}}"
        written = ""
        for place, part in enumerate(parts):
            if not isinstance(part, str):
                written += self._reference(reading, part, pointer)
            elif place < len(parts) - 1:
                written += self._text(part, pointer)
            else:
                written += plain(part)
        return written

    def _text(self, text: str, pointer: str) -> str:
        """Text that a reference follows."""
        if text.endswith("$"):
            message = "a $ before the name of a file cannot be written in a pipeline"
            self.problems.append(Problem(pointer, message))
        return plain(text)

    def _reference(self, reading: Reading, source: Source, pointer: str) -> str:
        if isinstance(source, Given):
            return f"${{inputs.{source.name}}}"
        if isinstance(source, Lost):
            self.problems.append(Problem(pointer, source.reason))
            return ""
        name = source.file.name
        key = self._makers.get(source.file.id)
        if reason := _unreachable(source, is_step=key is not None):
            self.problems.append(Problem(pointer, reason))
        quote = '"' if "'" in name else "'"
        return f"${{steps.{key}.files[{quote}{name}{quote}]}}"


def _unreachable(made: Made, *, is_step: bool) -> str | None:
    """Why a pipeline has no such file."""
    name, number = made.file.name, made.call.number
    if made.is_printed:
        return (
            f"{name!r} is what call {number} printed, which was too long for the model; the step of"
            " a pipeline leaves no such file"
        )
    if not is_step:
        return f"{name!r} was made by call {number}, which is no step: it failed, or only read"
    if "\\" in name or ("'" in name and '"' in name):
        return f"{name!r} has quotes in its name, so that no reference can name it"
    return None


def _what_runs(reading: Reading) -> dict[str, Any]:
    valid = reading.valid
    match reading.nature:
        case Nature.SKILL:
            script = getattr(valid, "script", None)
            return {"skill": str(getattr(valid, "skill", ""))} | (
                {"script": script} if script else {}
            )
        case Nature.CODE:
            fields = {name: getattr(valid, name, None) for name in ("language", "source", "skill")}
            return {"code": {name: value for name, value in fields.items() if value}}
    return {"tool": reading.call.definition.tool}


def _with_parameters(value: JsonValue, at: str, names: Mapping[str, tuple[Said, str]]) -> JsonValue:
    if at in names:
        return f"${{parameters.{names[at][1]}}}"
    match value:
        case dict():
            return {
                key: _with_parameters(item, f"{at}/{escaped(key)}", names)
                for key, item in value.items()
            }
        case list():
            return [
                _with_parameters(item, f"{at}/{index}", names) for index, item in enumerate(value)
            ]
        case str():
            return plain(value)
    return value


def _is_slow(call: RecordedCall) -> bool:
    """Whether the default time for a step may not be enough: a call has more."""
    if call.started_at is None or call.finished_at is None:
        return False
    return call.finished_at - call.started_at > DEFAULT_TIMEOUT * _COMFORTABLE_SHARE


def _name_of(reading: Reading) -> str:
    """What people would call the step."""
    if reading.step is not None:
        return reading.step.id
    match reading.nature:
        case Nature.SKILL:
            return str(getattr(reading.valid, "skill", "skill"))
        case Nature.CODE:
            return "code"
    name = reading.call.definition.arguments.get("name")
    if reading.valid is not None and isinstance(name, str):
        return PurePosixPath(name).stem
    return reading.call.definition.tool.rpartition(".")[2]


def _free_id(wanted: str, taken: Iterable[str]) -> str:
    base = re.sub(r"[^A-Za-z0-9_-]+", "-", wanted).strip("-_")[:_ID_CHARACTERS]
    base = base if re.match(r"[A-Za-z]", base) else f"step-{base}".strip("-")
    used, number, key = set(taken), 1, base
    while key in used:
        number += 1
        key = f"{base}-{number}"
    return key
