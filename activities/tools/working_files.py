"""The files of a task that its agent can work with: its inputs, and what its calls have made. An
agent that stays has those of earlier exchanges, and of the tasks that it has begun, as well.

A model names a file as it has seen it: by its name, its URL, its reference, or its path in the
sandbox. Only such files are found; another's is as good as missing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from activities.inputs.fetching import kept_as
from activities.mime_types import UNKNOWN_TYPE
from activities.sandbox.base import INPUT_FOLDER, OUTPUT_FOLDER
from activities.sandbox.names import is_short_enough, name_by_id
from activities.store.database import Database
from activities.store.reading.files import MadeFile, earlier_files, files_of_task, find_files
from workflows.definitions import inputs
from workflows.definitions.inputs import InputRef
from workflows.errors.inputs import InputRefMalformed
from workflows.errors.tools import WorkingFileNotFound
from workflows.suggestions import nearest

MAX_ARTIFACTS = 2_000
MAX_LEASED_ARTIFACTS = 64
MAX_EARLIER = 500

_NAMES_SHOWN = 20
_NAME_SHOWN_CHARACTERS = 200

_URL = re.compile(r"(?:https?://\S+?)?/api/v1/(artifacts|files)/([0-9a-f-]{36})", re.IGNORECASE)
# What follows such an option is a file to be made, be there one of its name already or not.
_OUTPUT_OPTION = re.compile(r"-o|--(?:.+-)?out(?:put|file|dir)?(?:-.+)?")


@dataclass(frozen=True, slots=True)
class WorkingFile:
    """A file by the ``name`` that the model knows; ``ref`` is its reference as an input.

    ``inside`` is its name in ``/workspace/input``, where there are no folders. ``size`` is in
    bytes, and None for an input from outside that was not fetched yet.
    """

    id: UUID
    name: str
    ref: str
    size: int | None
    mime_type: str
    is_input: bool = False
    inside: str = ""

    @property
    def path(self) -> str:
        """Its path in the sandbox."""
        return f"{INPUT_FOLDER}/{self.inside}"


class WorkingFiles:
    """``given`` is in the order of age. Of several files of one name the last one has it; the
    others are found by URL or reference."""

    def __init__(self, given: Iterable[WorkingFile]) -> None:
        latest: dict[str, WorkingFile] = {}
        self._by_ref: dict[InputRef, WorkingFile] = {}
        for file in given:
            latest.pop(file.name, None)  # A dictionary keeps the place of a key that it has.
            latest[file.name] = file
            self._by_ref[inputs.parse(file.ref)] = file
        self._by_name: Mapping[str, WorkingFile] = latest
        self._by_path = {file.path: file for file in self._by_ref.values()}

    @property
    def files(self) -> Sequence[WorkingFile]:
        """One of each name, in the order of age."""
        return tuple(self._by_name.values())

    def find(self, text: str) -> WorkingFile:
        """The file that a model means. Raises ``WorkingFileNotFound``, which names the nearest."""
        name = text.strip().removeprefix(f"{OUTPUT_FOLDER}/").removeprefix("./")
        found = self._meant(text.strip()) or self._by_name.get(name)
        if found is None:
            raise WorkingFileNotFound(
                file=text[:_NAME_SHOWN_CHARACTERS], suggestion=self._suggestion(name)
            )
        return found

    def in_arguments(self, args: Iterable[str]) -> "Arguments":
        """A command line with files that it names as paths in the sandbox.

        That is done to an argument as a whole, or to what stands behind its ``=``, and never to the
        value of an option such as ``-o`` or ``--output``.
        """
        read = list(self.read(args))
        words = (f"{arg.before}{arg.file.path if arg.file else ''}" for arg in read)
        return Arguments(tuple(words), tuple(arg.file for arg in read if arg.file))

    def read(self, args: Iterable[str]) -> Iterator["ReadArgument"]:
        """The same command line, with the file that each argument names."""
        is_output = False
        for arg in args:
            option, equals, value = arg.partition("=")
            makes = _OUTPUT_OPTION.fullmatch(option) is not None
            if not is_output and (file := self._meant(arg)):
                yield ReadArgument("", file)
            elif equals and not makes and (file := self._meant(value)):
                yield ReadArgument(f"{option}=", file)
            else:
                yield ReadArgument(arg, names_output=is_output or bool(equals and makes))
            is_output = _OUTPUT_OPTION.fullmatch(arg) is not None

    def to_lease(self, named: Iterable[WorkingFile] = ()) -> dict[str, str]:
        """What must be in ``/workspace/input``: names there and references.

        All inputs, the latest artifacts, and those that are named.
        """
        made = [file for file in self.files if not file.is_input]
        chosen = [
            *(file for file in self.files if file.is_input),
            *made[-MAX_LEASED_ARTIFACTS:],
            *named,
        ]
        return {file.inside: file.ref for file in chosen}

    def _meant(self, text: str) -> WorkingFile | None:
        found = self._by_name.get(text) or self._by_path.get(text)
        if found is None and text.startswith(f"{INPUT_FOLDER}/"):
            return self._by_name.get(text.removeprefix(f"{INPUT_FOLDER}/"))
        if found is None and (url := _URL.fullmatch(text)):
            text = f"{url[1].removesuffix('s').lower()}:{url[2]}"
        if found is None and ":" in text:
            try:
                return self._by_ref.get(inputs.parse(text))
            except InputRefMalformed:
                return None
        return found

    def _suggestion(self, name: str) -> str:
        known = list(self._by_name)
        if near := nearest(name, known):
            return f"Did you mean {near!r}?"
        return f"It has: {', '.join(known[-_NAMES_SHOWN:]) or 'none yet'}."


@dataclass(frozen=True, slots=True)
class ReadArgument:
    """An argument: its text ``before`` the name of a ``file``, or all of it. ``names_output``: it
    says what a file is to be called that the script makes."""

    before: str
    file: WorkingFile | None = None
    names_output: bool = False


@dataclass(frozen=True, slots=True)
class Arguments:
    """A command line, and the files that it names."""

    words: tuple[str, ...]
    files: tuple[WorkingFile, ...]


async def working_files(database: Database, task_id: UUID, team_id: UUID) -> WorkingFiles:
    """Those of a task: its inputs, then what it made, the earliest first. Earlier ones of its agent
    come before them."""
    found = await files_of_task(database, team_id, task_id, MAX_ARTIFACTS)
    given = await _inputs(database, task_id, team_id, found.inputs)
    before: list[WorkingFile] = []
    if found.agent_id is not None:
        earlier = await earlier_files(database, team_id, found.agent_id, task_id, MAX_EARLIER)
        # Of several of one name the last one counts.
        were_given = await _inputs(database, task_id, team_id, dict(earlier.given))
        before = [*(replace(file, is_input=False) for file in were_given), *_made(earlier.made)]
    return WorkingFiles(placed([*before, *given, *_made(found.made)]))


def _made(files: Sequence[MadeFile]) -> list[WorkingFile]:
    return [
        WorkingFile(file.id, file.name, f"artifact:{file.id}", file.size, file.mime_type)
        for file in files
    ]


def placed(files: Sequence[WorkingFile]) -> list[WorkingFile]:
    """Give each file its name inside: its own, as far as that is possible and no later one's."""
    taken: set[str] = set()
    done: list[WorkingFile] = []
    for file in reversed(files):
        flat = file.name.replace("/", "-")
        for inside in (flat, f"{file.id}-{flat}", name_by_id(file.id, file.name)):
            if inside not in taken and is_short_enough(inside):
                break
        taken.add(inside)
        done.append(replace(file, inside=inside))
    return done[::-1]


async def _inputs(
    database: Database, task_id: UUID, team_id: UUID, refs: Mapping[str, str]
) -> list[WorkingFile]:
    kept = {name: kept_as(task_id, inputs.parse(ref)) for name, ref in refs.items()}
    stored = await find_files(database, team_id, kept.values())
    return [
        WorkingFile(
            id=ref.id,
            name=name,
            ref=refs[name],
            size=stored[ref].size if ref in stored else None,
            mime_type=stored[ref].mime_type if ref in stored else UNKNOWN_TYPE,
            is_input=True,
        )
        for name, ref in kept.items()
    ]
