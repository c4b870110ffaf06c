"""Three sandboxed steps over HTTP, against the same by a worker of plain Temporal (``plain``).

Each step is the same job: Python in a sandbox writes a file of one byte. Ours also keeps the file
in S3, the output, attempts and events in PostgreSQL, and bounds what the script may do.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

from tests.benchmarks.bare import LONGEST_RUN, TASK_QUEUE, BareWorkflow
from tests.benchmarks.judgement import Bound, Effort, Verdict, measure
from tests.benchmarks.plain_sandbox import STEPS, PlainSandbox
from tests.benchmarks.processor import OURS, Meter, per_step
from tests.benchmarks.report import Figure, compare, judge_median, show_rounds, spread
from tests.benchmarks.stage import WRITING_STEPS, Stage, plain_sandbox_line

AT_ONCE = 100
ALONE_RUNS = 10

LATENCY = Bound(most=1.1, goal=0.9)
SUBMISSION = Bound(most=2.5)
THROUGHPUT = Bound(least=0.75, goal=0.9)
PROCESSOR_MS = Bound(most=20, goal=15)

_PLAIN = "a plain Temporal worker with plain bubblewrap"


async def latency(stage: Stage) -> Verdict:
    """Three steps in a row, from the request to their end."""

    async def ours() -> float:
        return await _timed(lambda: stage.run_over_http(*WRITING_STEPS))

    async def plain() -> float:
        return await _timed(stage.run_plain)

    pairs = await measure(ours, plain, LATENCY, Effort(least=20, most=100, seconds=30))
    stage.figures.append(Figure.of(f"{STEPS} steps", [pair.ratio for pair in pairs], LATENCY))
    return compare(
        f"{STEPS} sandboxed steps, from the request to their end",
        pairs,
        baseline_name=_PLAIN,
        unit="ms",
        bound=LATENCY,
        rows=[(f"the {STEPS} plain sandboxes alone (ms)", spread(await _sandboxes_ms(stage)))],
    )


async def _sandboxes_ms(stage: Stage) -> list[float]:
    sandbox = PlainSandbox(plain_sandbox_line(), stage.work_folder)

    async def in_a_row() -> None:
        for _ in range(STEPS):
            await sandbox.write()

    return [await _timed(in_a_row) for _ in range(ALONE_RUNS)]


async def submission(stage: Stage) -> Verdict:
    """``POST /tasks`` against a bare ``client.start_workflow``."""

    async def ours() -> float:
        return await _submitted(lambda: stage.submit({"id": "noop", "skill": "noop"}))

    async def bare() -> float:
        return await _submitted(lambda: _start_bare(stage))

    pairs = await measure(ours, bare, SUBMISSION, Effort(least=60, most=150, seconds=25))
    return compare(
        "POST /tasks",
        pairs,
        baseline_name="client.start_workflow",
        unit="ms",
        bound=SUBMISSION,
    )


async def throughput(stage: Stage) -> Verdict:
    """Many at once, and what of the processors that takes."""
    meter = Meter(stage)
    rounds: dict[str, list[dict[str, float]]] = {"AgentOS": [], _PLAIN: []}

    async def rate(side: str, work: Callable[[], Awaitable[object]]) -> float:
        before = meter.read()
        pace = await _rate(work)
        rounds[side].append(per_step(before, meter.read(), AT_ONCE * STEPS))
        return pace

    pairs = await measure(
        lambda: rate("AgentOS", lambda: stage.run_over_http(*WRITING_STEPS)),
        lambda: rate(_PLAIN, stage.run_plain),
        THROUGHPUT,
        Effort(most=7, seconds=140),
    )
    is_quick = compare(
        f"Throughput with {AT_ONCE} at once",
        pairs,
        baseline_name=_PLAIN,
        unit="pipelines/s",
        bound=THROUGHPUT,
    )
    show_rounds("Processor time a step (ms)", rounds)
    own_ms = [sum(each[part] for part in OURS) for each in rounds["AgentOS"]]
    ratios = [pair.ratio for pair in pairs]
    stage.figures.append(Figure.of(f"throughput, {AT_ONCE} at once", ratios, THROUGHPUT))
    name = "processor time of API, worker and PostgreSQL"
    stage.figures.append(Figure.of(name, own_ms, PROCESSOR_MS, "ms a step"))
    is_cheap = judge_median("API, worker and PostgreSQL, a step", own_ms, "ms", PROCESSOR_MS)
    return max(is_quick, is_cheap)


async def _start_bare(stage: Stage) -> None:
    await stage.temporal.start_workflow(
        BareWorkflow.run,
        "nothing",
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
    """How many a second, when all begin at once."""
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
    return AT_ONCE / (time.perf_counter() - started)
