"""The author's check of a skill: the format, our limits, and what its scripts need."""

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from activities.skills.files import leads_out, list_files, open_file
from activities.skills.frontmatter import FRONTMATTER_MAX_BYTES, parse_frontmatter
from activities.skills.metadata import Skill, find_skill_file, load_skill
from activities.skills.needs import find_needs, undeclared
from workflows.errors import AgentOSError

_TEST = re.compile(r"(^|/)(tests?/|test_[^/]*$|conftest\.py$|[^/]*_test\.py$)")


async def validate(folder: Path) -> list[str]:
    """Every problem with the skill in ``folder``; none when it is valid."""
    return await asyncio.to_thread(lambda: list(_problems(folder)))


def _problems(folder: Path) -> Iterator[str]:
    # As a worker would find it in the folder that it lies in, whatever links lead here.
    folder = folder.absolute()
    if folder.is_symlink() and leads_out(folder, folder.parent):
        yield f"{folder.name} is a link that leads out of {folder.parent}"
        return
    try:
        skill = load_skill(folder, root=folder.parent)
    except AgentOSError as error:
        yield str(error)
        yield from _oddities(folder)
        return
    except OSError as error:
        yield f"{folder} cannot be read: {error.strerror or error}"
        return
    # What the reader corrects for those who run the skill, its author is told.
    yield from skill.warnings
    yield from _problems_with_scripts(skill)


def _oddities(folder: Path) -> Iterator[str]:
    """What the reader met in a SKILL.md that was of no use in the end: it may well be why."""
    with suppress(AgentOSError, OSError):
        file = find_skill_file(list_files(folder, folder.parent))
        if file is not None:
            with os.fdopen(open_file(file), "rb") as stream:
                yield from parse_frontmatter(stream.read(FRONTMATTER_MAX_BYTES + 1)).warnings


def _problems_with_scripts(skill: Skill) -> Iterator[str]:
    told: set[str] = set()
    for script in skill.scripts:
        if _TEST.search(script):
            continue  # Its author runs it, where pytest is.
        try:
            found = [str(error) for error in undeclared(find_needs(skill, script))]
        except AgentOSError as error:
            found = [str(error)]
        # A module that several scripts share is looked through for each of them.
        yield from (problem for problem in found if problem not in told)
        told.update(found)
