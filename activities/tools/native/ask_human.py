"""The tool ``ask_human``."""

from typing import Annotated

from pydantic import Field

from activities.tools.context import AgentContext
from activities.tools.registry import tool
from workflows.errors.tools import ToolNotRun

MAX_QUESTION_CHARACTERS = 4_000


@tool(is_retry_safe=True, question="question")
async def ask_human(
    context: AgentContext,
    question: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION_CHARACTERS)],
) -> str:
    """Ask the person who gave the task, and wait for the answer. It may take hours.

    Ask only what you cannot find out from the files or with the tools.
    """
    # The workflow itself waits for the person: no worker is kept busy meanwhile.
    raise ToolNotRun(tool="ask_human")
