"""The tool ``read_file``."""

import asyncio
import codecs
from pathlib import Path
from typing import Annotated

from pydantic import Field

from activities.tools.context import AgentContext, ToolContext, ToolResult
from activities.tools.registry import tool
from activities.tools.working_files import working_files
from workflows.errors.tools import FileNotText

MAX_READ_BYTES = 256 * 1024
# What a model is given unless it asks for more: some 3,000 tokens of prose, 4,000 of figures.
AGENT_READ_BYTES = 10_000


# The file may first have to be fetched.
@tool(is_retry_safe=True, timeout_seconds=900.0, reads="data")
async def read_file(
    context: ToolContext,
    file: Annotated[
        str,
        Field(min_length=1, max_length=4_096, description="its name, URL or reference (file:<id>)"),
    ],
    offset: Annotated[int, Field(ge=0, description="bytes to skip")] = 0,
    limit: Annotated[int | None, Field(ge=1, le=MAX_READ_BYTES, description="bytes")] = None,
) -> ToolResult:
    """Read a part of a file as text. Bytes that are not UTF-8 show as replacement characters."""
    is_agent = isinstance(context, AgentContext)
    ref = await _reference(context, file) if is_agent else file
    limit = limit or (AGENT_READ_BYTES if is_agent else MAX_READ_BYTES)
    inputs = context.equipment.inputs
    async with inputs.leased(context.task_id, context.team_id, {"file": ref}) as paths:
        data, size = await asyncio.to_thread(_read, paths["file"], offset, limit)
    if b"\0" in data:
        raise FileNotText(file=file[:200])
    if not is_agent:
        return ToolResult(data.decode("utf-8", "replace"))
    text, taken = codecs.utf_8_decode(data, "replace", offset + len(data) >= size)
    end = offset + taken
    if end < size:
        text += f"\n[bytes {offset} to {end} of {size}; offset={end} gives the next]"
    return ToolResult(text, is_kept=True)


async def _reference(context: ToolContext, file: str) -> str:
    database = context.equipment.database
    files = await working_files(database, context.task_id, context.team_id)
    return files.find(file).ref


def _read(path: Path, offset: int, limit: int) -> tuple[bytes, int]:
    with path.open("rb") as source:
        source.seek(offset)
        return source.read(limit), path.stat().st_size
