"""Equal steps at once: one runs, and the others wait for it."""

import asyncio

import pytest
from sqlalchemy import text
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from tests.integration.agent_desk import Desk
from tests.integration.cached_steps import DICE, code, run
from tests.pressure import allowed


async def test_two_equal_steps_at_once_on_two_workers_run_once(dice: Desk) -> None:
    step = code(f"import time; time.sleep(1.5)\n{DICE}")
    outcomes = await asyncio.gather(*(run(dice, step) for _ in range(3)))
    assert len({outcome.stdout for outcome in outcomes}) == 1
    assert sorted(outcome.cached for outcome in outcomes) == [False, True, True]


async def test_when_the_one_that_runs_fails_the_one_that_waits_runs(dice: Desk) -> None:
    step = code("import time; time.sleep(1); raise SystemExit(3)")
    outcomes = await asyncio.gather(*(run(dice, step) for _ in range(2)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ApplicationError] * 2


async def test_one_that_waits_for_an_equal_step_stops_as_soon_as_it_is_cancelled(
    dice: Desk,
) -> None:
    step = code(f"import time; time.sleep(20)\n{DICE}")
    first = asyncio.create_task(run(dice, step))
    await claimed(dice)
    environment = ActivityEnvironment()
    second = asyncio.create_task(run(dice, step, environment=environment))
    await asyncio.sleep(1.0)
    environment.cancel()
    clock = asyncio.get_running_loop().time
    started = clock()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert clock() - started < allowed(1.0)
    assert not first.done()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await owners(dice) == 0, "a cancelled step gives its claim back"


async def claimed(dice: Desk) -> None:
    async with asyncio.timeout(allowed(20)):
        while not await owners(dice):
            await asyncio.sleep(0.05)


async def owners(dice: Desk) -> int:
    owned = "SELECT count(*) FROM result_cache WHERE owned_until > now()"
    async with dice.database.reading() as connection:
        return int(await connection.scalar(text(owned)) or 0)
