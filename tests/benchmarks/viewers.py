"""Many who watch the same agent: workflow history pays nothing for them, and other calls little."""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.history import HistoryCost, costs_of_runs
from tests.benchmarks.judgement import Bound, Pair, Verdict
from tests.benchmarks.model import finish
from tests.benchmarks.processes import processor_seconds, resident_mib
from tests.benchmarks.report import compare, console, judge, judge_median, spread
from tests.benchmarks.stage import Stage

VIEWERS = 50
ROUNDS = 3
WORDS = ["word "] * 300
PAUSE_SECONDS = 0.01
# The ids of workers and requests, and numbers, are not always of one length.
NOISE_BYTES = 64

CROWD = 1_000
CROWD_ROUNDS = 2
# Until they have joined, and while calls are timed.
SILENT_SECONDS = 5.0
SPOKEN_SECONDS = 6.0
CALL_PAUSE_SECONDS = 0.1
CALLS = Bound(most=2.0)
FIRST_WORD_MS = Bound(most=100)
NOTHING: dict[str, object] = {"id": "nothing", "skill": "noop"}


@dataclass(frozen=True, slots=True)
class Watched:
    seconds: float
    api_seconds: float
    """What the API used of a processor."""
    history: HistoryCost


async def at_once(stage: Stage) -> Verdict:
    """A run with 50 viewers against the same run with none, in turns with each other."""
    model = await stage.models.add("watched", [finish(*WORDS, pause_seconds=PAUSE_SECONDS)])
    alone: list[Watched] = []
    watched: list[Watched] = []
    for _ in range(ROUNDS):
        alone.append(await _run(stage, model, viewers=0))
        watched.append(await _run(stage, model, viewers=VIEWERS))
    for name, runs in (("without viewers", alone), (f"with {VIEWERS} viewers", watched)):
        seconds = spread([run.seconds for run in runs], 2)
        api_seconds = spread([run.api_seconds for run in runs], 2)
        console.print(f"A run {name}: {seconds} s, of which the API works {api_seconds} s")
    before, after = _typical(alone), _typical(watched)
    return judge(
        f"Its history: {before.events} events of {before.bytes:,} bytes without viewers, "
        f"{after.events} of {after.bytes:,} with {VIEWERS}",
        kept=after.events == before.events and abs(after.bytes - before.bytes) <= NOISE_BYTES,
        bound="the same",
    )


async def _run(stage: Stage, model: str, *, viewers: int) -> Watched:
    api = stage.pid_of("api")
    began, worked = time.perf_counter(), processor_seconds(api)
    workflow_id = await stage.submit_agent(model)
    async with asyncio.TaskGroup() as group:
        for _ in range(viewers):
            group.create_task(_watch(stage, workflow_id))
        await stage.temporal.get_workflow_handle(workflow_id).result()
        seconds = time.perf_counter() - began
    api_seconds = processor_seconds(api) - worked
    [history] = await costs_of_runs(stage, workflow_id)
    return Watched(seconds, api_seconds, history)


async def _watch(stage: Stage, workflow_id: str) -> None:
    said = ""
    async for event in stage.events(workflow_id):
        if event.type == "llm.delta":
            said += str(event.data["text"])
    assert said == "".join(WORDS)


def _typical(runs: list[Watched]) -> HistoryCost:
    return HistoryCost(
        events=round(statistics.median(run.history.events for run in runs)),
        bytes=round(statistics.median(run.history.bytes for run in runs)),
    )


@dataclass(frozen=True, slots=True)
class Calls:
    """What other calls took meanwhile, in milliseconds, and the API of a processor, in percent."""

    shown: list[float] = field(default_factory=list)
    submitted: list[float] = field(default_factory=list)
    api_percent: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Crowd:
    """What it heard: how late the first words came, and words at all, in milliseconds."""

    join_seconds: list[float] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    resident_mib: list[float] = field(default_factory=list)


async def thousand(stage: Stage) -> Verdict:
    """Other calls while 1,000 clients watch an agent that speaks, against the same with none.

    A round takes half a minute, so its calls make the pairs: the first of one run with the first of
    the other, and so on.
    """
    words = ["word "] * round(SPOKEN_SECONDS / PAUSE_SECONDS)
    reply = finish(*words, pause_seconds=PAUSE_SECONDS) | {"delay_seconds": SILENT_SECONDS}
    model = await stage.models.add("crowded", [reply])
    alone, joining, watched, crowd = Calls(), Calls(), Calls(), Crowd()
    for _ in range(CROWD_ROUNDS):
        await _calls_alone(stage, model, alone)
        await _calls_watched(stage, model, joining, watched, crowd)
    _tell(crowd, (("alone", alone), ("while they join", joining), ("then", watched)))
    verdicts = [
        compare(
            f"{name} while {CROWD} clients watch an agent speak",
            [Pair(*calls) for calls in zip(ours, baseline, strict=False)],
            baseline_name="while the same agent speaks to nobody",
            unit="ms",
            bound=CALLS,
        )
        for name, ours, baseline in (
            ("GET /tasks/{id}", watched.shown, alone.shown),
            ("POST /tasks", watched.submitted, alone.submitted),
        )
    ]
    is_early = judge_median(
        "Its first words reach them later by", crowd.first_ms, "ms", FIRST_WORD_MS
    )
    return max(*verdicts, is_early)


async def _calls_alone(stage: Stage, model: str, calls: Calls) -> None:
    workflow_id = await stage.submit_agent(model)
    await asyncio.sleep(SILENT_SECONDS)
    await _time_calls(stage, workflow_id, calls)
    await stage.temporal.get_workflow_handle(workflow_id).result()


async def _calls_watched(
    stage: Stage, model: str, joining: Calls, watched: Calls, crowd: Crowd
) -> None:
    workflow_id = await stage.submit_agent(model)
    silence = asyncio.create_task(asyncio.sleep(SILENT_SECONDS))
    async with _crowd(stage, workflow_id) as lines:
        first = asyncio.create_task(anext(lines))
        while not first.done():
            await _time_calls(stage, workflow_id, joining, seconds=1.0)
        joined = await first
        assert joined["joined"] == CROWD, joined
        crowd.join_seconds.append(joined["seconds"])
        crowd.resident_mib.append(resident_mib(stage.pid_of("api")))
        await silence
        await _time_calls(stage, workflow_id, watched)
        heard = await anext(lines)
    assert len(set(heard["events"])) == 1
    crowd.first_ms.extend(heard["first_ms"])
    crowd.late_ms.extend(heard["late_ms"])


async def _time_calls(
    stage: Stage, workflow_id: str, calls: Calls, seconds: float = SPOKEN_SECONDS - 1
) -> None:
    path = f"/api/v1/tasks/{workflow_id.removeprefix('task-')}"
    began, worked = time.perf_counter(), processor_seconds(stage.pid_of("api"))
    while (passed := time.perf_counter() - began) < seconds:
        calls.shown.append(await _timed(lambda: stage.http.get(path)))
        await asyncio.sleep(CALL_PAUSE_SECONDS)
        calls.submitted.append(await _timed(lambda: stage.submit(NOTHING)))
        await asyncio.sleep(CALL_PAUSE_SECONDS)
    worked = processor_seconds(stage.pid_of("api")) - worked
    calls.api_percent.append(100 * worked / passed)


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    """How long it takes, in milliseconds."""
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1_000


@asynccontextmanager
async def _crowd(stage: Stage, workflow_id: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """Let a crowd join; gives what it says of itself."""
    path = f"/api/v1/tasks/{workflow_id.removeprefix('task-')}/events"
    command = ("tests.benchmarks.crowd", str(stage.services.api_url), path, str(CROWD))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *command, stdout=asyncio.subprocess.PIPE, limit=16 * 1024 * 1024
    )
    assert process.stdout is not None
    try:
        yield _lines(process.stdout)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[dict[str, Any]]:
    async for line in stream:
        yield json.loads(line)


def _tell(crowd: Crowd, phases: Sequence[tuple[str, Calls]]) -> None:
    for name, calls in phases:
        console.print(
            f"Calls {name}: GET {spread(calls.shown)} ms, POST {spread(calls.submitted)} ms; "
            f"the API takes {spread(calls.api_percent, 0)} % of a processor"
        )
    console.print(
        f"{CROWD} join in {spread(crowd.join_seconds)} s; the API then holds "
        f"{spread(crowd.resident_mib, 0)} MiB; words come {spread(crowd.late_ms)} ms late"
    )
