"""The thread on which a client works for programs that are not asynchronous."""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.client import ClientUnusable
from api.client.loop_thread import LoopThread
from tests.pressure import allowed


class Ends:
    """What a client is closed with."""

    def __init__(self) -> None:
        self.count = 0

    async def close(self) -> None:
        self.count += 1


@pytest.fixture
def ends() -> Ends:
    return Ends()


@pytest.fixture
def loop(ends: Ends) -> Iterator[LoopThread]:
    loop = LoopThread(ends.close)
    yield loop
    loop.stop()


async def _told(begun: threading.Event) -> None:
    begun.set()
    await asyncio.sleep(3_600)


def test_a_call_that_a_thread_waits_for_ends_when_the_client_is_closed_in_another(
    loop: LoopThread, ends: Ends
) -> None:
    begun = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(lambda: loop.run(_told(begun)))
        assert begun.wait(allowed(10))
        loop.stop()
        with pytest.raises(ClientUnusable, match="it is closed"):
            waiting.result(allowed(10))
    assert ends.count == 1


def test_calls_are_handed_over_or_refused_while_the_client_is_closed(loop: LoopThread) -> None:
    begun = threading.Event()

    def ask_on() -> str:
        while True:
            try:
                loop.run(asyncio.sleep(0))
            except ClientUnusable as error:
                return str(error)
            begun.set()

    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask_on) for _ in range(4)]
        assert begun.wait(allowed(10))
        loop.stop()
        assert {each.result(allowed(10)) for each in asking} == {
            "The client cannot be used here: it is closed; make another one."
        }


def test_a_closed_client_refuses_calls_and_may_be_closed_again(
    loop: LoopThread, ends: Ends
) -> None:
    loop.stop()
    loop.stop()
    assert ends.count == 1
    with pytest.raises(ClientUnusable, match="make another one"):
        loop.run(asyncio.sleep(0))


def test_a_call_and_a_close_on_the_thread_of_the_client_are_refused(loop: LoopThread) -> None:
    async def on_lost() -> None:
        loop.run(asyncio.sleep(0))

    async def on_lost_for_good() -> None:
        loop.stop()

    for call in (on_lost, on_lost_for_good):
        with pytest.raises(ClientUnusable, match="its own thread"):
            loop.run(call())


def test_a_program_that_exits_within_a_call_does_so(loop: LoopThread, ends: Ends) -> None:
    async def on_lost() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit, match="3"):
        loop.run(on_lost())
    with pytest.raises(ClientUnusable):
        loop.run(asyncio.sleep(0))
    loop.stop()
    assert ends.count == 1


class Numbers:
    """Of a connection that takes a moment to close."""

    def __init__(self) -> None:
        self.is_waiting = threading.Event()
        self.is_closed = False

    async def items(self) -> AsyncGenerator[int, None]:
        try:
            yield 1
            self.is_waiting.set()
            await asyncio.sleep(3_600)
        finally:
            await asyncio.sleep(0.05)
            self.is_closed = True


def test_events_that_are_no_longer_wanted_are_closed(loop: LoopThread) -> None:
    numbers = Numbers()
    for number in loop.iterate(numbers.items()):
        assert number == 1
        break
    assert numbers.is_closed


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """What a shell starts in the background ignores it, and so would the tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_while_an_event_is_awaited_interrupts_and_closes(loop: LoopThread) -> None:
    numbers = Numbers()
    following = loop.iterate(numbers.items())
    assert next(following) == 1
    waiting = threading.get_ident()

    def press() -> None:
        numbers.is_waiting.wait()
        # Python loses a signal that comes just as a thread begins to wait, so this one is late.
        while sys._current_frames()[waiting].f_code.co_name != "wait":
            time.sleep(0.01)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        next(following)
    assert numbers.is_closed


def test_events_are_closed_with_the_client(loop: LoopThread) -> None:
    numbers = Numbers()
    following = loop.iterate(numbers.items())
    assert next(following) == 1
    loop.stop()
    assert numbers.is_closed
    with pytest.raises(ClientUnusable):
        next(following)
