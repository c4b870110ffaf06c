"""What a Python script imports, read from its source and from that of the skill's own modules.

Nothing runs. An import counts as *foreign* when neither Python nor the skill has the module. Those
that a script is ready to do without are left aside: in ``try`` with ``except ImportError``, under
``TYPE_CHECKING``, and where the version or the system is asked first.
"""

import ast
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

SOURCE_MAX_BYTES = 256 * 1024
MODULES_MAX = 100

# Some left the standard library after the oldest Python that may run scripts: no package has them.
_LEFT_PYTHON = frozenset(
    {
        *("aifc", "asynchat", "asyncore", "audioop", "cgi", "cgitb", "chunk", "crypt", "distutils"),
        *(
            "imghdr",
            "imp",
            "lib2to3",
            "mailcap",
            "msilib",
            "nis",
            "nntplib",
            "ossaudiodev",
            "pipes",
        ),
        *("smtpd", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib"),
    }
)
STANDARD_MODULES = sys.stdlib_module_names | _LEFT_PYTHON | {"__main__"}

# The versions from which on Python does without a module.
LEFT_IN = dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), "3.12") | (
    dict.fromkeys(_LEFT_PYTHON - {"asynchat", "asyncore", "distutils", "imp", "smtpd"}, "3.13")
)

# Folders that skills keep modules in which are installed, or put on the path, elsewhere.
_SOURCES = ("src", "lib")

_CATCHING = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_ASKING = frozenset(
    {"version_info", "hexversion", "platform", "system", "name", "TYPE_CHECKING", "find_spec"}
)
_ASKED_OF = frozenset({"sys", "os", "platform", "typing", "t", "importlib", "util"})


@dataclass(frozen=True, slots=True)
class Import:
    """``module`` is its first name. ``certain``: the script fails as soon as it starts without it;
    else it is imported only once some function needs it."""

    module: str
    path: str
    line: int
    certain: bool


@dataclass(frozen=True, slots=True)
class Imports:
    """``foreign`` holds each module once. ``folders`` are those of the skill, by their paths in it,
    that must be on Python's path beside the script's own. ``relative``: the script runs as a part
    of a package only."""

    foreign: tuple[Import, ...] = ()
    folders: tuple[str, ...] = ()
    relative: bool = False


def find_imports(folder: Path, script: str, files: Sequence[str]) -> Imports:
    """Look through a script of the skill in ``folder``, whose ``files`` are listed already."""
    search = _Search(folder, PurePosixPath(script), frozenset(files))
    search.look(script, certain=True)
    foreign: dict[str, Import] = {}
    for item in sorted(search.foreign, key=lambda item: not item.certain):
        foreign.setdefault(item.module, item)
    return Imports(tuple(foreign.values()), tuple(sorted(search.folders)), search.relative)


def imports_of_code(tree: ast.Module, files: Sequence[str]) -> Sequence[Import]:
    """The foreign imports that code of somebody's own, which has the ``files`` of a skill at hand,
    makes for certain."""
    search = _Search(Path(), PurePosixPath("main.py"), frozenset({"main.py", *files}))
    return [
        Import(statement.module.partition(".")[0], "", statement.line, certain=True)
        for statement in _in_tree(tree, is_main=True)
        if statement.certain and search.is_foreign(statement)
    ]


@dataclass(frozen=True, slots=True)
class _Statement:
    """An import as it is written: ``module`` and, after ``from``, the ``names``."""

    module: str
    names: tuple[str, ...]
    level: int
    line: int
    certain: bool


@dataclass(slots=True)
class _Search:
    """The search of one script. Modules that it imports are looked through, too."""

    folder: Path
    script: PurePosixPath
    files: frozenset[str]
    foreign: list[Import] = field(default_factory=list)
    folders: set[str] = field(default_factory=set)
    relative: bool = False
    seen: set[str] = field(default_factory=set)

    def look(self, path: str, *, certain: bool) -> None:
        pending = [(path, certain)]
        while pending:
            path, certain = pending.pop()
            if path in self.seen or len(self.seen) >= MODULES_MAX:
                continue
            self.seen.add(path)
            for statement in _statements(self.folder / path, is_main=path == str(self.script)):
                is_certain = certain and statement.certain
                pending += [(found, is_certain) for found in self._own(path, statement)]
                if self.is_foreign(statement):
                    name = statement.module.partition(".")[0]
                    self.foreign.append(Import(name, path, statement.line, is_certain))

    def _own(self, path: str, statement: _Statement) -> Iterator[str]:
        """The skill's own files that an import loads."""
        if statement.level:
            self.relative |= path == str(self.script)
            above = PurePosixPath(path).parents
            if statement.level <= len(above):
                yield from self._files(above[statement.level - 1], statement)
            return
        first = statement.module.partition(".")[0]
        if first in STANDARD_MODULES:
            return
        above = self.script.parents
        for place in (*above, *(place / name for place in above for name in _SOURCES)):
            if self._has(place, first):
                if place != self.script.parent:
                    self.folders.add(str(place))
                yield from self._files(place, statement)
                return

    def _files(self, place: PurePosixPath, statement: _Statement) -> Iterator[str]:
        parts = [part for part in statement.module.split(".") if part]
        chains = [parts, *([*parts, name] for name in statement.names)]
        for chain in chains:
            for length in range(1, len(chain) + 1):
                stem = place.joinpath(*chain[:length])
                yield from (p for p in (f"{stem}.py", f"{stem}/__init__.py") if p in self.files)

    def _has(self, place: PurePosixPath, name: str) -> bool:
        stem = str(place / name)
        return f"{stem}.py" in self.files or any(
            path.startswith(f"{stem}/") and path.endswith(".py") for path in self.files
        )

    def is_foreign(self, statement: _Statement) -> bool:
        name = statement.module.partition(".")[0]
        if statement.level or name in STANDARD_MODULES:
            return False
        # Anywhere in the skill: scripts change `sys.path` in ways that only running them tells.
        return not any(_is_module(path, name) for path in self.files)


def _is_module(path: str, name: str) -> bool:
    parts = path.split("/")
    if path.endswith((".py", ".so")) and parts[-1].partition(".")[0] == name:
        return True
    return path.endswith(".py") and name in parts[:-1]


def _statements(path: Path, *, is_main: bool) -> Iterator[_Statement]:
    """The imports of a source; none when it cannot be read or is no Python.

    What stands under ``if __name__ == "__main__"`` runs when it ``is_main``.
    """
    try:
        with path.open("rb") as stream:
            source = stream.read(SOURCE_MAX_BYTES + 1)
        if len(source) > SOURCE_MAX_BYTES:
            return
        tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return  # Python itself says what is wrong when it runs the file.
    yield from _in_tree(tree, is_main=is_main)


def _in_tree(tree: ast.Module, *, is_main: bool) -> Iterator[_Statement]:
    moved = _path_changes_at(tree)
    for statement in _within(tree.body, is_main=is_main):
        yield replace(statement, certain=statement.certain and statement.line < moved)


def _path_changes_at(tree: ast.Module) -> float:
    """The first line that touches ``sys.path``: what is imported below may come from anywhere."""
    lines = (
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "path"
        and _last_name(node.value) == "sys"
    )
    return min(lines, default=math.inf)


def _within(body: Sequence[ast.AST], *, is_main: bool) -> Iterator[_Statement]:
    # By hand: a long chain of `elif` is nested deeply, and the source is not to be trusted.
    pending: list[tuple[ast.AST, bool]] = [(node, True) for node in reversed(body)]
    while pending:
        node, certain = pending.pop()
        match node:
            case ast.Import():
                for name in node.names:
                    yield _Statement(name.name, (), 0, node.lineno, certain)
            case ast.ImportFrom():
                names = tuple(name.name for name in node.names)
                yield _Statement(node.module or "", names, node.level, node.lineno, certain)
            case ast.If() if is_main and _names_main(node.test):
                pending += [(child, certain) for child in reversed(node.body)]
            case _:
                pending += reversed([*_children(node, certain=certain)])


def _children(node: ast.AST, *, certain: bool) -> Iterator[tuple[ast.AST, bool]]:
    """The statements within one, and whether they run for certain; those excused are left out."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from ((child, False) for child in node.body)
        case ast.ClassDef():
            yield from ((child, certain) for child in node.body)
        case ast.If():
            if not _asks_first(node.test):
                yield from ((child, False) for child in [*node.body, *node.orelse])
        case ast.Try() | ast.TryStar():
            excused = any(_catches(handler) for handler in node.handlers)
            guarded = [] if excused else [*node.body, *node.orelse]
            yield from ((child, certain) for child in [*guarded, *node.finalbody])
            if not excused:
                for handler in node.handlers:
                    yield from ((child, False) for child in handler.body)
        case ast.With() | ast.AsyncWith():
            if not any(_suppresses(item.context_expr) for item in node.items):
                yield from ((child, certain) for child in node.body)
        case ast.For() | ast.AsyncFor() | ast.While():
            yield from ((child, False) for child in [*node.body, *node.orelse])
        case ast.Match():
            yield from ((child, False) for case in node.cases for child in case.body)


def _catches(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or _last_name(kind) in _CATCHING for kind in kinds)


def _suppresses(context: ast.expr) -> bool:
    return isinstance(context, ast.Call) and (
        _last_name(context.func) == "suppress"
        and any(_last_name(argument) in _CATCHING for argument in context.args)
    )


def _asks_first(test: ast.expr) -> bool:
    """Whether a condition asks for the version, the system, or the module itself."""
    for node in ast.walk(test):
        if isinstance(node, ast.Name) and node.id in ("TYPE_CHECKING", "find_spec"):
            return True
        if (
            isinstance(node, ast.Attribute)
            and node.attr in _ASKING
            and _last_name(node.value) in _ASKED_OF
        ):
            return True
    return False


def _names_main(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test))


def _last_name(node: ast.expr | None) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
