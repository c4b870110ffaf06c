"""The tool ``read_skill_file``."""

from typing import Annotated

from pydantic import Field

from activities.tools.context import AgentContext, ToolResult
from activities.tools.options import Need
from activities.tools.registry import tool

MAX_READ_CHARACTERS = 100_000
DEFAULT_READ_CHARACTERS = 12_000


@tool(is_retry_safe=True, need=Need.SKILLS, reads="means")
async def read_skill_file(
    context: AgentContext,
    skill: Annotated[str, Field(min_length=1, max_length=64)],
    path: Annotated[str, Field(min_length=1, max_length=512, description="as load_skill lists it")],
    offset: Annotated[int, Field(ge=0, description="characters to skip")] = 0,
    limit: Annotated[
        int, Field(ge=1, le=MAX_READ_CHARACTERS, description="characters")
    ] = DEFAULT_READ_CHARACTERS,
) -> ToolResult:
    """Read a file of a skill, such as one of its references, as text."""
    text = await context.skills.read(skill, path)
    piece = text[offset : offset + limit]
    end = offset + len(piece)
    if end < len(text):
        piece += f"\n[characters {offset} to {end} of {len(text)}; offset={end} gives the next]"
    return ToolResult(piece, is_kept=True)
