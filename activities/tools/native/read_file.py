"""The tool ``read_file``."""

import asyncio
from pathlib import Path
from typing import Annotated

from pydantic import Field

from activities.tools.registry import ToolContext, tool

MAX_READ_BYTES = 256 * 1024


@tool
async def read_file(
    context: ToolContext,
    file: Annotated[str, Field(description="file:<id>, artifact:<id>, s3://... or https://...")],
    offset: Annotated[int, Field(ge=0, description="bytes to skip")] = 0,
    limit: Annotated[int, Field(ge=1, le=MAX_READ_BYTES, description="bytes")] = MAX_READ_BYTES,
) -> str:
    """Read a part of a file as text. Bytes that are not UTF-8 show as replacement characters."""
    async with context.inputs.leased(context.task_id, context.team_id, {"file": file}) as paths:
        data = await asyncio.to_thread(_read, paths["file"], offset, limit)
    return data.decode("utf-8", "replace")


def _read(path: Path, offset: int, limit: int) -> bytes:
    with path.open("rb") as source:
        source.seek(offset)
        return source.read(limit)
