"""Thousands of pipelines at once: how long each submission takes, and how fast they drain."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from temporalio.service import RPCError, RPCStatusCode

from tests.benchmarks.bare import TASK_QUEUE, BareWorkflow
from tests.benchmarks.judgement import Bound, Pair, Verdict
from tests.benchmarks.plain_sandbox import STEPS
from tests.benchmarks.report import compare, console
from tests.benchmarks.stage import Stage

PIPELINES = 2_000
CLIENTS = 50
# The rest is cut off: all of them would take a quarter of an hour.
WINDOWS = 8
WINDOW_SECONDS = 5.0
LONGEST_WAIT = timedelta(hours=1)
DRAIN = Bound(least=0.85)

NOOP_STEPS: list[dict[str, object]] = [{"id": f"s{i}", "skill": "noop"} for i in range(STEPS)]


async def two_thousand(stage: Stage) -> Verdict:
    """2,000 3-step pipelines against 2,000 bare workflows that run the same three scripts.

    The windows of a drain are compared one by one, but lie minutes apart: a machine whose pace
    changes meanwhile shows in them.
    """
    taken: list[float] = []

    async def submit() -> None:
        began = time.perf_counter()
        await stage.submit(*NOOP_STEPS)
        taken.append((time.perf_counter() - began) * 1_000)

    async def start() -> None:
        await stage.temporal.start_workflow(
            BareWorkflow.run,
            "script",
            id=f"bare-{uuid4()}",
            task_queue=TASK_QUEUE,
            execution_timeout=LONGEST_WAIT,
        )

    ours = await _rates(stage, "PipelineWorkflow", submit)
    bare = await _rates(stage, "BareWorkflow", start)
    pairs = [Pair(*each) for each in zip(ours, bare, strict=True)]
    ordered = sorted(taken)
    middle, late = ordered[len(ordered) // 2], ordered[math.ceil(0.99 * len(ordered)) - 1]
    console.print(
        f"POST /tasks of {PIPELINES:,} pipelines by {CLIENTS} clients:"
        f" {middle:.0f} ms, p99 {late:.0f} ms"
    )
    return compare(
        f"How fast {PIPELINES:,} that wait are drained",
        pairs,
        baseline_name="bare workflows whose 3 activities run the script in our own sandbox",
        unit="pipelines/s",
        bound=DRAIN,
    )


async def _rates(
    stage: Stage, workflow: str, begin: Callable[[], Awaitable[None]]
) -> Sequence[float]:
    """How many end a second once all have been submitted, in one window after the other."""
    since = datetime.now(UTC).isoformat()
    query = f"WorkflowType = '{workflow}' AND StartTime >= '{since}'"
    free = asyncio.Semaphore(CLIENTS)

    async def one() -> None:
        async with free:
            await begin()

    async with asyncio.TaskGroup() as group:
        for _ in range(PIPELINES):
            group.create_task(one())
    done = f"{query} AND ExecutionStatus = 'Completed'"
    counts, times = [await _count(stage, done)], [time.monotonic()]
    for _ in range(WINDOWS):
        await asyncio.sleep(WINDOW_SECONDS)
        counts.append(await _count(stage, done))
        times.append(time.monotonic())
    await _cut_off(stage, f"{query} AND ExecutionStatus = 'Running'")
    return [
        (after - before) / (end - start)
        for before, after, start, end in zip(counts, counts[1:], times, times[1:], strict=False)
    ]


async def _count(stage: Stage, query: str) -> int:
    return (await stage.temporal.count_workflows(query)).count


async def _cut_off(stage: Stage, query: str) -> None:
    """End what still runs, and what the API has yet to start."""
    while await _count(stage, query):
        async for execution in stage.temporal.list_workflows(query):
            try:
                await stage.temporal.get_workflow_handle(execution.id).terminate()
            except RPCError as error:  # It ended by itself.
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
        await asyncio.sleep(2.0)
