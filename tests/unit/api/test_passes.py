"""When passes are made."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

from api.passes import LEAST_PAUSE_SECONDS, Passes

LONG = 60.0
SLOW_SECONDS = 0.03


@asynccontextmanager
async def running(passes: Passes) -> AsyncIterator[None]:
    task = asyncio.create_task(passes.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def made(
    times: int, passes: Callable[[Callable[[], Awaitable[None]]], Passes]
) -> list[float]:
    """When so many slow passes began."""
    began: list[float] = []
    enough = asyncio.Event()

    async def make() -> None:
        began.append(time.monotonic())
        await asyncio.sleep(SLOW_SECONDS)
        if len(began) == times:
            enough.set()

    async with running(passes(make)), asyncio.timeout(LONG):
        await enough.wait()
    return began


async def test_passes_without_an_interval_are_made_one_after_the_other() -> None:
    began = await made(3, lambda make: Passes("a", make, 0.0, LONG))
    assert len(began) == 3


async def test_passes_that_rest_do_so_from_the_end_of_one_to_the_next() -> None:
    interval = 0.05
    began = await made(4, lambda make: Passes("a", make, interval, LONG, rest=True))
    for one, other in pairwise(began):
        assert other - one >= SLOW_SECONDS + interval - 0.005  # Clocks tick.


async def test_passes_without_an_interval_that_fail_make_a_pause() -> None:
    tries = 0

    async def make() -> None:
        nonlocal tries
        tries += 1
        raise TimeoutError

    async with running(Passes("a", make, 0.0, LONG)):
        await asyncio.sleep(5 * LEAST_PAUSE_SECONDS)
    assert 1 <= tries <= 5
