"""A step's arguments with their references replaced, and the files that it needs for them."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from activities.sandbox.base import INPUT_FOLDER
from activities.sandbox.names import is_short_enough, name_by_id
from activities.steps.printed import Printed, is_finite, part_of
from activities.store.reading.results import ResultFile, StepResult
from workflows.definitions.references import Key, Reference, parse, references_in
from workflows.errors.inputs import ReferenceUnresolved
from workflows.suggestions import nearest

# Each is a word of the command line, and is fetched and laid down before the script begins.
MAX_FILES_AT_ONCE = 10_000

_ITEMS_SHOWN = 10
_NAMES_SHOWN = 20
_NAMES_JUDGED = 1_000  # to look for what was meant among more takes long


def steps_read(args: JsonValue) -> tuple[frozenset[str], frozenset[str]]:
    """The steps that arguments refer to, and those of them whose output is needed."""
    found = [item for item in references_in(args) if item.source == "steps"]
    return (
        frozenset(item.name for item in found),
        frozenset(item.name for item in found if item.field in ("stdout", "json")),
    )


@dataclass(frozen=True, slots=True)
class Item:
    """What an item of a step is, as its row has it, and its number."""

    index: int
    content: Mapping[str, Any]

    @property
    def file(self) -> tuple[UUID, str] | None:
        """The id and the name of the file that it is, if it is one."""
        file = self.content.get("file")
        return None if file is None else (UUID(file["id"]), file["name"])


class Arguments:
    """Resolves references. ``files`` maps a name in ``/workspace/input`` to an input reference.

    Every input of the task is there under its name, used or not: scripts may find them by
    environment. A file of an earlier step keeps its own name unless that is taken.

    ``item`` is what ``${item}`` stands for.
    """

    def __init__(
        self,
        inputs: Mapping[str, str],
        results: Mapping[str, StepResult],
        item: Item | None = None,
    ) -> None:
        self.files: dict[str, str] = dict(inputs)
        self._inputs = inputs
        self._results = results
        self._item = item
        self._printed = Printed(results)
        self._by_name: dict[str, Mapping[str, Sequence[ResultFile]]] = {}

    @property
    def are_short(self) -> bool:
        """Whether they can stand for nothing but names of inputs."""
        return not self._results and self._item is None

    def files_of(self, reference: Reference) -> Sequence[ResultFile]:
        """All files of the step that is referred to, whatever of it is.

        Raises:
            ReferenceUnresolved: it has no result.
        """
        return self._result(reference).files

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
        takes the referred value's own type.

        Raises:
            ReferenceUnresolved: a file or a JSON value that is not there.
        """
        if isinstance(args, dict):
            return {key: self.named(value) for key, value in args.items()}
        if isinstance(args, list):
            return [self.named(value) for value in args]
        if not isinstance(args, str):
            return args
        parts = parse(args)
        if len(parts) == 1 and isinstance(parts[0], Reference):
            return self._json_value(parts[0])
        return "".join(
            part if isinstance(part, str) else _as_text(self._value(part)) for part in parts
        )

    def _words(self, text: str) -> Iterable[str]:
        parts = parse(text)
        if len(parts) == 1 and isinstance(parts[0], Reference) and parts[0].is_all_files:
            return self._paths_of_all(parts[0])
        return [self._text(text)]

    def _paths_of_all(self, reference: Reference) -> Sequence[str]:
        made = self.files_of(reference)
        if len(made) > MAX_FILES_AT_ONCE:
            reason = (
                f"step {reference.name!r} made {len(made):,} files, and at most "
                f"{MAX_FILES_AT_ONCE:,} can be given at once; run the step with foreach, or have "
                f"{reference.name!r} make fewer"
            )
            raise ReferenceUnresolved(reference=reference.text, reason=reason)
        times = Counter(file.name for file in made)
        return [
            self._path_of(reference.name, file, is_one_of_many=times[file.name] > 1)
            for file in made
        ]

    def _text(self, text: str) -> str:
        parts = parse(text)
        return "".join(part if isinstance(part, str) else self._inside(part) for part in parts)

    def _inside(self, reference: Reference) -> str:
        if reference.source == "inputs":
            return f"{INPUT_FOLDER}/{reference.name}"
        if reference.source == "item" and not reference.path and self._item and self._item.file:
            return self._path("item", *self._item.file)
        if reference.is_file:
            return self._path_of(reference.name, self._file(reference))
        return _as_text(self._value(reference))

    def _path_of(self, step: str, file: ResultFile, *, is_one_of_many: bool = False) -> str:
        """Of what several items have made under one name, each lies under the number of its own."""
        prefix = step if file.item is None else f"{step}-{file.item}"
        return self._path(prefix, file.id, file.name, is_prefixed=is_one_of_many)

    def _path(self, prefix: str, file_id: UUID, name: str, *, is_prefixed: bool = False) -> str:
        base = PurePosixPath(name).name
        target = f"artifact:{file_id}"
        names = (base, f"{prefix}-{base}", f"{file_id}-{base}", name_by_id(file_id, base))
        for each in names[1:] if is_prefixed else names:
            if is_short_enough(each) and self.files.setdefault(each, target) == target:
                return f"{INPUT_FOLDER}/{each}"
        raise AssertionError("an artifact's id is unique")

    def _value(self, reference: Reference) -> JsonValue:
        if reference.source == "inputs":
            return self._inputs[reference.name]
        if reference.is_file:
            return f"artifact:{self._file(reference).id}"
        if reference.source in ("item", "index"):
            return self._value_of_item(reference)
        result = self._result(reference)
        if reference.field == "exit_code":
            return result.exit_code
        if result.is_cut:
            reason = f"the items of step {reference.name!r} have printed more than can be joined"
            raise ReferenceUnresolved(reference=reference.text, reason=reason)
        if reference.field == "stdout":
            return (result.stdout or "").rstrip("\n")
        return self._printed.value(reference)

    def _json_value(self, reference: Reference) -> JsonValue:
        value = self._value(reference)
        if is_finite(value):
            return value
        reason = "NaN and Infinity are in it, which are no JSON; have the step print null instead"
        raise ReferenceUnresolved(reference=reference.text, reason=reason)

    def _value_of_item(self, reference: Reference) -> JsonValue:
        if self._item is None:
            raise ReferenceUnresolved(reference=reference.text, reason="there is no item")
        if reference.source == "index":
            return self._item.index
        if self._item.file is None:
            return part_of(reference, self._item.content["value"], reference.path)
        file_id, name = self._item.file
        path = PurePosixPath(name)
        parts: dict[tuple[Key, ...], str] = {
            (): f"artifact:{file_id}",
            ("name",): path.name,
            ("stem",): path.stem,
        }
        return parts[reference.path]

    def _result(self, reference: Reference) -> StepResult:
        if reference.name not in self._results:
            raise ReferenceUnresolved(
                reference=reference.text, reason=f"step {reference.name!r} has no result"
            )
        return self._results[reference.name]

    def _file(self, reference: Reference) -> ResultFile:
        files, name = self._files_by_name(reference), str(reference.path[0])
        found = files.get(name, ())
        if len(found) == 1:
            return found[0]
        if found:
            makers = ", ".join(str(file.item) for file in found[:_ITEMS_SHOWN])
            more = ", ..." * (len(found) > _ITEMS_SHOWN)
            reason = (
                f"items {makers}{more} of step {reference.name!r} have each made one; take all "
                f"with ${{steps.{reference.name}.files}}, or have each name its own"
            )
        else:
            made = ", ".join(sorted(files)[:_NAMES_SHOWN]) or "no files"
            meant = nearest(name, islice(files, _NAMES_JUDGED))
            hint = f"; did you mean {meant!r}?" if meant else ""
            pattern = "; a pattern stands in foreach only" if reference.has_pattern else ""
            reason = f"step {reference.name!r} made {made}{hint}{pattern}"
        raise ReferenceUnresolved(reference=reference.text, reason=reason)

    def _files_by_name(self, reference: Reference) -> Mapping[str, Sequence[ResultFile]]:
        if reference.name not in self._by_name:
            found: defaultdict[str, list[ResultFile]] = defaultdict(list)
            for file in self.files_of(reference):
                found[file.name].append(file)
            self._by_name[reference.name] = found
        return self._by_name[reference.name]


def _as_text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
