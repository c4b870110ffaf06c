"""The tool ``list_files``."""

import json

from activities.tools.context import ToolContext
from activities.tools.registry import tool
from activities.tools.working_files import working_files

MAX_FILES = 1_000


@tool(is_retry_safe=True, reads="data")
async def list_files(context: ToolContext) -> str:
    """List the task's files as JSON: its inputs and the files it has made, latest last.

    Each has its name, size in bytes (null if not fetched yet), type, reference, and path in the
    sandbox.
    """
    database = context.equipment.database
    found = await working_files(database, context.task_id, context.team_id)
    return json.dumps(
        [
            {
                "name": file.name,
                "size": file.size,
                "type": file.mime_type,
                "file": file.ref,
                "path": file.path,
            }
            for file in found.files[-MAX_FILES:]
        ],
        ensure_ascii=False,
    )
