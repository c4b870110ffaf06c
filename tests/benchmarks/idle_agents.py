"""10,000 agents that stay and have nothing to do: they are rows, and nothing else.

They are written by one statement, as 10,000 requests would take minutes: it is what they cost that
is measured, not how they are made. Some of them are then written to, answer, and sleep again.
"""

import asyncio
import time
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import text

from activities.store.database import Database
from tests.benchmarks.judgement import Bound, Verdict
from tests.benchmarks.model import say
from tests.benchmarks.processes import resident_mib
from tests.benchmarks.report import judge, judge_median
from tests.benchmarks.residents import AGENTS, Resident
from tests.benchmarks.stage import Stage

AGENTS_IDLE = 10_000
WARM_UPS = 20
SAMPLE = 100
AT_ONCE = 4
PAGES = 20
PAGE_MS = Bound(most=50.0)
# What the worker may hold more: of anything that it kept for each, 10,000 times 2 KiB would show.
MOST_GROWTH_MIB = 16
# Those that answered listen for half a minute, and visibility lags a little behind.
PATIENCE_SECONDS = 90
_POLL_SECONDS = 1.0


async def ten_thousand(stage: Stage) -> Verdict:
    """10,000 idle agents: open workflows, memory of the worker, whether any answers."""
    model = await stage.models.add("idle", [say("Here.")])
    database = Database(stage.services.database_url)
    try:
        await _answers(stage, [await Resident.create(stage, model) for _ in range(WARM_UPS)])
        since = datetime.now(UTC).isoformat()
        before = resident_mib(stage.pid_of("worker"))
        sample = await _fill(stage, database, await Resident.create(stage, model))
        is_quick = await _pages(stage)
        idle = resident_mib(stage.pid_of("worker"))
        open_before = await _open(stage, since)
        answered = await _answers(stage, sample)
        open_after = await _asleep(stage, since)
        after = resident_mib(stage.pid_of("worker"))
    finally:
        await database.close()
    return max(
        is_quick,
        judge(
            f"Open workflows of {AGENTS_IDLE:,} agents: {open_before}; of the {answered} of "
            f"{SAMPLE} that were written to, and answered: {open_after} once they sleep again",
            kept=open_before == open_after == 0 and answered == SAMPLE,
            bound="none, all, none",
        ),
        judge(
            f"Memory of the worker: {before:.0f} MiB without them, {idle:.0f} MiB with them, "
            f"{after:.0f} MiB after {SAMPLE} have answered",
            kept=max(idle, after) - before <= MOST_GROWTH_MIB,
            bound=f"at most {MOST_GROWTH_MIB} more",
        ),
    )


async def _fill(stage: Stage, database: Database, like: Resident) -> list[Resident]:
    """Write them, in the likeness of one; gives some of them, from all over."""
    values = {"like_id": like.id, "count": AGENTS_IDLE, "name": f"idle-{uuid4()}"}
    rows = await database.execute(_FILL, values)
    return [Resident(stage, str(row.id)) for row in rows[:: AGENTS_IDLE // SAMPLE]]


async def _pages(stage: Stage) -> Verdict:
    taken = []
    for _ in range(PAGES):
        began = time.perf_counter()
        (await stage.http.get(AGENTS)).raise_for_status()
        taken.append((time.perf_counter() - began) * 1_000)
    return judge_median(f"The first page of {AGENTS_IDLE:,} agents", taken, "ms", PAGE_MS)


async def _answers(stage: Stage, residents: list[Resident]) -> int:
    free = asyncio.Semaphore(AT_ONCE)

    async def one(resident: Resident) -> bool:
        async with free:
            message = await resident.answered(await resident.send("Are you there?"))
            return bool((await stage.task(message["task_id"]))["status"] == "completed")

    return sum(await asyncio.gather(*map(one, residents)))


async def _asleep(stage: Stage, since: str) -> int:
    """How many workflows are open in the end."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (count := await _open(stage, since)) and time.monotonic() < until:
        await asyncio.sleep(_POLL_SECONDS)
    return count


async def _open(stage: Stage, since: str) -> int:
    query = (
        f"WorkflowType = 'ConversationWorkflow' AND StartTime >= '{since}' "
        "AND ExecutionStatus = 'Running'"
    )
    return (await stage.temporal.count_workflows(query)).count


_FILL = text(
    """
    INSERT INTO agents
        (id, team_id, name, depth, definition, message_seq, told_seq, told_at, exchanges,
         created_at, updated_at)
    SELECT gen_random_uuid(), team_id, CAST(:name AS text) || n, 0, definition, 0, 0, now(), 0,
           now(), now()
    FROM agents, generate_series(1, CAST(:count AS int)) AS n
    WHERE id = CAST(:like_id AS uuid)
    RETURNING id
    """
)
