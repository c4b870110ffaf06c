"""What a call says, word by word, and which files it needs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from uuid import UUID

from pydantic import BaseModel

from activities.store.reading.runs import RecordedCall, RecordedRun
from activities.tools.working_files import ReadArgument, WorkingFile
from api.tasks.compilation.files import Files, Given, Lost, Made, Shelf, Source
from api.tasks.compilation.mentions import is_named_in, named_in, paths_in, read_by
from api.tasks.compilation.natures import Nature, Tools
from api.tasks.compilation.said import Said, said_in_arguments, said_in_code, said_in_values
from workflows.definitions.pipeline import Step
from workflows.definitions.pipeline_checking import mentions_input
from workflows.pointers import Problem, escaped

Part = str | Source
"""Of an argument: text, or the path of a file."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A call that may become a step.

    ``valid`` are its arguments as a native tool takes them. ``args`` are those of a command line,
    in parts; ``placed`` are files that lie in the folder of inputs under these names, though no
    argument names them. It needs the files of all ``sources`` and ``made`` others. ``said`` is what
    the model wrote. Of a ``step`` of a pipeline, ``given`` are the inputs by their names there, and
    ``renamed`` are the paths of those that are placed.
    """

    run: RecordedRun
    call: RecordedCall
    nature: Nature
    at: str
    valid: BaseModel | None
    made: tuple[Made, ...]
    said: tuple[Said, ...]
    args: tuple[tuple[Part, ...], ...] = ()
    placed: Mapping[str, Source] = field(default_factory=dict)
    sources: frozenset[Source] = frozenset()
    problems: tuple[Problem, ...] = ()
    step: Step | None = None
    given: Mapping[str, Source] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)


def pointer_of(call: RecordedCall, prefix: str = "") -> str:
    """``/calls/4.1``"""
    return f"{prefix}/calls/{escaped(call.number)}"


class Reader:
    """Reads calls, in their order."""

    def __init__(self, files: Files, tools: Tools) -> None:
        self._files = files
        self._tools = tools
        self._written: dict[UUID, str] = {}

    def read(self, run: RecordedRun, call: RecordedCall, prefix: str = "") -> Reading:
        nature, at = self._tools.nature(call), pointer_of(call, prefix)
        tool = self._tools.native.get(call.definition.tool)
        arguments = call.definition.arguments
        # As the tool took them: numbers on a command line are text, and what was left out is there.
        valid = tool.arguments.model_validate(arguments) if tool else None
        if nature is Nature.TOOL:
            if isinstance(text := arguments.get("text"), str):
                self._written.update((file.id, text) for file in call.files)
            said = said_in_values(arguments, f"{at}/arguments")
            return Reading(run, call, nature, at, valid, self._files.made_by(call), tuple(said))
        return self._read_program(run, call, nature, at, valid)

    def _read_program(
        self,
        run: RecordedRun,
        call: RecordedCall,
        nature: Nature,
        at: str,
        valid: BaseModel | None,
    ) -> Reading:
        """A script or code, which finds files by its arguments, and by itself."""
        shelf = self._files.before(run, call)
        own = [file.name for file in call.files]
        source = str(getattr(valid, "source", ""))
        words = [str(word) for word in getattr(valid, "args", ())]
        read = list(shelf.working.read(words))
        said = [*said_in_arguments(read, f"{at}/arguments/args")]
        said += said_in_code(source, str(getattr(valid, "language", "")), f"{at}/arguments/source")
        texts = {f"{at}/arguments/args/{index}": word for index, word in enumerate(words)}
        texts[f"{at}/arguments/source"] = source
        args = tuple(tuple(_parts(arg, shelf)) for arg in read)
        direct = {part for arg in args for part in arg if not isinstance(part, str)}
        loose = list(self._loose(shelf, read, direct, source, own))
        return Reading(
            run,
            call,
            nature,
            at,
            valid,
            self._files.made_by(call),
            tuple(_without_paths(said, shelf.files)),
            args,
            dict(placed_files(loose, direct, shelf, source)),
            frozenset({*direct, *map(shelf.source, loose)}),
            tuple(_contested(texts, shelf, own)),
        )

    def _loose(
        self,
        shelf: Shelf,
        read: Iterable[ReadArgument],
        direct: Iterable[Source],
        source: str,
        own: Sequence[str],
    ) -> Iterator[WorkingFile]:
        """Files that a program finds in its folder, and those that these name in turn."""
        found = [*read_by(source, shelf.files, own)]
        for arg in read:
            if not arg.names_output:
                found += named_in(arg.before, shelf.files, own)
            found += [file for file in _files_in(arg, shelf) if shelf.is_renamed(file)]
        texts = [*map(self._text, direct)]
        seen: set[str] = set()
        while found or texts:
            for text in texts:
                found += named_in(text, shelf.files, own)
            new = {file.path: file for file in found if file.path not in seen}
            yield from new.values()
            seen |= new.keys()
            texts = [self._text(shelf.source(file)) for file in new.values()]
            found = []

    def _text(self, source: Source) -> str:
        """What a model has written to a file."""
        return self._written.get(source.file.id, "") if isinstance(source, Made) else ""


def _parts(arg: ReadArgument, shelf: Shelf) -> Iterator[Part]:
    """Text and references; the path of a file that is renamed, which has to be placed there."""
    at = 0
    for mention in paths_in(arg.before, shelf.files):
        if mention.start > at:
            yield arg.before[at : mention.start]
        yield _named(mention.file, shelf)
        at = mention.end
    if at < len(arg.before) or arg.file is None:
        yield arg.before[at:]
    if arg.file is not None:
        yield _named(arg.file, shelf)


def _named(file: WorkingFile, shelf: Shelf) -> Part:
    return file.path if shelf.is_renamed(file) else shelf.source(file)


def _files_in(arg: ReadArgument, shelf: Shelf) -> Iterator[WorkingFile]:
    yield from (mention.file for mention in paths_in(arg.before, shelf.files))
    if arg.file is not None:
        yield arg.file


def _without_paths(said: Iterable[Said], files: Sequence[WorkingFile]) -> Iterator[Said]:
    """What the model said beside the paths of files."""
    for item in said:
        text, end = "", 0
        for mention in paths_in(item.text, files):
            text, end = f"{text}{item.text[end : mention.start]} ", mention.end
        text += item.text[end:]
        if text.strip():
            yield replace(item, text=text)


def placed_files(
    loose: Iterable[WorkingFile], direct: Iterable[Source], shelf: Shelf, code: str
) -> Iterator[tuple[str, Source]]:
    """What a step must have placed. An input lies under its name anyway, and so does a file that is
    an argument; but the pipeline has to say somewhere what an input is for."""
    for file in loose:
        source = shelf.source(file)
        match source:
            case Given(name):
                is_there = name == file.inside and (
                    source in direct or mentions_input(code, file.inside)
                )
            case Made():
                is_free = file.inside not in shelf.taken
                made = PurePosixPath(source.file.name).name
                is_there = source in direct and made == file.inside and is_free
            case Lost():
                is_there = False
        if not is_there:
            yield file.inside, source


def _contested(texts: Mapping[str, str], shelf: Shelf, own: Iterable[str]) -> Iterator[Problem]:
    for pointer, text in texts.items():
        for name in sorted(shelf.contested.difference(own)):
            if is_named_in(text, name):
                message = (
                    f"{name!r} was made by a call of the same turn, side by side with this one: "
                    "nobody knows whether this call read it"
                )
                yield Problem(pointer, message)
