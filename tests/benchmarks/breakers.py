"""What breakers cost, how soon all know of one, and how many calls reach a tool that fails."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from statistics import median
from uuid import UUID, uuid4

from activities.breakers.breakers import Breakers
from activities.breakers.errors import BreakerOpen
from activities.breakers.options import BreakerOptions
from activities.breakers.watched import of_tool
from activities.store import keys
from activities.store.breakers import BreakerKey
from activities.store.database import Database
from tests.benchmarks.judgement import Bound, Verdict
from tests.benchmarks.report import judge, judge_median
from tests.benchmarks.stage import Stage
from workflows.errors.tools import ToolTimedOut

CALLS = 20_000
COST = Bound(most=20.0)
KNOWN = Bound(most=1_000.0)
ROUNDS = 20
WORKERS = 2
CALLERS = 16
ATTEMPTS = 1_000
CALL_SECONDS = 0.005
# Long enough that it is tried several times while all calls are made.
OPTIONS = BreakerOptions(open_seconds=0.1, longest_seconds=0.4)
MORE = ATTEMPTS * 2 // 100


async def closed(stage: Stage) -> Verdict:
    """What a call takes longer for the closed breaker that it passes."""
    breakers = Breakers(Database(stage.services.database_url))
    team_id, watched = uuid4(), of_tool("mcp.a.b")

    async def guarded() -> float:
        began = time.perf_counter()
        for _ in range(CALLS):
            async with breakers.guard(team_id, watched):
                pass
        return (time.perf_counter() - began) / CALLS * 1e6

    await guarded()
    costs = [await guarded() for _ in range(ROUNDS)]
    return judge_median("A closed breaker adds to a call", costs, "us", COST)


async def told(stage: Stage) -> Verdict:
    """From the failure that opens a breaker until another worker refuses calls."""
    async with _workers(stage, WORKERS, BreakerOptions(calls=3)) as (team_id, (one, other)):
        spans = [await _until_known(one, other, team_id, f"t{n}") for n in range(ROUNDS)]
    return judge_median("A breaker that opens is known elsewhere after", spans, "ms", KNOWN)


async def reached(stage: Stage) -> Verdict:
    """Calls of a tool that always fails, over two workers, against as many callers with a breaker
    that all of them share without delay."""
    ours, perfect = [], []
    for _ in range(ROUNDS // 2):
        for workers, counts in ((WORKERS, ours), (1, perfect)):
            async with _workers(stage, workers, OPTIONS) as (team_id, all_):
                counts.append(await _storm(all_, team_id))
    excess = median(ours) - median(perfect)
    figure = (
        f"Of {ATTEMPTS:,} calls of a failing tool, {median(ours):.0f} reach it "
        f"[{min(ours)} - {max(ours)}], past a perfect breaker {median(perfect):.0f} "
        f"[{min(perfect)} - {max(perfect)}]"
    )
    return judge(figure, kept=excess <= MORE, bound=f"at most {MORE} more")


@asynccontextmanager
async def _workers(
    stage: Stage, count: int, options: BreakerOptions
) -> AsyncIterator[tuple[UUID, Sequence[Breakers]]]:
    """The breakers of so many workers, each on a pool of its own, for a new team."""
    databases = [Database(stage.services.database_url) for _ in range(count)]
    team_id = await keys.create_team(databases[0], f"breakers-{uuid4()}")
    all_ = [Breakers(database, options) for database in databases]
    running = [asyncio.create_task(each.run()) for each in all_]
    await asyncio.sleep(0.3)  # They connect, and read.
    try:
        yield team_id, all_
    finally:
        for each in all_:
            await each.close()
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        for database in databases:
            await database.close()


async def _until_known(one: Breakers, other: Breakers, team_id: UUID, name: str) -> float:
    key = BreakerKey(team_id, of_tool(name).name)
    while one.known(key).breaker.is_closed:
        await _fail(one, team_id, name)
    began = time.perf_counter()
    while other.known(key).breaker.is_closed:
        await asyncio.sleep(0.001)
    return (time.perf_counter() - began) * 1e3


async def _storm(all_: Sequence[Breakers], team_id: UUID) -> int:
    """How many of the calls reach the tool."""
    left, count = ATTEMPTS, 0

    async def caller(breakers: Breakers) -> None:
        nonlocal left, count
        while left:
            left -= 1
            if await _fail(breakers, team_id, "tool", CALL_SECONDS):
                count += 1
            else:
                await asyncio.sleep(CALL_SECONDS)

    callers = (caller(all_[number % len(all_)]) for number in range(CALLERS))
    await asyncio.gather(*callers)
    return count


async def _fail(breakers: Breakers, team_id: UUID, name: str, seconds: float = 0.0) -> bool:
    """Whether the call was made."""
    try:
        async with breakers.guard(team_id, of_tool(name)):
            await asyncio.sleep(seconds)
            raise ToolTimedOut(tool=name, seconds=1)
    except BreakerOpen:
        return False
    except ToolTimedOut:
        return True
