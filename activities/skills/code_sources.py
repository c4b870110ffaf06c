"""What can be seen to be wrong with Python code of a step before it runs: that it is no Python, or
that it imports what nothing declares."""

import ast
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet

from activities.off_loop import off_loop
from activities.skills.catalogue import Catalogue
from activities.skills.dependencies import (
    Dependencies,
    find_shared_dependencies,
    unclosed_line,
)
from activities.skills.distributions import package_of
from activities.skills.imports import imports_of_code
from workflows.definitions.pipeline import Pipeline, Step

# To parse keeps the interpreter to itself, some 8 ms a KiB at worst, and longer where it is busy.
MOST_BYTES = 16 * 1024
MOST_BYTES_OF_ALL = 64 * 1024
# So little is read sooner than another thread has its turn.
_SMALL_CHARACTERS = 256

_VERSION = ".".join(map(str, sys.version_info[:3]))
_PYTHON = _VERSION.rpartition(".")[0]


def steps_to_look_at(pipeline: Pipeline) -> frozenset[int]:
    """Which steps have code that is looked at, by their place, as ids may be double here: what is
    long is left to the Python that runs it."""
    left, found = MOST_BYTES_OF_ALL, set()
    for index, step in enumerate(pipeline.steps):
        if step.code is not None and step.code.language == "python":
            size = len(step.code.source.encode("utf-8", "surrogatepass"))
            if size <= min(left, MOST_BYTES):
                left -= size
                found.add(index)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with code, and in which line of it, where it is in one."""

    message: str
    line: int | None


async def problem_with_source(
    catalogue: Catalogue, step: Step, declared: Dependencies | None
) -> Fault | None:
    """Why the Python code of a step would fail as soon as it starts; ``declared`` is what it says
    that it needs.

    Raises:
        DependencyRefused, SkillNotFound, SkillRefused: the skill that it uses is not sound.
    """
    assert step.code is not None
    packages = [declared] if declared else []
    files: Sequence[str] = ()
    if step.code.skill is not None:
        skill = await catalogue.find(step.code.skill)
        packages.append(
            await asyncio.to_thread(
                find_shared_dependencies, skill.name, skill.folder, skill.scripts
            )
        )
        files = skill.files
    source = step.code.source
    if len(source) <= _SMALL_CHARACTERS:
        return _problem(source, files, packages)
    return await off_loop(_problem, source, files, packages)


def _problem(source: str, files: Sequence[str], packages: Sequence[Dependencies]) -> Fault | None:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        if not all(_is_for_ours(each) for each in packages):
            return None  # Another Python may have another grammar.
        place = f"line {error.lineno} of it" if error.lineno else "it"
        return Fault(f"{place} is not valid Python {_PYTHON}: {error.msg}", error.lineno)
    except (ValueError, RecursionError, MemoryError):
        return None  # Python itself says what is wrong, where it runs.
    if any(each.installs for each in packages):
        return None  # What was installed will say which modules there are.
    found = next(iter(imports_of_code(tree, files)), None)
    if found is None:
        return None
    return Fault(_undeclared(found.module, found.line, unclosed_line(source)), found.line)


def _is_for_ours(packages: Dependencies) -> bool:
    wanted = packages.requires_python
    return wanted is None or SpecifierSet(wanted).contains(_VERSION)


def _undeclared(module: str, line: int, unclosed: int | None) -> str:
    if unclosed is not None:
        return (
            f"line {line} of it imports {module!r}, and the `# /// script` block in line {unclosed}"
            " has no end, so it declares nothing; close it with a line `# ///`"
        )
    return (
        f"line {line} of it imports {module!r}, which is not part of Python; declare the package "
        f'at the top of the code: `# /// script`, `# dependencies = ["{package_of(module)}"]`, '
        "`# ///`"
    )
