"""Runs benchmarks on one embedded stack and prints the ratios. Exit code 1: a bound broke.

All of them, or those that are named: ``python -m tests.benchmarks turns stream``.
"""

import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from tests.benchmarks import (
    files,
    long_run,
    mcp_calls,
    pipelines,
    processes,
    stream,
    turns,
    viewers,
)
from tests.benchmarks.report import console
from tests.benchmarks.stage import Stage, staged

# Each prints its figures, and tells whether it keeps its bounds.
BENCHMARKS: Mapping[str, Callable[[Stage], Awaitable[bool]]] = {
    "latency": pipelines.latency,
    "submission": pipelines.submission,
    "throughput": pipelines.throughput,
    "upload": files.upload,
    "upload-memory": files.worker_memory,
    "turns": turns.loop,
    "long-run": long_run.five_hundred_turns,
    "stream": stream.deltas,
    "viewers": viewers.at_once,
    "crowd": viewers.thousand,
    "mcp": mcp_calls.pooled,
}


async def main(names: Sequence[str]) -> bool:
    began = time.monotonic()
    async with staged() as stage:
        kept = {name: await BENCHMARKS[name](stage) for name in names}
        processes.idle(stage)
    console.print(f"{len(names)} benchmarks in {time.monotonic() - began:.0f} s.")
    broken = [name for name, is_kept in kept.items() if not is_kept]
    if broken:
        console.print(f"A bound was [red]NOT KEPT[/] by: {', '.join(broken)}.")
    return not broken


if __name__ == "__main__":
    named = sys.argv[1:]
    if unknown := set(named) - BENCHMARKS.keys():
        sys.exit(f"No such benchmark: {', '.join(unknown)}. There are {', '.join(BENCHMARKS)}.")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    sys.exit(0 if asyncio.run(main(named or list(BENCHMARKS))) else 1)
