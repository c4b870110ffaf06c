"""Connections that are kept at hand for single statements, and those that others need."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text

from activities.store.connections import Connections

Opened = Callable[..., Connections]


@pytest.fixture
async def opened(database_url: str) -> AsyncIterator[Opened]:
    """Makes connections to this test's database."""
    made: list[Connections] = []

    def opened(
        size: int, more: int = 0, ask_after_seconds: float | None = None, **options: float
    ) -> Connections:
        made.append(
            Connections(database_url, size, more, ask_after_seconds=ask_after_seconds, **options)
        )
        return made[-1]

    yield opened
    for connections in made:
        await connections.close()


async def backend(connections: Connections) -> int:
    async with connections.driver() as driver:
        return int(await driver.fetchval("SELECT pg_backend_pid()"))


@asynccontextmanager
async def transaction(connections: Connections) -> AsyncIterator[int]:
    async with connections.lent(connections.engine) as connection:
        yield int((await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one())


async def held(stack: AsyncExitStack, connections: Connections, count: int) -> list[Any]:
    return [await stack.enter_async_context(connections.driver()) for _ in range(count)]


@asynccontextmanager
async def a_ninth_waiting(connections: Connections) -> AsyncIterator["asyncio.Task[int]"]:
    """A statement that came while eight were at work, of which one has ended just now."""
    async with AsyncExitStack() as stack:
        await held(stack, connections, 7)
        async with connections.driver():
            ninth = asyncio.create_task(backend(connections))
            await asyncio.sleep(0)
        yield ninth


async def test_the_connection_that_was_used_last_is_taken_first(opened: Opened) -> None:
    connections = opened(5)
    async with AsyncExitStack() as stack:
        await held(stack, connections, 3)
    last = await backend(connections)
    assert [await backend(connections) for _ in range(3)] == [last] * 3
    use = connections.use()
    assert (use.in_use, use.idle) == (0, 3)


async def test_a_transaction_takes_what_single_statements_have_used(opened: Opened) -> None:
    connections = opened(1)
    pid = await backend(connections)
    async with transaction(connections) as of_the_transaction:
        assert of_the_transaction == pid
        assert connections.use().in_use == 1
    assert await backend(connections) == pid
    assert connections.use().waits == 0


async def test_a_transaction_that_waits_is_given_what_a_statement_has_done_with(
    opened: Opened,
) -> None:
    connections = opened(1)

    async def transacted() -> int:
        async with transaction(connections) as pid:
            return pid

    async with connections.driver() as driver:
        waiting = asyncio.create_task(transacted())
        while connections.use().waiting == 0:
            await asyncio.sleep(0)
        pid = await driver.fetchval("SELECT pg_backend_pid()")
    assert await waiting == pid
    assert connections.use().waits == 1


async def test_a_statement_rather_waits_for_one_of_eight_than_opens_another(
    opened: Opened,
) -> None:
    connections = opened(20)
    async with a_ninth_waiting(connections) as ninth:
        await ninth
    assert connections.use().idle == 8


async def test_of_many_statements_at_once_only_eight_open_a_connection(opened: Opened) -> None:
    connections = opened(20, moment_seconds=30.0)
    pids = await asyncio.gather(*(backend(connections) for _ in range(40)))
    assert len({*pids}) == 8
    assert connections.use().idle == 8


async def test_a_statement_takes_what_comes_back_as_its_wait_ends(opened: Opened) -> None:
    connections = opened(8, moment_seconds=0.05)
    async with AsyncExitStack() as stack:
        await held(stack, connections, 8)
        waiting = [asyncio.create_task(backend(connections)) for _ in range(3)]
        await asyncio.sleep(0)
        time.sleep(0.1)  # noqa: ASYNC251  (the wait is over before the loop looks again)
    async with asyncio.timeout(5):  # The pool has none, and would say so after ten.
        await asyncio.gather(*waiting)


async def test_a_connection_that_nobody_has_used_for_long_is_given_up(opened: Opened) -> None:
    connections = opened(20, longest_idle_seconds=0.3)
    async with AsyncExitStack() as stack:
        await held(stack, connections, 10)
    async with transaction(connections) as in_the_pool:
        pass
    at_hand = await backend(connections)
    assert at_hand == await backend(connections)
    await asyncio.sleep(0.4)
    after = {await backend(connections)}
    async with transaction(connections) as pid:
        after.add(pid)
    assert not after & {at_hand, in_the_pool}


async def test_a_statement_does_not_wait_for_eight_that_take_long(opened: Opened) -> None:
    connections = opened(9)
    async with AsyncExitStack() as stack:
        await held(stack, connections, 9)
        assert connections.use().in_use == 9


async def test_a_statement_that_is_cancelled_while_it_waits_takes_no_connection_with_it(
    opened: Opened,
) -> None:
    connections = opened(20)
    async with a_ninth_waiting(connections) as ninth:
        ninth.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ninth
    use = connections.use()
    assert (use.in_use, use.idle) == (0, 8)


async def test_what_fits_neither_on_the_shelf_nor_into_the_pool_is_closed(
    opened: Opened,
) -> None:
    connections = opened(1, 4)
    async with AsyncExitStack() as stack:
        await held(stack, connections, 5)
        assert connections.use().overflow == 4
    use = connections.use()
    assert (use.in_use, use.idle) == (0, 2)


async def test_what_is_in_use_while_all_are_closed_is_not_kept(opened: Opened) -> None:
    connections = opened(2)
    async with connections.driver():
        await connections.close()
    assert connections.use().idle == 0


@pytest.mark.parametrize(("ask_after_seconds", "is_asked"), [(0.0, True), (None, False)])
async def test_a_connection_that_was_idle_is_asked_whether_it_is_alive(
    opened: Opened, ask_after_seconds: float | None, is_asked: bool
) -> None:
    connections = opened(1, 0, ask_after_seconds)
    asked: list[str] = []
    async with connections.driver() as driver:
        driver.add_query_logger(lambda record: asked.append(record.query))
    async with connections.driver() as again:
        assert again is driver
    assert bool(asked) is is_asked
