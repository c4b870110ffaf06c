"""The tool ``run_skill_script``."""

from typing import Annotated

from pydantic import Field

from activities.tools.context import AgentContext, ToolResult
from activities.tools.registry import Need, tool
from activities.tools.running import TIMEOUT_SECONDS, run_script
from workflows.definitions.pipeline import MAX_ARGUMENTS, Argument, Step


# Unless the skill may use the network: see `activities.agents.tool_call`.
@tool(is_retry_safe=True, timeout_seconds=TIMEOUT_SECONDS, need=Need.SKILLS)
async def run_skill_script(
    context: AgentContext,
    skill: Annotated[str, Field(min_length=1, max_length=64)],
    script: Annotated[
        str | None,
        Field(max_length=255, description="such as scripts/clean.py; not needed if there is one"),
    ] = None,
    args: Annotated[
        list[Argument], Field(max_length=MAX_ARGUMENTS, description="its command line")
    ] = [],  # noqa: B006  (pydantic copies it)
) -> ToolResult:
    """Run a script of a skill in the sandbox, in /workspace/output: what it writes there is kept.

    Name files in args as you know them, by name or URL; they are replaced by their paths. Write
    ./name for a file that the script is to make under the name of one that is there already.
    """
    found = await context.skills.find(skill)
    step = Step.model_construct(
        id=context.reporter.step, skill=found.name, script=script or None, retry_on=()
    )
    return await run_script(context, step, args, context.scripts.of_skill)
