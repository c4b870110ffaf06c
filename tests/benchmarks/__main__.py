"""Runs benchmarks and prints how they stand to their bounds. Exit code 1: a bound is not kept.

All of them but the large ones, which take minutes each, or those that are named:
``python -m tests.benchmarks turns stream``. ``--peers`` compares with others beside that, which
are installed for it.
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from tests.benchmarks import (
    breakers,
    burst,
    cache,
    files,
    groups,
    idle,
    idle_agents,
    inboxes,
    large_steps,
    long_run,
    many_tasks,
    mcp_calls,
    pipelines,
    plans,
    processes,
    routes,
    start,
    stream,
    turns,
    viewers,
    wake_ups,
)
from tests.benchmarks.judgement import Verdict
from tests.benchmarks.load import Load
from tests.benchmarks.peers import table as peers
from tests.benchmarks.report import conclude, console, show_figures
from tests.benchmarks.stage import Stage, staged

PEERS = "peers"

# Each prints its figures. These start what they need by themselves, and come first: nothing else
# runs yet.
ALONE: Mapping[str, Callable[[], Awaitable[Verdict]]] = {
    "start": start.stack,
    "idle": idle.stack,
    "mcp": mcp_calls.pooled,
}
# These share one embedded stack.
ON_STAGE: Mapping[str, Callable[[Stage], Awaitable[Verdict]]] = {
    "commands": start.commands,
    "latency": pipelines.latency,
    "submission": pipelines.submission,
    "throughput": pipelines.throughput,
    "cache": cache.hit,
    "upload": files.upload,
    "upload-memory": files.worker_memory,
    "output": large_steps.much_output,
    "turns": turns.loop,
    "nodes": plans.nodes,
    "makespan": plans.makespan,
    "splitter": plans.splitter,
    "plan-history": plans.history,
    "long-run": long_run.five_hundred_turns,
    "breaker-cost": breakers.closed,
    "breaker-news": breakers.told,
    "breaker-storm": breakers.reached,
    "routes": routes.choice,
    "wake-ups": wake_ups.both,
    "group": groups.all_read,
    "inbox": inboxes.thousand,
    "stream": stream.deltas,
    "viewers": viewers.at_once,
    "crowd": viewers.thousand,
}
LARGE: Mapping[str, Callable[[Stage], Awaitable[Verdict]]] = {
    "burst": burst.two_thousand,
    "many-tasks": many_tasks.lists_and_submissions,
    "idle-agents": idle_agents.ten_thousand,
    "long-inbox": inboxes.ten_thousand,
    "many-files": large_steps.many_files,
    PEERS: peers.all_peers,
}
NAMES = (*ALONE, *ON_STAGE)


async def main(names: Sequence[str]) -> bool:
    """Whether no bound was broken."""
    before = Load.now()
    console.print(f"Before: {before}.")
    verdicts = {name: await ALONE[name]() for name in names if name in ALONE}
    if on_stage := [name for name in names if name in ON_STAGE or name in LARGE]:
        async with staged() as stage:
            benchmarks = {**ON_STAGE, **LARGE}
            verdicts |= {name: await benchmarks[name](stage) for name in on_stage}
            processes.idle(stage)
            if stage.figures:
                show_figures(stage.figures)
    after = Load.now()
    console.print(f"After: {after.since(before)}.")
    console.print(f"{len(verdicts)} benchmarks in {after.taken_at - before.taken_at:.0f} s.")
    return conclude(verdicts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    # Not as ``choices``: with these, argparse does not take none at all.
    parser.add_argument("names", nargs="*", help=", ".join((*NAMES, *LARGE)))
    parser.add_argument(f"--{PEERS}", action="store_true", help="compare with others, too")
    arguments = parser.parse_args()
    extra = [PEERS] if arguments.peers else []
    named = list(dict.fromkeys([*(arguments.names or NAMES), *extra]))
    if unknown := set(named) - {*NAMES, *LARGE}:
        there = ", ".join((*NAMES, *LARGE))
        sys.exit(f"No such benchmark: {', '.join(unknown)}. There are {there}.")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    sys.exit(0 if asyncio.run(main(named)) else 1)
