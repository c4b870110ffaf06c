"""The files of a task, as a tool reads them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from activities.tools.context import AgentContext, ToolContext
from activities.tools.working_files import working_files


@asynccontextmanager
async def opened(context: ToolContext, file: str) -> AsyncIterator[Path]:
    """A file of the task, to be read at that path for as long as the block lasts. An agent names it
    as it knows it: by its name, URL or reference. Pipelines hand on references.

    Raises:
        WorkingFileNotFound: the agent's task has none of that name.
        InputNotFound, InputRefused, InputTooLarge: it is not there, or may not be read.
    """
    ref = file
    if isinstance(context, AgentContext):
        files = await working_files(context.equipment.database, context.task_id, context.team_id)
        ref = files.find(file).ref
    inputs = context.equipment.inputs
    async with inputs.leased(context.task_id, context.team_id, {"file": ref}) as paths:
        yield paths["file"]
