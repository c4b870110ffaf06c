"""How the scripts of skills are called, as the instructions of these say it."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from itertools import islice

from activities.skills.catalogue import Catalogue
from activities.skills.metadata import SKILL_FILES, Skill
from workflows.errors import AgentOSError

# Of more skills than these, the usage is not read from their instructions.
MAX_USAGES = 50
_USAGE_CHARACTERS = 200
_FENCE = re.compile(r"^\s*(?:```|~~~)")


async def usages(catalogue: Catalogue, skills: Mapping[str, Skill]) -> Sequence[str]:
    """A line for each script: its skill, and how the instructions of that run it."""
    listed = islice(skills.values(), MAX_USAGES)
    found = await asyncio.gather(*(_usages_of(catalogue, skill) for skill in listed))
    return [line for lines in found for line in lines]


async def _usages_of(catalogue: Catalogue, skill: Skill) -> Sequence[str]:
    try:
        instructions = await catalogue.read(skill.name, _instructions_of(skill))
    except AgentOSError:
        instructions = ""  # It was changed meanwhile. Its scripts can be named all the same.
    return [f"{skill.name}: {_usage(instructions, script)}" for script in skill.scripts]


def _instructions_of(skill: Skill) -> str:
    return next((name for name in SKILL_FILES if name in skill.files), SKILL_FILES[0])


def _usage(instructions: str, script: str) -> str:
    """The first command in the instructions that runs the script, from its name on."""
    is_code = False
    for line in instructions.splitlines():
        if _FENCE.match(line):
            is_code = not is_code
        elif is_code and script in line:
            return line[line.index(script) :].strip()[:_USAGE_CHARACTERS]
    return script
