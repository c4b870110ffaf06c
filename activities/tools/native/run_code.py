"""The tool ``run_code``."""

from typing import Annotated, Literal

from pydantic import Field

from activities.tools.context import AgentContext, ToolResult
from activities.tools.registry import tool
from activities.tools.running import TIMEOUT_SECONDS, run_script
from workflows.definitions.pipeline import (
    MAX_ARGUMENTS,
    MAX_SOURCE_CHARACTERS,
    Argument,
    Code,
    Step,
)


# What it does stays in the sandbox: to do it twice is to do it once.
@tool(is_retry_safe=True, timeout_seconds=TIMEOUT_SECONDS, call_type="code")
async def run_code(
    context: AgentContext,
    language: Literal["python", "shell", "javascript"],
    source: Annotated[str, Field(min_length=1, max_length=MAX_SOURCE_CHARACTERS)],
    args: Annotated[
        list[Argument], Field(max_length=MAX_ARGUMENTS, description="its command line")
    ] = [],  # noqa: B006  (pydantic copies it)
    skill: Annotated[
        str | None, Field(max_length=64, description="whose folder and packages it uses")
    ] = None,
) -> ToolResult:
    """Run your own code in the sandbox, without network, in /workspace/output.

    What it writes there is kept. The files of the task are in /workspace/input, where the name of a
    file has - for each /. Python has its standard library and, with a skill, what that skill
    declares and its own modules; the skill's folder is /skills/NAME. Packages that any skill
    declares can be had by a `# /// script` block (PEP 723) at the top of the source.
    """
    used = (await context.skills.find(skill)).name if skill else None
    code = Code(language=language, source=source, skill=used)
    step = Step.model_construct(id=context.reporter.step, code=code, retry_on=())
    return await run_script(context, step, args, context.equipment.scripts.of_model_code)
