"""Latency, submission and throughput of pipelines that do nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

from tests.benchmarks.bare import LONGEST_RUN, STEPS, TASK_QUEUE, BareScripts, BareWorkflow
from tests.benchmarks.judgement import Bound, Effort, Verdict, measure
from tests.benchmarks.report import compare, spread
from tests.benchmarks.stage import Stage

IN_FLIGHT = 50
PIPELINES = 60

LATENCY = Bound(most=1.3)
SUBMISSION = Bound(most=2.5)
THROUGHPUT = Bound(least=0.75)

NOOP_STEPS: list[dict[str, object]] = [{"id": f"s{i}", "skill": "noop"} for i in range(STEPS)]


async def latency(stage: Stage) -> Verdict:
    """A 3-step pipeline against a bare workflow plus three bare runs of its script."""
    scripts = BareScripts(stage.work_folder)
    workflows: list[float] = []
    sandboxes: list[float] = []

    async def three_scripts() -> None:
        for _ in range(STEPS):
            await scripts.script()

    async def ours() -> float:
        return await _timed(lambda: stage.run(*NOOP_STEPS))

    async def bare() -> float:
        workflows.append(await _timed(lambda: _run_bare(stage, "nothing")))
        sandboxes.append(await _timed(three_scripts))
        return workflows[-1] + sandboxes[-1]

    pairs = await measure(ours, bare, LATENCY, Effort(least=30, most=100, seconds=45))
    return compare(
        "Latency of a 3-step pipeline, from the request to its end",
        pairs,
        baseline_name="bare workflow of 3 activities + 3 bare sandboxed runs",
        unit="ms",
        bound=LATENCY,
        rows=[
            ("share: workflow of 3 activities (ms)", spread(workflows)),
            ("share: 3 sandboxed runs (ms)", spread(sandboxes)),
            (
                "share: AgentOS, rows, events, HTTP (ms)",
                spread([pair.ours - pair.baseline for pair in pairs]),
            ),
        ],
    )


async def submission(stage: Stage) -> Verdict:
    """``POST /tasks`` against a bare ``client.start_workflow``."""

    async def ours() -> float:
        return await _submitted(lambda: stage.submit(*NOOP_STEPS[:1]))

    async def bare() -> float:
        return await _submitted(lambda: _start_bare(stage, "nothing"))

    pairs = await measure(ours, bare, SUBMISSION, Effort(least=60, most=150, seconds=25))
    return compare(
        "POST /tasks",
        pairs,
        baseline_name="client.start_workflow",
        unit="ms",
        bound=SUBMISSION,
    )


async def throughput(stage: Stage) -> Verdict:
    """Many pipelines at once against the same work in bare workflows."""

    async def ours() -> float:
        return await _rate(lambda: stage.run(*NOOP_STEPS))

    async def bare() -> float:
        return await _rate(lambda: _run_bare(stage, "script"))

    pairs = await measure(ours, bare, THROUGHPUT, Effort(most=9, seconds=105))
    return compare(
        f"Throughput with {IN_FLIGHT} in flight",
        pairs,
        baseline_name="bare workflows whose 3 activities run the script in the sandbox",
        unit="pipelines/s",
        bound=THROUGHPUT,
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


async def _submitted(submit: Callable[[], Awaitable[object]]) -> float:
    milliseconds = await _timed(submit)
    await asyncio.sleep(0.1)  # Lets the run end: the next submission is not to pay for it.
    return milliseconds


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
