"""Packages that code of somebody's own declares (PEP 723), and which of them a model may declare.

To install a package asks the index for it by its name, and a name can carry what a model has read.
So a model may declare what a skill declares, whose names are no news to the index; people may
declare anything.
"""

import asyncio
import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from activities.skills.catalogue import Catalogue
from activities.skills.dependencies import Dependencies, declared_in_code, find_shared_dependencies
from activities.skills.metadata import Skill
from workflows.definitions.pipeline import Step
from workflows.errors import AgentOSError
from workflows.errors.skills import DependencyRefused

_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", re.MULTILINE)
_NAMES_SHOWN = 20
_CACHED_SKILLS = 1_024


async def declared_packages(step: Step) -> Dependencies | None:
    """What the code of a step declares; None when it declares nothing, or is not Python.

    Raises:
        DependencyRefused: its block is broken, or asks for what nobody must.
    """
    code = step.code
    if code is None or code.language != "python" or "# ///" not in code.source:
        return None
    return await asyncio.to_thread(declared_in_code, code.source, f"The code of step {step.id}")


async def check_packages(catalogue: Catalogue, step: Step) -> Dependencies | None:
    """The same; raises ``DependencyRefused`` for a package that no skill declares as well."""
    declared = await declared_packages(step)
    if declared is None or not declared.requirements:
        return declared
    known: set[str] = set()
    for skill in (await catalogue.skills()).values():
        known |= await _packages_of(skill)
    for text in declared.requirements:
        if canonicalize_name(Requirement(text).name) not in known:
            listed = ", ".join(sorted(known)[:_NAMES_SHOWN]) or "none"
            reason = (
                f"{text!r} is declared by no skill here, and code that a model writes can have "
                f"only such packages ({listed})"
            )
            raise DependencyRefused(where=declared.where, reason=reason)
    return declared


async def _packages_of(skill: Skill) -> frozenset[str]:
    key = (skill.folder, skill.digest)
    if key not in _known:
        if len(_known) >= _CACHED_SKILLS:
            _known.clear()
        _known[key] = await asyncio.to_thread(_read, skill)
    return _known[key]


_known: dict[tuple[Path, str], frozenset[str]] = {}


def _read(skill: Skill) -> frozenset[str]:
    try:
        found = find_shared_dependencies(skill.name, skill.folder, skill.scripts)
    except AgentOSError:
        return frozenset()
    names = [Requirement(text).name for text in found.requirements]
    return frozenset(map(canonicalize_name, [*names, *_PINNED.findall(found.lock or "")]))
