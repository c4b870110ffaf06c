"""The limit on an agent's time, which stands still while people are waited for."""

import asyncio

import pytest

from workflows.working_time import WorkingTime

LIMIT_SECONDS = 0.2
LONGER_SECONDS = 0.3
FOR_EVER_SECONDS = 60


async def test_work_that_exceeds_its_time_limit_is_ended() -> None:
    working_time = WorkingTime(LIMIT_SECONDS, 0)
    with pytest.raises(TimeoutError):
        async with working_time:
            await asyncio.sleep(FOR_EVER_SECONDS)
    assert working_time.is_used_up


async def test_time_without_a_limit_is_counted_and_never_used_up() -> None:
    async with WorkingTime() as working_time:
        await asyncio.sleep(LIMIT_SECONDS)
    assert working_time.used_seconds >= LIMIT_SECONDS
    assert not working_time.is_used_up


async def test_time_that_was_used_before_counts() -> None:
    working_time = WorkingTime(FOR_EVER_SECONDS, FOR_EVER_SECONDS + 1)
    with pytest.raises(TimeoutError):
        async with working_time:
            await asyncio.sleep(FOR_EVER_SECONDS)


async def test_time_stands_still_while_it_is_halted() -> None:
    async with WorkingTime(LIMIT_SECONDS, 0) as working_time:
        working_time.halt()
        halted_at = working_time.used_seconds
        await asyncio.sleep(LONGER_SECONDS)
        assert working_time.used_seconds == halted_at
        working_time.go_on()
    assert not working_time.is_used_up


async def test_a_halt_gives_no_time_anew() -> None:
    working_time = WorkingTime(LIMIT_SECONDS, 0)

    async def halt_over_and_over() -> None:
        async with working_time:
            while True:
                await asyncio.sleep(0.01)
                working_time.halt()
                working_time.go_on()

    with pytest.raises(TimeoutError):
        await halt_over_and_over()


async def test_going_on_twice_or_halting_twice_changes_nothing() -> None:
    async with WorkingTime(FOR_EVER_SECONDS, 0) as working_time:
        working_time.go_on()
        await asyncio.sleep(0.01)
        working_time.halt()
        used = working_time.used_seconds
        working_time.halt()
        assert working_time.used_seconds == used > 0


async def test_a_wait_for_a_person_may_end_while_the_deadline_ends_it() -> None:
    working_time = WorkingTime(LIMIT_SECONDS, 0)

    async def wait_for_a_person() -> None:
        try:
            await asyncio.sleep(FOR_EVER_SECONDS)
        finally:
            working_time.halt()
            working_time.go_on()

    with pytest.raises(TimeoutError):
        async with working_time:
            await wait_for_a_person()


async def test_a_run_that_was_reset_has_its_time_once_more() -> None:
    working_time = WorkingTime(LIMIT_SECONDS, LIMIT_SECONDS, begins_anew=True)
    began_at = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        async with working_time:
            await asyncio.sleep(FOR_EVER_SECONDS)
    assert asyncio.get_running_loop().time() - began_at >= LIMIT_SECONDS
