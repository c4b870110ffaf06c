"""The tool ``run_skill_script``."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, JsonValue

from activities.equipment import Equipment
from activities.tools.context import AgentContext, ToolResult
from activities.tools.options import Need
from activities.tools.registry import tool
from activities.tools.running import TIMEOUT_SECONDS, run_script
from workflows.definitions.pipeline import MAX_ARGUMENTS, Argument, Step


def _may_use_network(equipment: Equipment, arguments: Mapping[str, JsonValue]) -> bool:
    return equipment.scripts.may_use_network(str(arguments.get("skill")))


# What it does stays in the sandbox, unless the skill may use the network.
@tool(
    is_retry_safe=True,
    unsafe_if=_may_use_network,
    timeout_seconds=TIMEOUT_SECONDS,
    need=Need.SKILLS,
    call_type="skill",
)
async def run_skill_script(
    context: AgentContext,
    skill: Annotated[str, Field(min_length=1, max_length=64)],
    script: Annotated[
        str | None,
        Field(
            max_length=255,
            description="such as scripts/clean.py or -m package.module; not needed if there is one",
        ),
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
    return await run_script(context, step, args, context.equipment.scripts.of_skill)
