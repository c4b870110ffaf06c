"""Files that a text names without being an argument for them: in a path, in JSON, in code."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from activities.sandbox.base import INPUT_FOLDER, OUTPUT_FOLDER
from activities.tools.working_files import WorkingFile
from workflows.definitions.inputs import environment_name

# After a name there may be the end of a sentence, and nothing that makes it a longer name.
_END = r"(?![\w/-]|\.\w)"
_BEGINNING = r"(?<![\w.-])"
_FOLDER = re.compile(rf"AGENTOS_INPUT_DIR|{INPUT_FOLDER}|(?<![\w/])\.\./input\b")
_OWN_FOLDER = re.compile(rf"AGENTOS_OUTPUT_DIR|{OUTPUT_FOLDER}")
# What looks for files of any name, in a folder or in the environment.
_LISTING = re.compile(r"listdir|scandir|iterdir|glob|\bwalk\b|readdir|\b(ls|find|grep)\s")
_ANY_NAME = re.compile(rf"(AGENTOS_INPUT_DIR[}}\"')\]]*|{INPUT_FOLDER}|\.\./input)/[\w.-]*[*?]")
_ANY_VARIABLE = re.compile(r"[\"'^]INPUT_[\"'*]|environ\.(items|keys|values)\(|\benv\b\s*\|")
# `join(folder, "name")`, `folder + "name"`, `folder / "name"`, f"{folder}/name"
_JOINED = re.compile(r"[,+/}]\s*[\"'`]?/?$")
_JOIN_CHARACTERS = 20


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a text names the path of a file."""

    start: int
    end: int
    file: WorkingFile


def paths_in(text: str, files: Iterable[WorkingFile]) -> Iterator[Mention]:
    """Paths in the sandbox, in their order."""
    by_path = {file.path: file for file in files}
    if INPUT_FOLDER not in text or not by_path:
        return
    for found in _any_of(by_path).finditer(text):
        yield Mention(found.start(), found.end(), by_path[found.group()])


def is_named_in(text: str, name: str) -> bool:
    """Whether a text has a name in it, and not only as a part of a longer one."""
    return name in text and re.search(f"{_BEGINNING}{re.escape(name)}{_END}", text) is not None


def named_in(
    text: str, files: Sequence[WorkingFile], own: Iterable[str] = ()
) -> Sequence[WorkingFile]:
    """Files that data or an argument names: a program may look for them in its folder.

    ``own`` are names of files that the call makes itself.
    """
    named = {mention.file.path: mention.file for mention in paths_in(text, files)}
    for name, file in _names(files, exclude=set(own)):
        if is_named_in(text, name):
            named.setdefault(file.path, file)
    return tuple(named.values())


def read_by(
    source: str, files: Sequence[WorkingFile], own: Iterable[str] = ()
) -> Sequence[WorkingFile]:
    """Files that code reads, as far as its text tells. Where it looks through the whole folder,
    these are all.

    Code works in a folder that is empty at first, so it finds nothing by a bare name.
    """
    named = {mention.file.path: mention.file for mention in paths_in(source, files)}
    for file in files:
        variable = environment_name(file.inside)
        if variable in source and re.search(rf"\b{variable}\b", source):
            named.setdefault(file.path, file)
    if _ANY_NAME.search(source) or _ANY_VARIABLE.search(source):
        return tuple(files)
    joins = _joins(source, files)
    if joins and _LISTING.search(source):
        return tuple(files)
    if joins:
        made = set(own)
        for name, file in _names(files):
            if _is_named(source, name, is_own=name in made):
                named.setdefault(file.path, file)
    return tuple(named.values())


def _joins(source: str, files: Iterable[WorkingFile]) -> bool:
    """Whether the folder is named by itself, and not only at the beginning of whole paths."""
    ends = {mention.start for mention in paths_in(source, files)}
    return any(found.start() not in ends for found in _FOLDER.finditer(source))


def _is_named(source: str, name: str, *, is_own: bool) -> bool:
    if name not in source:
        return False
    for found in re.finditer(f"{_BEGINNING}{re.escape(name)}{_END}", source):
        before = source[max(0, found.start() - _JOIN_CHARACTERS) : found.start()]
        if not is_own or (_JOINED.search(before) and not _OWN_FOLDER.search(source)):
            return True
    return False


def _names(
    files: Sequence[WorkingFile], exclude: Iterable[str] = ()
) -> Iterator[tuple[str, WorkingFile]]:
    """As programs and texts call them."""
    # Of several files of one name, which are in the order of age, the last one has it.
    called = {file.name: file for file in files} | {file.inside: file for file in files}
    return ((name, file) for name, file in called.items() if name not in set(exclude))


def _any_of(texts: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(texts, key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(map(re.escape, longest_first))}){_END}")
