import asyncio

from temporalio.testing import ActivityEnvironment

from activities.attempts.heartbeat import INTERVAL_SECONDS, heartbeating


async def test_beats_come_while_a_block_runs_and_none_after_it() -> None:
    environment = ActivityEnvironment()
    beats: asyncio.Queue[tuple[int, ...]] = asyncio.Queue()
    environment.on_heartbeat = lambda *details: beats.put_nowait(details)

    async def work() -> None:
        async with heartbeating(7):
            assert await beats.get() == (7,)
            assert await beats.get() == (7,)
        await asyncio.sleep(2 * INTERVAL_SECONDS)
        assert beats.empty()

    await environment.run(work)


async def test_a_block_that_is_over_at_once_has_no_beat() -> None:
    environment = ActivityEnvironment()
    beats: list[tuple[int, ...]] = []
    environment.on_heartbeat = lambda *details: beats.append(details)

    async def work() -> None:
        async with heartbeating():
            pass
        await asyncio.sleep(2 * INTERVAL_SECONDS)

    await environment.run(work)
    assert beats == []
