"""The tool ``write_file``."""

import asyncio
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import Field

from activities.sandbox.names import MAX_PART_BYTES, is_short_enough, objection
from activities.tools.context import ToolContext
from activities.tools.registry import tool
from workflows.errors.scripts import FileNameRefused

MAX_TEXT_CHARACTERS = 1024 * 1024


@tool(is_retry_safe=True)
async def write_file(
    context: ToolContext,
    name: Annotated[str, Field(min_length=1, max_length=200, description="relative, with suffix")],
    text: Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS)],
) -> str:
    """Write text to a file, which becomes an artifact of the task."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.name or not name.isprintable():
        raise FileNameRefused(name=name, reason="it must be relative, printable and without '..'")
    if reason := objection(name):
        raise FileNameRefused(name=name, reason=reason)
    if not all(map(is_short_enough, path.parts)):
        raise FileNameRefused(
            name=name, reason=f"a part of it has more than {MAX_PART_BYTES} bytes"
        )
    target = context.output / path

    def write() -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="")

    await asyncio.to_thread(write)
    return f"{len(text)} characters were written to {name}."
