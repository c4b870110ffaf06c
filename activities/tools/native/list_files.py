"""The tool ``list_files``."""

import json

from sqlalchemy import select
from sqlmodel import col

from activities.store.tables import TaskArtifact
from activities.tools.registry import ToolContext, tool

MAX_FILES = 1_000


@tool
async def list_files(context: ToolContext) -> str:
    """List the files that this task has made so far, as JSON: name, size in bytes, reference."""
    async with context.database.reading(fresh=True) as connection:
        rows = await connection.execute(
            select(col(TaskArtifact.id), col(TaskArtifact.name), col(TaskArtifact.size))
            .where(
                col(TaskArtifact.task_id) == context.task_id,
                col(TaskArtifact.team_id) == context.team_id,
            )
            .order_by(col(TaskArtifact.created_at), col(TaskArtifact.name))
            .limit(MAX_FILES)
        )
        return json.dumps(
            [{"name": name, "size": size, "file": f"artifact:{key}"} for key, name, size in rows]
        )
