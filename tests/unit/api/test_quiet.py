"""Looking for work while nothing happens."""

from contextlib import suppress
from dataclasses import dataclass

from api.quiet import Quiet


@dataclass
class World:
    """What is announced, what there is to find, and the time; ``looks`` counts."""

    count: int = 0
    work: int = 0
    now: float = 0.0
    looks: int = 0

    async def look(self) -> bool:
        self.looks += 1
        found, self.work = self.work > 0, 0
        return found


def quiet(world: World) -> Quiet:
    return Quiet(lambda: world.count, 5.0, clock=lambda: world.now)


async def looks(world: World, quiet: Quiet, times: int = 1) -> int:
    before = world.looks
    for _ in range(times):
        await quiet.unless(world.look)
    return world.looks - before


async def test_nobody_looks_again_while_nothing_is_announced() -> None:
    world = World()
    assert await looks(world, quiet(world), times=5) == 1


async def test_what_is_announced_is_looked_at_once() -> None:
    world = World()
    seldom = quiet(world)
    await looks(world, seldom)
    world.count += 1
    assert await looks(world, seldom, times=3) == 1


async def test_after_something_was_found_there_is_another_look() -> None:
    world = World(work=1)
    assert await looks(world, quiet(world), times=4) == 2


async def test_a_word_that_was_lost_is_made_up_for_after_a_while() -> None:
    world = World()
    seldom = quiet(world)
    await looks(world, seldom)
    world.now = 4.9
    assert await looks(world, seldom) == 0
    world.now = 5.0
    assert await looks(world, seldom) == 1


async def test_what_is_announced_during_a_look_leads_to_another() -> None:
    world = World()
    seldom = quiet(world)

    async def look() -> bool:
        world.count += 1
        return await world.look()

    await seldom.unless(look)
    assert await looks(world, seldom) == 1


async def test_a_look_that_failed_is_made_again() -> None:
    world = World()
    seldom = quiet(world)

    async def fail() -> bool:
        raise OSError

    with suppress(OSError):
        await seldom.unless(fail)
    assert await looks(world, seldom) == 1
