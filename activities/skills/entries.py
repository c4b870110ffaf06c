"""Which of a skill's files can be run, and what a step may call them."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from types import MappingProxyType

from activities.skills.files import Listing, SkillFile, open_file

FIRST_LINE_MAX_BYTES = 256

_SCRIPTS = "scripts"


class Language(StrEnum):
    """What runs a script."""

    PYTHON = "python"
    SH = "sh"
    BASH = "bash"
    JAVASCRIPT = "node"


_BY_SUFFIX: Mapping[str, Language] = MappingProxyType(
    {
        ".py": Language.PYTHON,
        ".pyw": Language.PYTHON,
        ".sh": Language.SH,
        ".bash": Language.BASH,
        ".js": Language.JAVASCRIPT,
        ".mjs": Language.JAVASCRIPT,
        ".cjs": Language.JAVASCRIPT,
    }
)

# What else skills bring along, by suffix: named in the refusal.
_OTHER_LANGUAGES: Mapping[str, str] = MappingProxyType(
    {
        ".bat": "a batch file of Windows",
        ".exe": "a program of Windows",
        ".ipynb": "a notebook",
        ".go": "written in Go",
        ".php": "written in PHP",
        ".pl": "written in Perl",
        ".ps1": "written in PowerShell",
        ".r": "written in R",
        ".rb": "written in Ruby",
        ".ts": "written in TypeScript",
        ".tsx": "written in TypeScript",
        ".zsh": "written for zsh",
    }
)

_INTERPRETER = re.compile(r"(python|pypy)[0-9.]*|bash|sh|dash|node|nodejs")
_FIRST_LINE = re.compile(r"#!\s*(\S+)[ \t]*([^\r\n]*)")

# Options of `env` that are followed by a word which is not the interpreter.
_ENV_OPTIONS_WITH_VALUE = frozenset({"-u", "--unset", "-C", "--chdir"})
# Programs that run what follows `run` in a project's environment.
_RUNNERS = frozenset({"hatch", "pdm", "pipenv", "poetry", "rye", "uv"})

_BOM = b"\xef\xbb\xbf"

# `python -m package.module`, as SKILL.md writes it; `python scripts/x.py` is met as well, and with
# options of the interpreter, or behind `uv run`.
_COMMAND = re.compile(
    r"(?:uv[ \t]+run[ \t]+(?:--script[ \t]+)?)?"
    r"(?:(?:python|bash|sh|node)[0-9.]*[ \t]+(?:-(?:X[ \t]*\S+|[bBEIOsSu]+)[ \t]+)*)?"
    r"(-m[ \t]+)?(\S.*)"
)
# How instructions name the folder of the skill, for whoever runs it to fill in.
_SKILL_FOLDER = re.compile(r"(?:\$\{?\w+\}?|\{\w+\}|<[\w-]+>)/")
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file to run, by its path in the skill; with a ``module``, as ``python -m`` would."""

    path: str
    module: str | None = None


def language_of(path: str, first_line: bytes) -> Language | None:
    """What runs a file, by its suffix or, where that says nothing, by its first line."""
    language = _BY_SUFFIX.get(PurePosixPath(path).suffix.lower())
    named = _named_language(first_line.removeprefix(_BOM))
    if language is Language.SH and named is not None:
        return named  # Scripts in bash are often called `.sh`, and some in Python.
    return language or named


def why_not(path: str, first_line: bytes) -> str:
    """Why a file is no script that can be run, as the end of "it is ..."."""
    other = _OTHER_LANGUAGES.get(PurePosixPath(path).suffix.lower())
    if other is not None:
        return other
    if first_line.startswith(b"#!"):
        line = first_line.decode("utf-8", "replace").splitlines()[0]
        shown = "".join(c for c in line if c.isprintable())[:100]
        return f"a script for another interpreter ({shown})"
    return "a compiled program" if first_line.startswith(b"\x7fELF") else "no script"


def runnable_files(listing: Listing) -> tuple[str, ...]:
    """The paths of the files that can be run, wherever in the skill they are."""
    return tuple(
        file.path
        for file in listing.files
        if language_of(file.path, read_first_line(file) if _must_be_opened(file) else b"")
    )


def listed_scripts(runnable: Sequence[str], text: str) -> tuple[str, ...]:
    """Those of them to show: all in ``scripts/``, and what the text of SKILL.md names."""
    return tuple(path for path in runnable if _is_listed(path, text))


def find_entry(script: str, runnable: Sequence[str], files: Sequence[str]) -> Entry | None:
    """The file that a step means by a path, which may lack ``scripts/``, or by ``-m module``."""
    if found := _by_path(script, runnable):
        return Entry(found)
    command = _COMMAND.fullmatch(script)
    if command is None:
        return None
    path = _without_folder(command[2])
    if command[1] is None and (found := _by_path(path, runnable)):
        return Entry(found)
    if _MODULE.fullmatch(path) is not None and path not in files:
        return _by_module(path, runnable)
    found = _by_path(f"{path}/__main__.py", runnable)  # As `python folder` runs it.
    return Entry(found) if found and command[1] is None else None


def read_first_line(file: SkillFile) -> bytes:
    """Its first bytes; none when it cannot be read."""
    try:
        with os.fdopen(open_file(file), "rb") as stream:
            return stream.readline(FIRST_LINE_MAX_BYTES)
    except OSError:
        return b""


def _must_be_opened(file: SkillFile) -> bool:
    """Whether only the first line can tell; a hundred images need not be opened."""
    suffix = PurePosixPath(file.path).suffix.lower()
    return suffix not in _BY_SUFFIX and (not suffix or file.executable)


def _named_language(first_line: bytes) -> Language | None:
    match = _FIRST_LINE.match(first_line.decode("utf-8", "replace"))
    if match is None:
        return None
    words = [match[1], *match[2].split()]
    if PurePosixPath(words[0]).name == "env":
        words = _without_options(words[1:])
    name = PurePosixPath(words[0]).name if words else ""
    if name in _RUNNERS and "run" in words:  # `#!/usr/bin/env -S uv run --script`
        is_python = name == "uv" or any(word.startswith("python") for word in words)
        return Language.PYTHON if is_python else None
    if not _INTERPRETER.fullmatch(name):
        return None
    if name.startswith(("python", "pypy")):
        return Language.PYTHON
    if name == "bash":
        return Language.BASH
    return Language.SH if name in ("sh", "dash") else Language.JAVASCRIPT


def _without_options(words: Sequence[str]) -> list[str]:
    """What ``env`` runs: without its options, and the variables that it sets."""
    left = list(words)
    while left and (left[0].startswith("-") or "=" in left[0]):
        left = left[2 if left[0] in _ENV_OPTIONS_WITH_VALUE else 1 :]
    return left


def _without_folder(path: str) -> str:
    """A path as from the skill's folder, with the slashes of this system."""
    plain = path.replace("\\", "/")
    start = _SKILL_FOLDER.match(plain)
    return plain[start.end() :] if start else plain


def _is_listed(path: str, text: str) -> bool:
    place = PurePosixPath(path)
    if place.stem == "__init__":
        return False  # It makes a package of the scripts beside it: nothing to run.
    if place.parts[0] == _SCRIPTS:
        return True
    if place.suffix == ".py" and f"-m {path.removesuffix('.py').replace('/', '.')}" in text:
        return True
    return path in text and re.search(rf"(?<![\w-]){re.escape(path)}(?![\w-])", text) is not None


def _by_path(script: str, runnable: Sequence[str]) -> str | None:
    path = str(PurePosixPath(script))
    return next((item for item in (path, f"{_SCRIPTS}/{path}") if item in runnable), None)


def _by_module(module: str, runnable: Sequence[str]) -> Entry | None:
    place = module.replace(".", "/")
    for prefix in ("", f"{_SCRIPTS}/"):
        for path in (f"{prefix}{place}.py", f"{prefix}{place}/__main__.py"):
            if path in runnable:
                return Entry(path, f"{prefix}{place}".replace("/", "."))
    return None
