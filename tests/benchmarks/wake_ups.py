"""How soon an agent that stays begins to look at a message: one that sleeps, and one that listens.

The message goes through the API within this process. The baseline is told in the same way, through
an API of one route, made with the same framework, that does nothing but call Temporal: a bare
workflow on the same server gets a signal with start, or a signal while it is open. Its first
activity, a local one like the agent's, notes the time. Its worker keeps to Temporal's defaults, so
that a new workflow passes through the sandbox for workflow code. The model plays no part: it is
asked only later.

So the difference is what AgentOS does before it tells the workflow: checks, a line in the log, and
the row in PostgreSQL that a message is first. It is measured until the transaction begins in which
the message is taken, the first thing that the activity does. What the signal takes without any API,
and what HTTP adds to the message, is shown beside it.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from uuid import uuid4

import httpx
from fastapi import FastAPI
from pydantic import BaseModel

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
EFFORT = Effort(least=20, most=60, seconds=20)
# Until whoever was just told something has come to rest.
REST_SECONDS = 0.4
WARM_UPS = 3
MORE = 10
MESSAGE = {"content": "Are you there?"}


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
    async with _bare_api(stage) as bare_api:
        for name, bound, ours, bare in (
            ("sleeps", ASLEEP, asleep, _bare_asleep_ms),
            ("listens", AWAKE, awake, _bare_awake_ms),
        ):
            for _ in range(WARM_UPS):
                await ours()
                await bare(stage, bare_api)
            pairs = await measure(ours, partial(bare, stage, bare_api), bound, EFFORT)
            over_http = [await ours(None) for _ in range(MORE)]
            signals = [await bare(stage, None) for _ in range(MORE)]
            verdict = compare(
                f"A message to an agent that {name}, until it is looked at",
                pairs,
                baseline_name="a bare API that signals a bare workflow, until its local activity",
                unit="ms",
                bound=bound,
                rows=[
                    ("the message over HTTP (ms)", spread(over_http)),
                    ("the signal without an API (ms)", spread(signals)),
                ],
            )
            verdicts.append(verdict)
    return max(verdicts)


class _Message(BaseModel):
    content: str


@asynccontextmanager
async def _bare_api(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()

    @app.post("/{workflow_id}/{count}", status_code=202)
    async def begin(workflow_id: str, count: int, message: _Message) -> dict[str, str]:
        assert message.content
        await _begin(stage, workflow_id, count)
        return {"id": workflow_id}

    @app.post("/{workflow_id}", status_code=202)
    async def tell(workflow_id: str, message: _Message) -> dict[str, str]:
        assert message.content
        await _tell(stage, workflow_id)
        return {"id": workflow_id}

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def _bare_asleep_ms(stage: Stage, api: httpx.AsyncClient | None) -> float:
    await asyncio.sleep(REST_SECONDS)
    workflow_id = f"bare-{uuid4()}"
    began = time.time()
    if api is None:
        await _begin(stage, workflow_id, 1)
    else:
        (await api.post(f"/{workflow_id}/1", json=MESSAGE)).raise_for_status()
    [noted] = await _noted(stage, workflow_id)
    return (noted - began) * 1_000


async def _bare_awake_ms(stage: Stage, api: httpx.AsyncClient | None) -> float:
    workflow_id = f"bare-{uuid4()}"
    await _begin(stage, workflow_id, 2)
    await asyncio.sleep(REST_SECONDS)
    began = time.time()
    if api is None:
        await _tell(stage, workflow_id)
    else:
        (await api.post(f"/{workflow_id}", json=MESSAGE)).raise_for_status()
    [_, noted] = await _noted(stage, workflow_id)
    return (noted - began) * 1_000


async def _noted(stage: Stage, workflow_id: str) -> list[float]:
    noted: list[float] = await stage.temporal.get_workflow_handle(workflow_id).result()
    return noted


async def _tell(stage: Stage, workflow_id: str) -> None:
    await stage.temporal.get_workflow_handle(workflow_id).signal(LOOK, 2)


async def _begin(stage: Stage, workflow_id: str, count: int) -> None:
    """A bare workflow that is started by its first signal, and ends with that number ``count``."""
    await stage.temporal.start_workflow(
        BareListener.run,
        args=[count],
        id=workflow_id,
        task_queue=TASK_QUEUE,
        execution_timeout=LONGEST_RUN,
        start_signal=LOOK,
        start_signal_args=[1],
    )
