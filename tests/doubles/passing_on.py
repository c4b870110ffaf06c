"""What stands between two who talk, and passes on what either says."""

import asyncio
from collections.abc import Callable


async def pass_on_both(
    outer: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    inner: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    hear: Callable[[bytes], None] = lambda data: None,
) -> None:
    """Until both have hung up. What the outer one says is heard, too."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_pass_on(outer[0], inner[1], hear))
        group.create_task(_pass_on(inner[0], outer[1], lambda data: None))


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hear: Callable[[bytes], None]
) -> None:
    try:
        while data := await reader.read(65_536):
            hear(data)
            writer.write(data)
            await writer.drain()
    except OSError:
        return
    finally:
        writer.close()
