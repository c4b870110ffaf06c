"""A process that holds a pool with a program in it, to be killed; prints a grandchild's pid."""

import asyncio
import os
import sys
from pathlib import Path
from uuid import uuid4

from activities.tools.mcp.policy import McpPolicy
from activities.tools.mcp.pool import McpPool
from workflows.definitions.mcp_server import McpServer

DOUBLE = Path(__file__).with_name("mcp_stdio.py")


async def main(word: str) -> None:
    args = ("-I", str(DOUBLE), "--stubborn", "--mark", word)
    server = McpServer(name="double", transport="stdio", command=sys.executable, args=args)
    pool = McpPool(policy=McpPolicy.for_loopback(), environment=dict(os.environ))
    child = await pool.call(uuid4(), server, "fork", {"seconds": "1000"})
    sys.stdout.write(f"{child.text}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
