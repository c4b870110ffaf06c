"""A true MCP server of the SDK's own making, on a port: to be killed and started again."""

import argparse
import asyncio
from pathlib import Path

from mcp.server import MCPServer
from mcp.server.mcpserver import Context

server = MCPServer("double")


@server.tool()
def echo(text: str) -> str:
    """Say it again."""
    return text


@server.tool()
async def wait(begun: str, seconds: float) -> str:
    """Say in a file that it has begun; then take so long."""
    Path(begun).touch()
    await asyncio.sleep(seconds)
    return "waited"


@server.tool()
async def wait_until_cancelled(begun: str, cancelled: str) -> str:
    """Say in files that it has begun, and that it was cancelled."""
    Path(begun).touch()
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        Path(cancelled).touch()
        raise
    return "never"


@server.tool()
async def progress(context: Context, times: int, pause: float) -> str:
    """Take some time, and tell of it."""
    for number in range(times):
        await asyncio.sleep(pause)
        await context.report_progress(number, times)
    return "done"


@server.tool()
async def grow(context: Context, name: str) -> str:
    """Offer one tool more."""
    server.add_tool(lambda: "new", name=name, description="new")
    await context.notify_tools_changed()
    return "grown"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    server.run("streamable-http", port=parser.parse_args().port)
