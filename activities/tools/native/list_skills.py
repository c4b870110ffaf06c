"""The tool ``list_skills``."""

from typing import Annotated

from pydantic import Field

from activities.skills.section import cut_at_word
from activities.tools.context import AgentContext
from activities.tools.options import Need
from activities.tools.ranking import rank
from activities.tools.registry import tool

MAX_QUERY_CHARACTERS = 300
# More would be cut where it is too long for a model, in the middle of the list.
MAX_LISTED = 40
_DESCRIPTION_CHARACTERS = 300


@tool(is_retry_safe=True, need=Need.SKILLS, finds_skills=True, reads="means")
async def list_skills(
    context: AgentContext,
    query: Annotated[
        str,
        Field(max_length=MAX_QUERY_CHARACTERS, description="what for, in a few words; '' for all"),
    ] = "",
) -> str:
    """Find the skills you can use, each with its name and purpose."""
    skills = await context.skills.all()
    texts = {name: " ".join(skill.description.split()) for name, skill in skills.items()}
    found = rank(query, texts)
    if not found:
        return "No skill fits this. Try other words." if skills else "There are no skills."
    listed = [f"- {name}: {cut_at_word(texts[name], _DESCRIPTION_CHARACTERS)}" for name in found]
    if len(listed) > MAX_LISTED:
        rest = f"{len(listed) - MAX_LISTED} more: narrow them down with a query."
        listed = [*listed[:MAX_LISTED], rest]
    return "\n".join(listed)
