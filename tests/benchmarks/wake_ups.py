"""How soon an agent that stays begins to look at a message: one that sleeps, and one that listens.

The message goes through the API within this process, and its baseline is told from this process,
too: a bare workflow on the same Temporal server, by a signal with start, or by a signal while it is
open. Its first activity, a local one like the agent's, notes the time. Its worker keeps to
Temporal's defaults, so that a new workflow passes through the sandbox for workflow code. The model
plays no part: it is asked only later.

So the difference is what AgentOS does before it tells the workflow: checks, and the row in
PostgreSQL that a message is first. It is measured until the transaction begins in which the message
is taken, the first thing that the activity does. What HTTP adds is shown beside it.
"""

import asyncio
import time
from functools import partial
from uuid import uuid4

import httpx
from temporalio.client import WorkflowHandle

from activities.store.database import Database
from tests.benchmarks.bare import LONGEST_RUN, TASK_QUEUE
from tests.benchmarks.bare_signals import LOOK, BareListener
from tests.benchmarks.in_process import api_in_process
from tests.benchmarks.judgement import Bound, Effort, Verdict, measure
from tests.benchmarks.model import say
from tests.benchmarks.report import compare, spread
from tests.benchmarks.residents import Resident
from tests.benchmarks.stage import Stage

ASLEEP = Bound(most=1.5)
AWAKE = Bound(most=1.3)
EFFORT = Effort(least=20, most=100, seconds=25)
# Until whoever was just told something has come to rest.
REST_SECONDS = 0.2
WARM_UPS = 3
OVER_HTTP = 10


async def both(stage: Stage) -> Verdict:
    """A message to an agent against a signal to a bare workflow, until it is looked at."""
    database = Database(stage.services.database_url)
    try:
        async with api_in_process(stage, database) as api:
            return await _both(stage, await stage.models.add("woken", [say("Here.")]), api)
    finally:
        await database.close()


async def _both(stage: Stage, model: str, api: httpx.AsyncClient) -> Verdict:
    async def asleep(http: httpx.AsyncClient | None = api) -> float:
        resident = await Resident.create(stage, model)
        await asyncio.sleep(REST_SECONDS)
        return await resident.look_ms(http)

    async def awake(http: httpx.AsyncClient | None = api) -> float:
        resident = await Resident.create(stage, model)
        await resident.look_ms(http)
        await asyncio.sleep(REST_SECONDS)
        return await resident.look_ms(http)

    verdicts = []
    for name, bound, ours, bare, told in (
        ("sleeps", ASLEEP, asleep, _bare_asleep_ms, "a signal with start of a bare workflow"),
        ("listens", AWAKE, awake, _bare_awake_ms, "a signal to a bare workflow that is open"),
    ):
        for _ in range(WARM_UPS):
            await ours()
            await bare(stage)
        pairs = await measure(ours, partial(bare, stage), bound, EFFORT)
        over_http = [await ours(None) for _ in range(OVER_HTTP)]
        verdict = compare(
            f"A message to an agent that {name}, until it is looked at",
            pairs,
            baseline_name=f"{told}, until its first local activity",
            unit="ms",
            bound=bound,
            rows=[("AgentOS over HTTP (ms)", spread(over_http))],
        )
        verdicts.append(verdict)
    return max(verdicts)


async def _bare_asleep_ms(stage: Stage) -> float:
    await asyncio.sleep(REST_SECONDS)
    began = time.time()
    [noted] = await (await _told(stage, 1)).result()
    return (noted - began) * 1_000


async def _bare_awake_ms(stage: Stage) -> float:
    handle = await _told(stage, 2)
    await asyncio.sleep(2 * REST_SECONDS)
    began = time.time()
    await handle.signal(LOOK, 2)
    [_, noted] = await handle.result()
    return (noted - began) * 1_000


async def _told(stage: Stage, count: int) -> WorkflowHandle[BareListener, list[float]]:
    """A bare workflow that was started by its first signal, and ends with that number ``count``."""
    return await stage.temporal.start_workflow(
        BareListener.run,
        args=[count],
        id=f"bare-{uuid4()}",
        task_queue=TASK_QUEUE,
        execution_timeout=LONGEST_RUN,
        start_signal=LOOK,
        start_signal_args=[1],
    )
