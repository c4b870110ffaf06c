"""Which file a name meant at the time of a call, and where that file comes from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from uuid import UUID

from activities.agents.observations import is_kept_output
from activities.inputs.fetching import kept_as
from activities.mime_types import UNKNOWN_TYPE
from activities.store.reading.runs import RecordedCall, RecordedFile, RecordedRun
from activities.tools.working_files import WorkingFile, WorkingFiles, placed
from workflows.definitions import inputs
from workflows.definitions.inputs import ArtifactRef
from workflows.states import TaskType


@dataclass(frozen=True, slots=True)
class Given:
    """A file that is given to the pipeline, as its input ``name``."""

    name: str


@dataclass(frozen=True, slots=True)
class Made:
    """A file that a call made. ``is_printed``: it is what the call said, kept for the model."""

    call: RecordedCall = field(compare=False)
    file: RecordedFile
    is_printed: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """A file that a run was given, and that no pipeline has: ``reason`` says why."""

    reason: str


Source = Given | Made | Lost
Link = Given | Lost | UUID
"""Where an input of a node comes from; a UUID is that of the file of another run."""


@dataclass(frozen=True)
class Shelf:
    """The files at hand at the time of a call. ``contested`` are names of files that calls made
    beside it: nobody knows whether it found them. Under the names in ``taken`` the inputs of the
    pipeline lie in all steps."""

    files: tuple[WorkingFile, ...]
    given: Mapping[str, Source]
    made: Mapping[UUID, Made]
    contested: frozenset[str]
    taken: frozenset[str]

    @cached_property
    def working(self) -> WorkingFiles:
        return WorkingFiles(self.files)

    def source(self, file: WorkingFile) -> Source:
        return self.given[file.name] if file.is_input else self.made[file.id]

    def is_renamed(self, file: WorkingFile) -> bool:
        """Whether a reference to the file would have it lie under another name than the run knew it
        by: programs may write that down."""
        if not file.is_input:
            return False
        match self.given[file.name]:
            case Given(name):
                return name != file.name
            case Made(file=made):
                return PurePosixPath(made.name).name != file.name
            case Lost():
                return False


class Files:
    """The files of runs, of which later ones may be given what earlier ones made.

    ``inputs`` are those of the pipeline: names and references. ``links`` says of nodes, by their
    tasks, where their inputs come from; of other runs their references tell. ``renamed`` are other
    names for inputs of the pipeline.
    """

    def __init__(
        self,
        runs: Sequence[RecordedRun],
        inputs: Mapping[str, str] | None = None,
        links: Mapping[UUID, Mapping[str, Link]] | None = None,
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        self._renamed = renamed or {}
        self.inputs = {self._name(name): text for name, text in (inputs or {}).items()}
        self._links = links or {}
        self._made: dict[UUID, Made] = {
            file.id: Made(call, file, _is_printed(run, call, file))
            for run in runs
            for call in run.calls
            for file in call.files
        }
        self._given = {run.task_id: dict(self._sources(run)) for run in runs}

    def before(self, run: RecordedRun, call: RecordedCall) -> Shelf:
        """What a call found: what was given, and what calls had made that ended before it began."""
        found: list[Made] = []
        contested: set[str] = set()
        for other in run.calls:
            if other.turn > call.turn or other is call:
                continue
            made = [self._made[file.id] for file in other.files]
            if other.turn < call.turn or ended_before(other, call):
                found += made
            else:
                contested.update(item.file.name for item in made)
        found.sort(key=lambda item: (item.file.created_at, item.file.name))
        files = [*_inputs(run), *map(_working_file, found)]
        return self._shelf(run, files, frozenset(contested))

    def given_to(self, run: RecordedRun) -> Shelf:
        """What a step of a pipeline finds in its folder without asking for it."""
        return self._shelf(run, [*_inputs(run)])

    def _shelf(
        self,
        run: RecordedRun,
        files: Sequence[WorkingFile],
        contested: frozenset[str] = frozenset(),
    ) -> Shelf:
        given, taken = self._given[run.task_id], frozenset(self.inputs)
        return Shelf(tuple(placed(files)), given, self._made, contested, taken)

    def made_by(self, call: RecordedCall) -> tuple[Made, ...]:
        return tuple(self._made[file.id] for file in call.files)

    def _sources(self, run: RecordedRun) -> Iterator[tuple[str, Source]]:
        links = self._links.get(run.task_id, {})
        for name, text in run.inputs.items():
            match links.get(name):
                case Given(declared):
                    yield name, Given(self._name(declared))
                case Lost() as lost:
                    yield name, lost
                case UUID() as key:
                    yield name, self._made[key]
                case None:
                    yield name, self._source(name, text)

    def _source(self, name: str, text: str) -> Source:
        ref = inputs.parse(text)
        if isinstance(ref, ArtifactRef) and ref.id in self._made:
            return self._made[ref.id]
        return Given(self._declared(name, text))

    def _declared(self, name: str, text: str) -> str:
        """The pipeline's name for an input; two runs may each have another one of that name."""
        chosen, number = self._name(name), 1
        while self.inputs.setdefault(chosen, text) != text:
            number += 1
            chosen = self._name(f"{name}-{number}")
        return chosen

    def _name(self, name: str) -> str:
        return self._renamed.get(name, name)


def ended_before(other: RecordedCall, call: RecordedCall) -> bool:
    """Of calls of one turn, which are made side by side; steps follow in their order."""
    if other.seq > call.seq or other.finished_at is None or call.started_at is None:
        return False
    return other.finished_at < call.started_at


def _is_printed(run: RecordedRun, call: RecordedCall, file: RecordedFile) -> bool:
    return run.type is not TaskType.PIPELINE and is_kept_output(file.name, call.name)


def _inputs(run: RecordedRun) -> Iterator[WorkingFile]:
    for name, text in run.inputs.items():
        key = kept_as(run.task_id, inputs.parse(text)).id
        yield WorkingFile(key, name, text, None, UNKNOWN_TYPE, is_input=True)


def _working_file(made: Made) -> WorkingFile:
    file = made.file
    return WorkingFile(file.id, file.name, f"artifact:{file.id}", None, file.mime_type)
