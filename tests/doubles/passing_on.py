"""What stands between two who talk, and passes on what either says."""

import asyncio


async def pass_on_both(
    outer: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    inner: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    """Until both have hung up."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_pass_on(outer[0], inner[1]))
        group.create_task(_pass_on(inner[0], outer[1]))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        return
    finally:
        writer.close()
