"""Starts of workflows: how many at once, and which first."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from api.tasks.starts import FIRST_LIMIT, MOST_AT_ONCE, Pace, Starts
from workflows.errors import RunNotEnded, TemporaryFailure


class Door:
    """Starts that wait until the door is opened; ``came`` are their names in order."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self.opened = asyncio.Event()
        self.error: Exception | None = None

    def start(self, name: str) -> Callable[[], Awaitable[str]]:
        async def come() -> str:
            self.came.append(name)
            await self.opened.wait()
            if self.error is not None:
                raise self.error
            return name

        return come


async def fill(starts: Starts, door: Door) -> list[asyncio.Future[str]]:
    """As many starts as may be made at once."""
    names = [f"first {number}" for number in range(FIRST_LIMIT)]
    filling = [starts.add(name, 1, door.start(name)) for name in names]
    await asyncio.sleep(0)
    return filling


async def test_no_more_starts_than_the_limit_are_under_way() -> None:
    starts, door = Starts(), Door()
    await fill(starts, door)
    starts.add("one more", 10, door.start("one more"))
    await asyncio.sleep(0)
    assert len(door.came) == FIRST_LIMIT
    assert not starts.has_room
    await starts.close()


async def test_the_most_urgent_start_is_made_first_and_the_older_one_of_two() -> None:
    starts, door = Starts(), Door()
    await fill(starts, door)
    waiting = [
        starts.add(name, priority, door.start(name))
        for name, priority in [("low", 1), ("high", 10), ("middle", 5), ("high, later", 10)]
    ]
    door.opened.set()
    assert await asyncio.gather(*waiting) == ["low", "high", "middle", "high, later"]
    assert door.came[FIRST_LIMIT:] == ["high", "high, later", "middle", "low"]


async def test_a_start_that_is_added_twice_is_made_once() -> None:
    starts, door = Starts(), Door()
    first, again = starts.add("a", 1, door.start("a")), starts.add("a", 9, door.start("a"))
    door.opened.set()
    assert await asyncio.gather(first, again) == ["a", "a"]
    assert door.came == ["a"]


async def test_whoever_gives_up_waiting_stops_no_start() -> None:
    starts, door = Starts(), Door()
    started = starts.add("a", 1, door.start("a"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(started), 0.01)
    again = starts.add("a", 1, door.start("b"))
    assert again is started
    door.opened.set()
    await asyncio.sleep(0.01)
    assert door.came == ["a"]
    assert await starts.add("a", 1, door.start("a, later")) == "a, later"


async def test_failures_leave_fewer_starts_at_once_and_hold_up_no_others() -> None:
    starts, door = Starts(), Door()
    door.error = TemporaryFailure(service="Temporal", reason="it is slow")
    failing = await fill(starts, door)
    door.opened.set()
    await asyncio.gather(*failing, return_exceptions=True)
    door.error, door.opened = None, asyncio.Event()
    for number in range(FIRST_LIMIT):
        starts.add(number, 1, door.start(f"later {number}"))
    await asyncio.sleep(0)
    # Half as many: those that failed together count as one failure.
    assert len(door.came) == FIRST_LIMIT + FIRST_LIMIT // 2
    await starts.close()


async def test_a_run_whose_predecessor_has_not_ended_slows_down_no_others() -> None:
    starts, door = Starts(), Door()
    door.error = RunNotEnded(service="Temporal")
    failing = await fill(starts, door)
    door.opened.set()
    await asyncio.gather(*failing, return_exceptions=True)
    door.opened = asyncio.Event()
    await fill(starts, door)
    assert len(door.came) == 2 * FIRST_LIMIT
    await starts.close()


async def test_starts_go_on_by_themselves_after_none_has_succeeded() -> None:
    starts, door = Starts(), Door()
    door.error = TemporaryFailure(service="Temporal", reason="it is away")
    door.opened.set()
    for round_number in range(8):
        failing = starts.add(round_number, 1, door.start("fails"))
        await asyncio.gather(failing, return_exceptions=True)
    assert not starts.has_room
    door.error = None
    assert await starts.add("back", 1, door.start("back")) == "back"


def test_the_pace_stays_within_its_bounds() -> None:
    pace = Pace()
    for _ in range(10_000):
        pace.quicken()
    assert pace.limit == MOST_AT_ONCE
    for _ in range(100):
        pace.slow_down(float("inf"))
    assert pace.limit == 1
