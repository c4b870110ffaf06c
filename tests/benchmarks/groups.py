"""One message to a group of 20 agents that stay, until all have it read: each of them has taken it,
has asked its model, which has nothing to say, and its exchange has ended.

The baseline is 20 bare workflows, each begun by a signal with start. They make as many activities
of the same kinds: a local one for what is taken, one that sends an instant model the request that a
member sent, and a local one for the end. They write nothing down.
"""

import asyncio
import time
from uuid import uuid4

from sqlalchemy import text

from activities.store.database import Database
from tests.benchmarks.bare import ANSWERS, LONGEST_RUN, TASK_QUEUE
from tests.benchmarks.bare_signals import LOOK, BareMember
from tests.benchmarks.bare_turns import Conversation
from tests.benchmarks.judgement import Bound, Effort, Verdict, measure
from tests.benchmarks.model import say
from tests.benchmarks.report import compare
from tests.benchmarks.residents import Resident
from tests.benchmarks.stage import Stage
from workflows.discussions import SILENT

GROUPS = "/api/v1/groups"
MEMBERS = 20
ALL_READ = Bound(most=1.5)
EFFORT = Effort(most=20, seconds=25)
REST_SECONDS = 0.5
PATIENCE_SECONDS = 60
_POLL_SECONDS = 0.02


async def all_read(stage: Stage) -> Verdict:
    """A message to a group of 20 against 20 bare signals with start."""
    replies = [say(SILENT)]
    model = await stage.models.add("member", replies)
    database = Database(stage.services.database_url)
    try:
        await _group_ms(stage, database, model)
        request = await stage.models.last_request("member")
        bare_model = await stage.models.add("bare-member", replies)
        folder = stage.work_folder / ANSWERS
        folder.mkdir()
        Conversation(stage.models.base_url, request | {"model": bare_model}).save(folder)
        await _bare_ms(stage)
        pairs = await measure(
            lambda: _group_ms(stage, database, model), lambda: _bare_ms(stage), ALL_READ, EFFORT
        )
    finally:
        await database.close()
    return compare(
        f"A message to a group of {MEMBERS}, until all have it read",
        pairs,
        baseline_name=f"{MEMBERS} bare workflows that are told, and ask the same of a model",
        unit="ms",
        bound=ALL_READ,
    )


async def _group_ms(stage: Stage, database: Database, model: str) -> float:
    members = [await Resident.create(stage, model) for _ in range(MEMBERS)]
    ids = [member.id for member in members]
    body = {"name": f"group-{uuid4()}", "members": ids}
    group = (await stage.http.post(GROUPS, json=body)).raise_for_status().json()["id"]
    await asyncio.sleep(REST_SECONDS)
    began = time.perf_counter()
    said = await stage.http.post(f"{GROUPS}/{group}/messages", json={"content": "Lunch is at one."})
    said.raise_for_status()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await database.execute(_ENDED, {"ids": ids}))[0].count < MEMBERS:
            await asyncio.sleep(_POLL_SECONDS)
    return (time.perf_counter() - began) * 1_000


async def _bare_ms(stage: Stage) -> float:
    await asyncio.sleep(REST_SECONDS)
    began = time.perf_counter()
    await asyncio.gather(*(_bare_member(stage) for _ in range(MEMBERS)))
    return (time.perf_counter() - began) * 1_000


async def _bare_member(stage: Stage) -> None:
    handle = await stage.temporal.start_workflow(
        BareMember.run,
        id=f"bare-{uuid4()}",
        task_queue=TASK_QUEUE,
        execution_timeout=LONGEST_RUN,
        start_signal=LOOK,
        start_signal_args=[1],
    )
    await handle.result()


_ENDED = text(
    """
    SELECT count(*) AS count FROM tasks
    WHERE parent_id = ANY(CAST(:ids AS uuid[])) AND status = 'completed'
    """
)
