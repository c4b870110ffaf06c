"""Breakers of several workers on one database."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import pytest

from activities.breakers.breakers import Breakers
from activities.breakers.errors import BreakerOpen
from activities.breakers.options import BreakerOptions
from activities.breakers.watched import of_model, of_server, of_tool
from activities.store import breakers as store
from activities.store import keys
from activities.store.breakers import BreakerKey
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from tests.databases import hang_up
from tests.pressure import allowed
from workflows.errors.mcp import McpToolFailed
from workflows.errors.models import ModelUnavailable
from workflows.errors.tools import ToolTimedOut
from workflows.states import BreakerState

OPTIONS = BreakerOptions(calls=4, open_seconds=0.3, longest_seconds=60.0)
STAYS_OPEN = replace(OPTIONS, open_seconds=60.0)
TOOL = of_tool("fetch")
KEY = BreakerKey(DEFAULT_TEAM, TOOL.name)


@asynccontextmanager
async def workers(
    database: Database, count: int, options: BreakerOptions = OPTIONS
) -> AsyncIterator[list[Breakers]]:
    """The breakers of so many workers, which follow each other."""
    made = [Breakers(database, options) for _ in range(count)]
    running = [asyncio.create_task(each.run()) for each in made]
    try:
        yield made
    finally:
        for each in made:
            await each.close()
        for task in running:
            task.cancel()
        await asyncio.wait(running)


async def fail(breakers: Breakers, times: int = OPTIONS.calls) -> None:
    for _ in range(times):
        with pytest.raises(ToolTimedOut):
            async with breakers.guard(DEFAULT_TEAM, TOOL):
                raise ToolTimedOut(tool="fetch", seconds=1)


async def passes(breakers: Breakers) -> bool:
    try:
        async with breakers.guard(DEFAULT_TEAM, TOOL):
            return True
    except BreakerOpen:
        return False


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(allowed(seconds)):
        while not holds():
            await asyncio.sleep(0.005)


def is_open(breakers: Breakers) -> bool:
    return not breakers.known(KEY).breaker.is_closed


async def test_a_breaker_that_opens_is_open_to_every_worker_within_a_second(
    database: Database,
) -> None:
    async with workers(database, 3, STAYS_OPEN) as (one, *others):
        await asyncio.gather(*(each.refresh() for each in others))
        await fail(one)
        began = time.monotonic()
        await until(lambda: all(is_open(each) for each in others))
        assert time.monotonic() - began < allowed(1.0)
        with pytest.raises(
            BreakerOpen, match=r"tool:fetch .* 4 of 4 calls failed.* next try is in"
        ):
            async with others[0].guard(DEFAULT_TEAM, TOOL):
                raise AssertionError
    stored = await store.find(database, KEY)
    assert stored is not None
    assert (stored.state, stored.failures, stored.calls) == (BreakerState.OPEN, 4, 4)
    assert stored.reason == "4 of 4 calls failed, the last with tool-timed-out"


async def test_a_closed_breaker_costs_no_statement(database: Database, queries: list[str]) -> None:
    breakers = Breakers(database, OPTIONS)
    for _ in range(100):
        assert await passes(breakers)
    await fail(breakers, 1)
    await breakers.close()
    assert queries == []


async def test_one_of_many_calls_of_many_workers_tries_and_its_success_closes_for_all(
    database: Database,
) -> None:
    tries = 0
    release = asyncio.Event()

    async def attempt(breakers: Breakers) -> None:
        nonlocal tries
        try:
            async with breakers.guard(DEFAULT_TEAM, TOOL):
                tries += 1
                await release.wait()
        except BreakerOpen:
            pass

    async with workers(database, 3) as all_:
        await fail(all_[0])
        await until(lambda: all(is_open(each) for each in all_))
        await asyncio.sleep(OPTIONS.open_seconds * 1.3)
        calls = [asyncio.create_task(attempt(each)) for each in all_ for _ in range(50)]
        await until(lambda: sum(call.done() for call in calls) == len(calls) - 1)
        assert tries == 1
        release.set()
        await asyncio.gather(*calls)
        await until(lambda: not any(is_open(each) for each in all_))
        assert [await passes(each) for each in all_] == [True, True, True]


async def test_a_try_that_fails_opens_the_breaker_for_longer(database: Database) -> None:
    breakers = Breakers(database, OPTIONS)
    await fail(breakers)
    await breakers.close()
    await asyncio.sleep(OPTIONS.open_seconds * 1.3)
    await fail(breakers, 1)
    await breakers.close()
    stored = await store.find(database, KEY)
    assert stored is not None
    assert stored.until is not None
    assert stored.opened_at is not None
    assert stored.state is BreakerState.OPEN
    assert stored.reason == "the last try failed with tool-timed-out"
    assert (stored.until - stored.opened_at).total_seconds() > 3 * OPTIONS.open_seconds
    assert not await passes(breakers)


async def test_a_try_that_is_cancelled_leaves_the_next_call_to_try(database: Database) -> None:
    breakers = Breakers(database, OPTIONS)
    await fail(breakers)
    await breakers.close()
    await asyncio.sleep(OPTIONS.open_seconds * 1.3)

    async def hang() -> None:
        async with breakers.guard(DEFAULT_TEAM, TOOL):
            await asyncio.sleep(60)

    hanging = asyncio.create_task(hang())
    await until(lambda: breakers.known(KEY).breaker.refusal is not None)
    await asyncio.sleep(0.05)
    hanging.cancel()
    await asyncio.wait([hanging])
    await breakers.close()
    assert await passes(breakers)
    await breakers.close()
    stored = await store.find(database, KEY)
    assert stored is not None
    assert stored.state is BreakerState.CLOSED


async def test_a_try_that_is_lost_with_its_worker_is_made_by_another(database: Database) -> None:
    breakers = Breakers(database, OPTIONS)
    await fail(breakers)
    await breakers.close()
    await asyncio.sleep(OPTIONS.open_seconds * 1.3)
    assert await store.elect(database, KEY, "a worker that dies", 0.2)
    assert not await passes(breakers)
    await asyncio.sleep(0.3)
    assert await passes(breakers)


async def test_an_outcome_of_a_try_that_was_given_up_changes_nothing(database: Database) -> None:
    breakers = Breakers(database, OPTIONS)
    await fail(breakers)
    await breakers.close()
    await asyncio.sleep(OPTIONS.open_seconds * 1.3)
    assert await store.elect(database, KEY, "slow", 0.0)
    assert await store.elect(database, KEY, "quick", 60.0)
    assert await store.close(database, KEY, "slow") is None
    assert await store.renew(database, KEY, "slow", 60.0) is False
    assert await store.close(database, KEY, "quick") is not None


async def test_the_breaker_of_one_team_is_not_anothers(database: Database) -> None:
    other = await keys.create_team(database, f"team-{uuid4()}")
    async with workers(database, 1, STAYS_OPEN) as [breakers]:
        await fail(breakers)
        assert not await passes(breakers)
        async with breakers.guard(other, TOOL):
            pass


async def test_a_failure_counts_against_what_failed_alone(database: Database) -> None:
    breakers = Breakers(database, STAYS_OPEN)
    watched = (of_tool("mcp.s.t"), of_server("s"))
    for _ in range(2 * OPTIONS.calls):
        with pytest.raises(ModelUnavailable):
            async with breakers.guard(DEFAULT_TEAM, *watched):
                raise ModelUnavailable(model="m", reason="r")
        with pytest.raises(McpToolFailed):
            async with breakers.guard(DEFAULT_TEAM, *watched):
                raise McpToolFailed(server="s", tool="t")
    for _ in range(OPTIONS.calls):
        with pytest.raises(ModelUnavailable):
            async with breakers.guard(DEFAULT_TEAM, of_model("m")):
                raise ModelUnavailable(model="m", reason="r")
    async with breakers.guard(DEFAULT_TEAM, *watched):
        pass
    with pytest.raises(BreakerOpen, match="model:m"):
        async with breakers.guard(DEFAULT_TEAM, of_model("m")):
            raise AssertionError
    await breakers.close()


async def test_a_breaker_opens_without_the_database_and_is_told_once_it_is_back(
    database: Database,
) -> None:
    away = Database("postgresql+asyncpg://nobody@127.0.0.1:9/none")
    breakers = Breakers(away, STAYS_OPEN)
    await fail(breakers)
    assert not await passes(breakers)
    await breakers.close()
    await away.close()


async def test_a_change_that_nobody_heard_of_is_read_once_the_connection_is_back(
    database: Database, database_url: str
) -> None:
    async with workers(database, 1, STAYS_OPEN) as [breakers]:
        await asyncio.sleep(0.2)
        await hang_up(database_url, "LISTEN%agentos_breakers%")
        other = Breakers(database, STAYS_OPEN)
        await fail(other)
        await until(lambda: is_open(breakers))
        await other.close()


async def test_counts_from_before_a_change_do_not_open_a_breaker_again(
    database: Database,
) -> None:
    late, other = Breakers(database, OPTIONS), Breakers(database, OPTIONS)
    await fail(late, OPTIONS.calls - 1)
    await fail(other)
    await other.close()
    await asyncio.sleep(OPTIONS.open_seconds * 1.3)
    assert await passes(other)
    await other.close()
    await fail(late, 1)
    assert not await passes(late), "as long as it is not told otherwise"
    await late.close()
    assert await passes(late)
    stored = await store.find(database, KEY)
    assert stored is not None
    assert stored.state is BreakerState.CLOSED
