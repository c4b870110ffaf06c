"""A step's arguments with their references replaced, and the files that it needs for them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from pydantic import JsonValue

from activities.sandbox.base import INPUT_FOLDER
from activities.sandbox.names import is_short_enough, name_by_id
from activities.store.events import as_json
from activities.store.reading.results import ResultFile, StepResult
from activities.tools.schemas import MAX_ARGUMENT_DEPTH, is_deeper
from workflows.definitions.references import Key, Reference, parse, references_in
from workflows.errors.inputs import ReferenceUnresolved


def steps_read(args: JsonValue) -> tuple[frozenset[str], frozenset[str]]:
    """The steps that arguments refer to, and those of them whose output is needed."""
    found = [item for item in references_in(args) if item.source == "steps"]
    return (
        frozenset(item.name for item in found),
        frozenset(item.name for item in found if item.field in ("stdout", "json")),
    )


class Arguments:
    """Resolves references. ``files`` maps a name in ``/workspace/input`` to an input reference.

    Every input of the task is there under its name, used or not: scripts may find them by
    environment. A file of an earlier step keeps its own name unless that is taken.
    """

    def __init__(self, inputs: Mapping[str, str], results: Mapping[str, StepResult]) -> None:
        self.files: dict[str, str] = dict(inputs)
        self._inputs = inputs
        self._results = results

    def place(self, files: Mapping[str, str]) -> None:
        """Put files into ``/workspace/input`` under names of the step's own choice; before those
        that arguments name, so that these give way.

        Raises:
            ReferenceUnresolved: a file that is not there.
        """
        for name, text in files.items():
            [reference] = parse(text)
            assert isinstance(reference, Reference)
            self.files[name] = str(self._value(reference))

    def command_line(self, args: Iterable[str]) -> tuple[str, ...]:
        """The arguments of a script, files as paths inside the sandbox.

        Raises:
            ReferenceUnresolved: a file or a JSON value that is not there.
        """
        return tuple(word for text in args for word in self._words(text))

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The variables of a script, files as paths inside the sandbox.

        Raises:
            ReferenceUnresolved: a file or a JSON value that is not there.
        """
        return {name: self._text(value) for name, value in variables.items()}

    def named(self, args: JsonValue) -> JsonValue:
        """The arguments of a tool. Files become input references; a string that is one reference
        takes the referred value's own type."""
        if isinstance(args, dict):
            return {key: self.named(value) for key, value in args.items()}
        if isinstance(args, list):
            return [self.named(value) for value in args]
        if not isinstance(args, str):
            return args
        parts = parse(args)
        if len(parts) == 1 and isinstance(parts[0], Reference):
            return self._value(parts[0])
        return "".join(
            part if isinstance(part, str) else _as_text(self._value(part)) for part in parts
        )

    def _words(self, text: str) -> Iterable[str]:
        parts = parse(text)
        if len(parts) == 1 and isinstance(parts[0], Reference) and parts[0].is_all_files:
            step = parts[0].name
            return [self._path(step, file) for file in self._result(parts[0]).files]
        return [self._text(text)]

    def _text(self, text: str) -> str:
        parts = parse(text)
        return "".join(part if isinstance(part, str) else self._inside(part) for part in parts)

    def _inside(self, reference: Reference) -> str:
        if reference.source == "inputs":
            return f"{INPUT_FOLDER}/{reference.name}"
        if reference.is_file:
            return self._path(reference.name, self._file(reference))
        return _as_text(self._value(reference))

    def _path(self, step: str, file: ResultFile) -> str:
        base = PurePosixPath(file.name).name
        target = f"artifact:{file.id}"
        for name in (base, f"{step}-{base}", f"{file.id}-{base}", name_by_id(file.id, base)):
            if is_short_enough(name) and self.files.setdefault(name, target) == target:
                return f"{INPUT_FOLDER}/{name}"
        raise AssertionError("an artifact's id is unique")

    def _value(self, reference: Reference) -> JsonValue:
        if reference.source == "inputs":
            return self._inputs[reference.name]
        if reference.is_file:
            return f"artifact:{self._file(reference).id}"
        result = self._result(reference)
        if reference.field == "exit_code":
            return result.exit_code
        printed = (result.stdout or "").rstrip("\n")
        return printed if reference.field == "stdout" else _in_json(reference, printed)

    def _result(self, reference: Reference) -> StepResult:
        if reference.name not in self._results:
            raise ReferenceUnresolved(
                reference=reference.text, reason=f"step {reference.name!r} has no result"
            )
        return self._results[reference.name]

    def _file(self, reference: Reference) -> ResultFile:
        files = {file.name: file for file in self._result(reference).files}
        name = str(reference.path[0])
        if name not in files:
            made = ", ".join(sorted(files)[:20]) or "no files"
            raise ReferenceUnresolved(
                reference=reference.text, reason=f"step {reference.name!r} made {made}"
            )
        return files[name]


def _in_json(reference: Reference, printed: str) -> JsonValue:
    wrong = f"what step {reference.name!r} printed is"
    too_deep = f"{wrong} nested more than {MAX_ARGUMENT_DEPTH} levels deep"
    try:
        value: JsonValue = json.loads(printed)
    except ValueError:
        raise ReferenceUnresolved(reference=reference.text, reason=f"{wrong} not JSON") from None
    except RecursionError:
        raise ReferenceUnresolved(reference=reference.text, reason=too_deep) from None
    for key in reference.path:
        value = _item(reference, value, key)
    if is_deeper(value, MAX_ARGUMENT_DEPTH):
        raise ReferenceUnresolved(reference=reference.text, reason=too_deep)
    # As it can be kept, and sent on: with no half of a character.
    cleaned: JsonValue = json.loads(as_json(value))
    return cleaned


def _item(reference: Reference, value: JsonValue, key: Key) -> JsonValue:
    if isinstance(value, dict) and str(key) in value:
        return value[str(key)]
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return value[key]
    raise ReferenceUnresolved(reference=reference.text, reason=f"there is no {key!r} in the JSON")


def _as_text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
