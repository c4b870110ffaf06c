"""Latency, submission and throughput of pipelines that do nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

from tests.benchmarks.bare import LONGEST_RUN, STEPS, TASK_QUEUE, BareScripts, BareWorkflow
from tests.benchmarks.report import Bound, compare, spread
from tests.benchmarks.stage import Stage

ROUNDS = 30
SUBMISSIONS = 100
IN_FLIGHT = 50
PIPELINES = 150
THROUGHPUT_ROUNDS = 3

NOOP_STEPS: list[dict[str, object]] = [{"id": f"s{i}", "skill": "noop"} for i in range(STEPS)]


async def latency(stage: Stage) -> bool:
    """A 3-step pipeline against a bare workflow plus three bare runs of its script."""
    scripts = BareScripts(stage.work_folder)
    ours: list[float] = []
    workflows: list[float] = []
    sandboxes: list[float] = []

    async def three_scripts() -> None:
        for _ in range(STEPS):
            await scripts.script()

    for _ in range(ROUNDS):
        ours.append(await _timed(lambda: stage.run(*NOOP_STEPS)))
        workflows.append(await _timed(lambda: _run_bare(stage, "nothing")))
        sandboxes.append(await _timed(three_scripts))
    bare = [one + two for one, two in zip(workflows, sandboxes, strict=True)]
    rest = [mine - base for mine, base in zip(ours, bare, strict=True)]
    return compare(
        "Latency of a 3-step pipeline, from the request to its end",
        ours=ours,
        baseline=bare,
        baseline_name="bare workflow of 3 activities + 3 bare sandboxed runs",
        unit="ms",
        bound=Bound(most=1.3),
        rows=[
            ("share: workflow of 3 activities (ms)", spread(workflows)),
            ("share: 3 sandboxed runs (ms)", spread(sandboxes)),
            ("share: AgentOS, rows, events, HTTP (ms)", spread(rest)),
        ],
    )


async def submission(stage: Stage) -> bool:
    """``POST /tasks`` against a bare ``client.start_workflow``."""
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(SUBMISSIONS):
        ours.append(await _timed(lambda: stage.submit(*NOOP_STEPS[:1])))
        bare.append(await _timed(lambda: _start_bare(stage, "nothing")))
        await asyncio.sleep(0.1)  # Lets both runs end: neither is to pay for the other.
    return compare(
        "POST /tasks",
        ours=ours,
        baseline=bare,
        baseline_name="client.start_workflow",
        unit="ms",
        bound=Bound(most=2.5),
    )


async def throughput(stage: Stage) -> bool:
    """Many pipelines at once against the same work in bare workflows."""
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(THROUGHPUT_ROUNDS):
        ours.append(await _rate(lambda: stage.run(*NOOP_STEPS)))
        bare.append(await _rate(lambda: _run_bare(stage, "script")))
    return compare(
        f"Throughput with {IN_FLIGHT} in flight",
        ours=ours,
        baseline=bare,
        baseline_name="bare workflows whose 3 activities run the script in the sandbox",
        unit="pipelines/s",
        bound=Bound(least=0.75),
    )


async def _run_bare(stage: Stage, activity: str) -> None:
    await stage.temporal.execute_workflow(
        BareWorkflow.run,
        activity,
        id=f"bare-{uuid4()}",
        task_queue=TASK_QUEUE,
        execution_timeout=LONGEST_RUN,
    )


async def _start_bare(stage: Stage, activity: str) -> None:
    await stage.temporal.start_workflow(
        BareWorkflow.run,
        activity,
        id=f"bare-{uuid4()}",
        task_queue=TASK_QUEUE,
        execution_timeout=LONGEST_RUN,
    )


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    """How long it takes, in milliseconds."""
    started = time.perf_counter()
    await work()
    return (time.perf_counter() - started) * 1_000


async def _rate(work: Callable[[], Awaitable[object]]) -> float:
    """How many a second, with a bounded number in flight."""
    free = asyncio.Semaphore(IN_FLIGHT)

    async def one() -> None:
        async with free:
            await work()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(PIPELINES):
            group.create_task(one())
    return PIPELINES / (time.perf_counter() - started)
