"""Many who watch the same agent: they must cost workflow history nothing."""

import asyncio
import statistics
import time
from dataclasses import dataclass

from tests.benchmarks.history import HistoryCost, costs_of_runs
from tests.benchmarks.model import finish
from tests.benchmarks.processes import processor_seconds
from tests.benchmarks.report import console, judge, spread
from tests.benchmarks.stage import Stage

VIEWERS = 50
ROUNDS = 3
WORDS = ["word "] * 300
PAUSE_SECONDS = 0.01
# The ids of workers and requests, and numbers, are not always of one length.
NOISE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Watched:
    seconds: float
    api_seconds: float
    """What the API used of a processor."""
    history: HistoryCost


async def at_once(stage: Stage) -> bool:
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
