"""The author's check of a skill: the format, read strictly by ``skills_ref``, and our limits."""

import asyncio
from pathlib import Path

import skills_ref

from activities.skills.dependencies import find_dependencies
from activities.skills.files import TEXT_MAX_BYTES, list_files
from activities.skills.metadata import find_skill_file, load_skill
from workflows.errors import AgentOSError, SkillRefused

# What its YAML parser lets out on broken files, beside its own errors: it reads attributes that
# some errors lack, overflows on `"\U99999999"`, knows no `%YAML 9.9`, asserts on odd keys.
_BROKEN = (
    AssertionError,
    AttributeError,
    LookupError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)


async def validate(folder: Path) -> list[str]:
    """Every problem with the skill in ``folder``; none when it is valid."""
    problems = await asyncio.to_thread(_validate_format, folder)
    try:
        skill = await asyncio.to_thread(load_skill, folder)
    except (AgentOSError, OSError) as error:
        return problems or [str(error)]
    # What the strict reader finds, the lenient one corrects and reports again.
    problems = problems or list(skill.warnings)
    for script in skill.scripts:
        try:
            await asyncio.to_thread(find_dependencies, skill.name, folder, script)
        except AgentOSError as error:
            problems.append(str(error))
    return problems


def _validate_format(folder: Path) -> list[str]:
    try:
        # First with care: the reader follows links anywhere, and would wait on a FIFO.
        file = find_skill_file(list_files(folder))
        if file is None or file.size_bytes > TEXT_MAX_BYTES:
            return [f"{folder} has no SKILL.md of at most {TEXT_MAX_BYTES} bytes"]
        return list(skills_ref.validate(folder))
    except UnicodeDecodeError as error:
        return [f"SKILL.md is not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x}"]
    except (SkillRefused, OSError) as error:
        return [str(error)]
    except _BROKEN as error:
        return [f"the frontmatter of SKILL.md is not valid YAML: {str(error)[:200]}"]
