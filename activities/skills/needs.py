"""What a script needs as it declares it and as its imports show, and where the two differ."""

import asyncio
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from activities.skills.dependencies import Dependencies, find_dependencies
from activities.skills.distributions import may_provide, package_of
from activities.skills.entries import Entry
from activities.skills.imports import Import, Imports, find_imports
from activities.skills.metadata import Skill
from workflows.errors.skills import ImportUndeclared

CACHED_SCRIPTS = 1024

_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Needs:
    """``imports`` are empty for what is not Python."""

    dependencies: Dependencies
    imports: Imports


async def read_needs(skill: Skill, entry: Entry) -> Needs:
    """What a script of the skill needs; kept, for a skill of that digest in that folder.

    Raises:
        DependencyRefused: the declaration is broken, or asks for what an untrusted skill must not.
    """
    key = (skill.name, skill.folder, skill.digest, entry.path)
    found = _known.get(key)
    if found is None:
        found = await asyncio.to_thread(find_needs, skill, entry.path)
        if len(_known) >= CACHED_SCRIPTS:
            _known.clear()
        _known[key] = found
    return found


# A cache of functools would have to be asked in a thread, which takes longer than it saves.
_known: dict[tuple[str, Path, str, str], Needs] = {}


def find_needs(skill: Skill, script: str) -> Needs:
    """``read_needs`` of a folder that may change."""
    dependencies = find_dependencies(skill.name, skill.folder, script)
    if not dependencies.is_python:
        return Needs(dependencies, Imports())
    return Needs(dependencies, find_imports(skill.folder, script, skill.files))


def undeclared(needs: Needs) -> Iterator[ImportUndeclared]:
    """Imports of which nothing that is declared has the name, whether they are certain or not."""
    dependencies, foreign = needs.dependencies, needs.imports.foreign
    declared = [*dependencies.requirements, *_PINNED.findall(dependencies.lock or "")]
    modules = [item.module for item in foreign]
    for item in foreign:
        if not may_provide(declared, modules, item.module):
            yield _refusal(dependencies, item)


def check_imports(needs: Needs, installed: Collection[str]) -> None:
    """Refuse a script that would fail as soon as it starts. ``installed`` are modules by name.

    Raises:
        ImportUndeclared: for the first import that neither Python nor the skill nor a package has.
    """
    for item in needs.imports.foreign:
        if item.certain and item.module not in installed:
            raise _refusal(needs.dependencies, item)


def modules_in(venv: Path | None) -> frozenset[str]:
    """The names of the modules and packages that an environment has."""
    if venv is None:
        return frozenset()
    entries = (
        entry for folder in venv.glob("lib/python*/site-packages") for entry in folder.iterdir()
    )
    return frozenset(entry.name.partition(".")[0] for entry in entries)


def declaration(dependencies: Dependencies, module: str) -> str:
    """What to write, and where, so that ``module`` is there."""
    package = package_of(module)
    if dependencies.unclosed_line is not None:
        return (
            f"The `# /// script` block in line {dependencies.unclosed_line} of "
            f"{dependencies.script} has no end, so it declares nothing: close it with a line "
            "`# ///`."
        )
    if dependencies.declared_in is None:
        return (
            f"Declare it in lines at the top of {dependencies.script}: `# /// script`, "
            f'`# dependencies = ["{package}"]`, `# ///`; or by a line `{package}` in the skill\'s '
            "requirements.txt."
        )
    if dependencies.declared_in == dependencies.script:
        return f'Add "{package}" to the dependencies in its `# /// script` block.'
    if dependencies.declared_in.endswith(".toml"):
        return f'Add "{package}" to the dependencies in {dependencies.declared_in}.'
    return f"Add a line `{package}` to {dependencies.declared_in}."


def _refusal(dependencies: Dependencies, item: Import) -> ImportUndeclared:
    return ImportUndeclared(
        path=item.path,
        line=item.line,
        skill=dependencies.skill,
        module=item.module,
        remedy=declaration(dependencies, item.module),
    )
