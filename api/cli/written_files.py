"""Files that a command has read: what is wrong with them is shown where it is written.

One command reads few files, once each; standard input cannot even be read again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from api.wire.located import Located, Source, located
from workflows.pointers import Problem


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """``part`` is the name of the field of a request that the document becomes, if it does."""

    path: Path
    text: str
    document: JsonValue = None
    part: str = ""

    @property
    def name(self) -> str:
        return "<stdin>" if str(self.path) == "-" else str(self.path)

    def located(self, problems: Sequence[Problem]) -> list[Located]:
        """Problems whose pointers are into the document."""
        return located(problems, self.document, [Source("", self.text)])


_read: dict[Path, WrittenFile] = {}


def remember(file: WrittenFile) -> None:
    _read.pop(file.path, None)  # The last one that was read is the one that was sent.
    _read[file.path] = file


def recall(path: object) -> WrittenFile | None:
    """The file that was read from there."""
    return _read.get(path) if isinstance(path, Path) else None


def in_files(problems: Sequence[Problem]) -> list[tuple[WrittenFile | None, Located]]:
    """Problems of a request, each with its place in the file that became that part of it."""
    return [_in_file(problem) for problem in problems]


def _in_file(problem: Problem) -> tuple[WrittenFile | None, Located]:
    parts = problem.pointer.split("/")
    for file in reversed(_read.values()):
        if file.part and file.part in parts:
            within = parts[parts.index(file.part) + 1 :]
            inner = "".join(f"/{part}" for part in within)
            [place] = file.located([Problem(inner, problem.message)])
            return file, place
    return None, Located(problem.pointer, problem.message, parameter=problem.parameter)
