"""Sending what a block tells of, by a timer."""

import asyncio

import pytest

from activities.attempts.sending import Sender

SOON_SECONDS = 0.001
LONG_SECONDS = 60.0


class Post:
    """Sends when it is let, and counts."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.sent = 0
        self._failure = failure

    async def send(self) -> None:
        self.begun.set()
        await self.may_end.wait()
        if self._failure is not None:
            raise self._failure
        self.sent += 1


async def test_a_block_that_ends_at_once_sends_nothing_and_starts_no_task() -> None:
    post, tasks = Post(), asyncio.all_tasks()
    sender = Sender(post.send)
    async with sender.running():
        sender.within(SOON_SECONDS)
        assert asyncio.all_tasks() == tasks
    sender.within(0)
    await asyncio.sleep(10 * SOON_SECONDS)
    assert not post.begun.is_set()


async def test_what_hurries_is_sent_before_what_may_wait() -> None:
    post = Post()
    post.may_end.set()
    sender = Sender(post.send)
    async with sender.running():
        sender.within(LONG_SECONDS)
        sender.within(SOON_SECONDS)
        sender.within(LONG_SECONDS)
        await post.begun.wait()
    assert post.sent == 1


async def test_what_is_under_way_at_the_end_of_a_block_is_let_through() -> None:
    post = Post()
    sender = Sender(post.send)
    async with sender.running():
        sender.within(0)
        await post.begun.wait()
        asyncio.get_running_loop().call_later(SOON_SECONDS, post.may_end.set)
    assert post.sent == 1


async def test_what_is_told_while_something_is_under_way_is_sent_after_it() -> None:
    post = Post()
    sender = Sender(post.send)
    async with sender.running():
        sender.within(0)
        await post.begun.wait()
        sender.within(SOON_SECONDS)
        await asyncio.sleep(10 * SOON_SECONDS)
        post.begun.clear()
        post.may_end.set()
        await post.begun.wait()
    assert post.sent == 2


async def test_what_is_told_while_something_is_under_way_waits_from_the_end_of_that() -> None:
    """However slow the database is, it has a pause between two."""
    post, pause_seconds = Post(), 0.1
    sender = Sender(post.send)
    async with sender.running():
        sender.within(0)
        await post.begun.wait()
        sender.within(pause_seconds)
        await asyncio.sleep(1.5 * pause_seconds)
        post.begun.clear()
        ended = asyncio.get_running_loop().time()
        post.may_end.set()
        await post.begun.wait()
        assert asyncio.get_running_loop().time() - ended >= pause_seconds


async def test_of_what_is_told_while_something_is_under_way_the_most_urgent_counts() -> None:
    post = Post()
    sender = Sender(post.send)
    async with sender.running():
        sender.within(0)
        await post.begun.wait()
        for seconds in (LONG_SECONDS, 0, LONG_SECONDS):
            sender.within(seconds)
        post.begun.clear()
        post.may_end.set()
        await asyncio.wait_for(post.begun.wait(), LONG_SECONDS / 2)


async def test_a_block_that_is_cancelled_does_not_wait_for_what_is_under_way() -> None:
    post = Post()
    sender = Sender(post.send)

    async def work() -> None:
        async with sender.running():
            sender.within(0)
            await asyncio.Event().wait()

    working = asyncio.create_task(work())
    await post.begun.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert post.sent == 0


async def test_a_block_that_is_cancelled_while_it_waits_at_its_end_does_so_no_longer() -> None:
    post = Post()
    sender = Sender(post.send)

    async def work() -> None:
        async with sender.running():
            sender.within(0)
            await post.begun.wait()

    working = asyncio.create_task(work())
    await post.begun.wait()
    await asyncio.sleep(SOON_SECONDS)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert post.sent == 0


async def test_a_fault_in_sending_is_told_at_the_end_and_ends_it() -> None:
    post = Post(ValueError("a fault"))
    post.may_end.set()
    sender = Sender(post.send)

    async def work() -> None:
        async with sender.running():
            sender.within(0)
            await post.begun.wait()
            post.begun.clear()
            sender.within(0)
            await asyncio.sleep(SOON_SECONDS)

    with pytest.raises(ValueError, match="a fault"):
        await work()
    assert not post.begun.is_set()
