"""The tool ``list_skills``."""

from activities.tools.context import AgentContext
from activities.tools.registry import Need, tool


@tool(is_retry_safe=True, need=Need.SKILLS)
async def list_skills(context: AgentContext) -> str:
    """List the skills you can use, each with its name and purpose."""
    skills = await context.skills.all()
    lines = (f"- {name}: {' '.join(skill.description.split())}" for name, skill in skills.items())
    return "\n".join(lines) or "There are no skills."
