"""One look for the work of all passes."""

import asyncio
from dataclasses import dataclass

import pytest

from activities.store.due import Due
from api.looks import Looks
from workflows.errors import TemporaryFailure


@dataclass
class World:
    """``number`` of looks so far, each of which waits until it is ``shown`` something."""

    shown: asyncio.Event
    number: int = 0
    is_away: bool = False

    async def find(self) -> Due:
        self.number = number = self.number + 1
        await self.shown.wait()
        if self.is_away:
            raise TemporaryFailure(service="PostgreSQL", reason="it is away")
        return Due(
            tasks=number == 1,
            reminders=number > 1,
            bulk=False,
            slots=False,
            deliveries=False,
            groups=False,
            schedules=False,
            begun=False,
            untold=False,
        )


@pytest.fixture
def world() -> World:
    return World(asyncio.Event())


async def test_those_who_ask_together_share_one_look(world: World) -> None:
    world.shown.set()
    looks = Looks(world.find)
    found = await asyncio.gather(*(looks.look() for _ in range(5)))
    assert world.number == 1
    assert all(due.tasks for due in found)


async def test_who_asks_while_a_look_is_under_way_has_one_of_their_own(world: World) -> None:
    looks = Looks(world.find)
    first = asyncio.create_task(looks.look())
    while world.number == 0:
        await asyncio.sleep(0)
    second = asyncio.create_task(looks.look())
    while world.number == 1:
        await asyncio.sleep(0)
    world.shown.set()
    assert (await first).tasks
    assert (await second).reminders


async def test_one_who_asks_no_more_takes_the_look_from_nobody(world: World) -> None:
    looks = Looks(world.find)
    leaving, staying = (asyncio.create_task(looks.look()) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    world.shown.set()
    assert (await staying).tasks


async def test_all_who_share_a_look_that_fails_hear_of_it(world: World) -> None:
    world.is_away = True
    world.shown.set()
    looks = Looks(world.find)
    found = await asyncio.gather(*(looks.look() for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [TemporaryFailure] * 3
    assert world.number == 1


async def test_a_look_under_way_ends_when_looks_are_closed(world: World) -> None:
    looks = Looks(world.find)
    asked = asyncio.create_task(looks.look())
    while world.number == 0:
        await asyncio.sleep(0)
    await looks.close()
    with pytest.raises(asyncio.CancelledError):
        await asked


async def test_a_database_that_does_not_answer_holds_no_connection_for_ever() -> None:
    held = 0

    async def find() -> Due:
        nonlocal held
        held += 1
        try:
            await asyncio.Event().wait()
        finally:
            held -= 1
        raise AssertionError

    looks = Looks(find, look_seconds=0.1)
    with pytest.raises(TemporaryFailure, match=r"PostgreSQL .* no answer within 0\.1 s"):
        async with asyncio.timeout(60):
            await looks.look()
    assert held == 0
    with pytest.raises(TimeoutError):  # One who is gone before.
        async with asyncio.timeout(0.05):
            await looks.look()
    assert held == 1
    async with asyncio.timeout(60):
        while held:
            await asyncio.sleep(0.01)


async def test_looks_are_closed_though_one_fails_meanwhile() -> None:
    begun = asyncio.Event()

    async def find() -> Due:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise TemporaryFailure(service="PostgreSQL", reason="it is away") from None
        raise AssertionError

    looks = Looks(find)
    asked = asyncio.create_task(looks.look())
    await begun.wait()
    await looks.close()
    with pytest.raises(TemporaryFailure):
        await asked


async def test_where_nobody_looks_there_is_nothing_to_close(world: World) -> None:
    await Looks(world.find).close()
