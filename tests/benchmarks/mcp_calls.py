"""A call through the pool against the same call of the SDK's own client, kept open as well."""

import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from activities.tools.mcp.policy import McpPolicy
from activities.tools.mcp.pool import McpPool
from tests.benchmarks.judgement import Bound, Effort, Verdict, measure
from tests.benchmarks.report import compare
from workflows.definitions.mcp_server import McpServer

DOUBLE = Path(__file__).parents[1] / "doubles" / "mcp_stdio.py"
ARGS = ("-I", str(DOUBLE))
WARM_UP = 50
POOLED = Bound(most=1.3)
EFFORT = Effort(least=500, most=3_000, seconds=15)
ARGUMENTS = {"text": "x" * 1_000}

Call = Callable[[], Awaitable[object]]


async def pooled() -> Verdict:
    """Calls of a program that answers at once, in turns with each other: one machine, one noise.

    An activity that makes such a call comes on top; it is in the figures of an agent's turns.
    """
    server = McpServer(name="bench", transport="stdio", command=sys.executable, args=ARGS)
    bare_server = StdioServerParameters(command=sys.executable, args=list(ARGS))
    team_id = uuid4()
    async with McpPool(policy=McpPolicy.for_loopback()) as pool, Client(bare_server) as client:

        async def ours() -> float:
            return await _milliseconds(lambda: pool.call(team_id, server, "echo", ARGUMENTS))

        async def bare() -> float:
            return await _milliseconds(lambda: client.call_tool("echo", ARGUMENTS))

        for _ in range(WARM_UP):  # The first calls connect, and fill caches.
            await ours()
            await bare()
        pairs = await measure(ours, bare, POOLED, EFFORT)
    return compare(
        "A call of an MCP tool",
        pairs,
        baseline_name="the SDK's client",
        unit="ms",
        bound=POOLED,
    )


async def _milliseconds(call: Call) -> float:
    started = time.perf_counter()
    await call()
    return (time.perf_counter() - started) * 1_000
