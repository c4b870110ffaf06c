"""How the scripts of skills are called and which files they write, as the instructions say it."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from activities.skills.catalogue import Catalogue
from activities.skills.metadata import SKILL_FILES, Skill
from workflows.errors import AgentOSError

# Of more skills than these, the usage is not read from their instructions.
MAX_USAGES = 50
_USAGE_CHARACTERS = 200
_FILES_SHOWN = 4

_FENCE = re.compile(r"^\s*(?:```|~~~)")
# A sentence on what is written, or the first line of a section on the output.
_WRITES = re.compile(
    r"\bwrites\b(?P<what>.*?)(?:\.\s|$)|^#+ Output\s+(?P<first>.*)$", re.IGNORECASE | re.MULTILINE
)
_FILE = re.compile(r"`([\w-]+\.[A-Za-z][A-Za-z0-9]{0,4})`")


async def usages(catalogue: Catalogue, skills: Mapping[str, Skill]) -> Sequence[str]:
    """A line for each script: its skill, how the instructions of that run it, and the names of what
    it writes. Who writes steps needs them for those that follow."""
    listed = islice(skills.values(), MAX_USAGES)
    found = await asyncio.gather(*(_usages_of(catalogue, skill) for skill in listed))
    return [line for lines in found for line in lines]


async def _usages_of(catalogue: Catalogue, skill: Skill) -> Sequence[str]:
    try:
        instructions = await catalogue.read(skill.name, _instructions_of(skill))
    except AgentOSError:
        instructions = ""  # It was changed meanwhile. Its scripts can be named all the same.
    # Of several scripts nothing tells which of them writes what.
    files = list(islice(_written(instructions), _FILES_SHOWN)) if len(skill.scripts) == 1 else []
    note = f"  # writes {', '.join(files)}" if files else ""
    return [f"{skill.name}: {_usage(instructions, script)}{note}" for script in skill.scripts]


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


def _written(instructions: str) -> Iterator[str]:
    """The names of files in the first words on what is written that have some."""
    for found in _WRITES.finditer(instructions):
        if names := _FILE.findall(found["what"] or found["first"] or ""):
            yield from dict.fromkeys(names)
            return
