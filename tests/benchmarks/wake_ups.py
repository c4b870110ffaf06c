"""How soon an agent that stays begins to look at a message: one that sleeps, and one that listens.

The baseline is a bare workflow on the same Temporal server, whose first activity, a local one like
the agent's, notes the time. It is told by the same kind of call, over a connection that is kept
open: a signal with start, or a signal while it is open. Its worker keeps to Temporal's defaults, so
the workflow also passes through the sandbox for workflow code, which costs a new one a few ms. The
model plays no part: it is asked only later.

So the difference is what AgentOS does before it tells the workflow, for which a message is a row
first: an HTTP request with its checks, and the row in PostgreSQL. It is measured from the moment
in which the request is sent until the transaction begins in which the message is taken, the first
thing that the activity does.
"""

import asyncio
import time
from uuid import uuid4

from temporalio.client import WorkflowHandle

from tests.benchmarks.bare import LONGEST_RUN, TASK_QUEUE
from tests.benchmarks.bare_signals import LOOK, BareListener
from tests.benchmarks.judgement import Bound, Effort, Verdict, measure
from tests.benchmarks.model import say
from tests.benchmarks.report import compare
from tests.benchmarks.residents import Resident
from tests.benchmarks.stage import Stage

ASLEEP = Bound(most=1.5)
AWAKE = Bound(most=1.3)
EFFORT = Effort(least=20, most=100, seconds=20)
# Until whoever was just told something has come to rest.
REST_SECONDS = 0.2


async def both(stage: Stage) -> Verdict:
    """A message to an agent against a signal to a bare workflow, until it is looked at."""
    model = await stage.models.add("woken", [say("Here.")])
    for _ in range(3):  # The first ones fill caches.
        await _asleep_ms(stage, model)
        await _bare_asleep_ms(stage)
    asleep = await measure(
        lambda: _asleep_ms(stage, model), lambda: _bare_asleep_ms(stage), ASLEEP, EFFORT
    )
    awake = await measure(
        lambda: _awake_ms(stage, model), lambda: _bare_awake_ms(stage), AWAKE, EFFORT
    )
    return max(
        compare(
            "A message to an agent that sleeps, until it is looked at",
            asleep,
            baseline_name="a signal with start of a bare workflow, until its first local activity",
            unit="ms",
            bound=ASLEEP,
        ),
        compare(
            "A message to an agent that listens, until it is looked at",
            awake,
            baseline_name="a signal to a bare workflow that is open, until its local activity",
            unit="ms",
            bound=AWAKE,
        ),
    )


async def _asleep_ms(stage: Stage, model: str) -> float:
    resident = await Resident.create(stage, model)
    await asyncio.sleep(REST_SECONDS)
    return await resident.look_ms()


async def _awake_ms(stage: Stage, model: str) -> float:
    resident = await Resident.create(stage, model)
    await resident.look_ms()
    await asyncio.sleep(REST_SECONDS)
    return await resident.look_ms()


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
