"""The files of a task, as a tool reads them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from activities.patience import patiently
from activities.tools.context import AgentContext, ToolContext
from activities.tools.working_files import working_files

# Less than most calls may take: a call that failed may be made again where one that was stopped
# is not.
_PATIENCE_SECONDS = 20.0


@asynccontextmanager
async def opened(context: ToolContext, file: str) -> AsyncIterator[Path]:
    """A file of the task, to be read at that path for as long as the block lasts. An agent names it
    as it knows it: by its name, URL or reference. Pipelines hand on references.

    Raises:
        WorkingFileNotFound: the agent's task has none of that name.
        InputNotFound, InputRefused, InputTooLarge: it is not there, or may not be read.
    """
    ref, equipment = file, context.equipment
    if isinstance(context, AgentContext):
        files = await patiently(
            lambda: working_files(equipment.database, context.task_id, context.team_id),
            patience_seconds=_PATIENCE_SECONDS,
        )
        ref = files.find(file).ref
    inputs = equipment.inputs
    async with inputs.leased(context.task_id, context.team_id, {"file": ref}) as paths:
        yield paths["file"]
