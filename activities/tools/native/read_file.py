"""The tool ``read_file``."""

import asyncio
import codecs
from pathlib import Path
from typing import Annotated

from pydantic import Field

from activities.tools.context import AgentContext, ToolContext, ToolResult
from activities.tools.files import opened
from activities.tools.registry import tool
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
    limit = limit or (AGENT_READ_BYTES if is_agent else MAX_READ_BYTES)
    async with opened(context, file) as path:
        data, size = await asyncio.to_thread(_read, path, offset, limit)
    if b"\0" in data:
        raise FileNotText(file=file[:200])
    if not is_agent:
        return ToolResult(data.decode("utf-8", "replace"))
    text, taken = codecs.utf_8_decode(data, "replace", offset + len(data) >= size)
    end = offset + taken
    if end < size:
        text += f"\n[bytes {offset} to {end} of {size}; offset={end} gives the next]"
    return ToolResult(text, is_kept=True)


def _read(path: Path, offset: int, limit: int) -> tuple[bytes, int]:
    with path.open("rb") as source:
        source.seek(offset)
        return source.read(limit), path.stat().st_size
