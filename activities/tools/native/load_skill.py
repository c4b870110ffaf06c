"""The tool ``load_skill``."""

from html import escape
from typing import Annotated

from pydantic import Field

from activities.sandbox.base import SKILLS_FOLDER
from activities.skills.metadata import Skill, skill_file_in
from activities.store.reading.messages import has_protected_result
from activities.tools.context import AgentContext, ToolResult
from activities.tools.options import Need
from activities.tools.registry import tool
from workflows.errors.skills import SkillFileUnreadable

# Some 25,000 tokens, which stay in the conversation. The format advises 5,000 at most.
MAX_SKILL_CHARACTERS = 100_000
MAX_FILES_SHOWN = 200


@tool(is_retry_safe=True, need=Need.SKILLS, shows_skills=True, reads="means")
async def load_skill(
    context: AgentContext, skill: Annotated[str, Field(min_length=1, max_length=64)]
) -> ToolResult:
    """Load the instructions of a skill. Do so once, before you use it."""
    found = await context.skills.find(skill)
    opening = f'<skill_content name="{escape(found.name)}">'
    database = context.equipment.database
    if await has_protected_result(database, context.task_id, opening):
        return ToolResult(f"Skill {found.name} is loaded already: its text stands further above.")
    name = skill_file_in(found.files)
    assert name is not None  # Else it would not be a skill.
    text = await context.skills.read(found.name, name)
    if len(text) > MAX_SKILL_CHARACTERS:
        reason = f"it has over {MAX_SKILL_CHARACTERS} characters; read it with read_skill_file"
        raise SkillFileUnreadable(skill=found.name, path=name, reason=reason)
    parts = (opening, _body(text), *_resources(found), "</skill_content>")
    return ToolResult("\n".join(parts), is_protected=True)


def _body(text: str) -> str:
    """The text below the frontmatter, of which the model knows what it needs."""
    lines = text.splitlines()
    if lines and lines[0].rstrip() == "---":
        end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
        if end is not None:
            return "\n".join(lines[end + 1 :]).strip()
    return text.strip()


def _resources(skill: Skill) -> list[str]:
    others = [path for path in skill.files if path != skill_file_in(skill.files)]
    shown = [f"  <file>{escape(path)}</file>" for path in others[:MAX_FILES_SHOWN]]
    if len(others) > MAX_FILES_SHOWN:
        shown.append(f"  and {len(others) - MAX_FILES_SHOWN} more")
    scripts = [f"  <script>{escape(path)}</script>" for path in skill.scripts[:MAX_FILES_SHOWN]]
    return [
        "",
        f"The skill's folder is {SKILLS_FOLDER}/{skill.name}, which its scripts see, and code that "
        "names the skill: run scripts with run_skill_script, read files with read_skill_file.",
        *(["<skill_scripts>", *scripts, "</skill_scripts>"] if scripts else []),
        *(["<skill_files>", *shown, "</skill_files>"] if shown else []),
    ]
