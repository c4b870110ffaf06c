"""The bell by which readers are woken."""

import asyncio

import pytest

from api.http.notifications import Bell


@pytest.mark.parametrize("steps", range(4))
async def test_who_waits_can_be_stopped_in_any_moment_after_it_was_rung(steps: int) -> None:
    bell = Bell()
    waiting = asyncio.create_task(bell.wait(60))
    for _ in range(3):
        await asyncio.sleep(0)
    bell.ring()
    for _ in range(steps):
        await asyncio.sleep(0)
    if not waiting.done():
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert waiting.done()


async def test_a_ring_is_heard_once_however_often_it_was_rung() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    assert await bell.wait(60)
    assert not await bell.wait(0.01)
