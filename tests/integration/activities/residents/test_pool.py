"""How many agents that stay think at once: what is over waits in order, and says so."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

import pytest

from activities.attempts.holding import Held
from activities.limits.base import agents_key
from activities.limits.book import LimitBook
from activities.limits.slots import Slots
from activities.store import limits
from activities.store.audit import Actor
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM, create_team
from activities.store.reading.residents import find_resident
from tests.integration.resident_rows import new_agent, new_exchange
from workflows.resident_contracts import agent_workflow_id
from workflows.states import Status


class Thinkers:
    """Agents of a worker whose limit is ``thinking`` for all teams; ``told`` are the workflows that
    are told to come."""

    def __init__(self, database: Database, thinking: int | None) -> None:
        self.database = database
        self.told: list[str] = []
        self.slots = Slots(database, LimitBook(database, {}, thinking), "w", tell=self._tell)

    async def _tell(self, workflow: str) -> None:
        self.told.append(workflow)

    async def new(self, team_id: UUID = DEFAULT_TEAM) -> tuple[UUID, UUID]:
        """An agent that is about to think, and its exchange."""
        agent_id = await new_agent(self.database, team_id=team_id)
        return agent_id, await new_exchange(self.database, agent_id, 1, "hi", status=Status.RUNNING)

    async def is_held(self, task_id: UUID, team_id: UUID = DEFAULT_TEAM) -> str | None:
        """What it has to wait for; None when it may think."""
        try:
            async with self.slots.for_turn(task_id, 1, team_id, "first", stays=True):
                return None
        except Held as held:
            return held.what


@pytest.fixture
async def thinkers(database: Database) -> AsyncIterator[Thinkers]:
    found = Thinkers(database, 1)
    yield found
    await found.slots.close()


async def waits(database: Database, agents: Sequence[UUID]) -> list[str | None]:
    found = [await find_resident(database, DEFAULT_TEAM, agent) for agent in agents]
    return [each.waits_for if each else "gone" for each in found]


async def test_what_is_over_waits_in_order_and_says_so(thinkers: Thinkers) -> None:
    [(_, one), (second, two), (third, three)] = [await thinkers.new() for _ in range(3)]
    async with thinkers.slots.for_turn(one, 1, DEFAULT_TEAM, "first", stays=True):
        assert await thinkers.is_held(two) == "a slot of agents of all teams (0 before it)"
        assert await thinkers.is_held(three) == "a slot of agents of all teams (1 before it)"
        assert await waits(thinkers.database, [second, third]) == [
            "a slot of agents of all teams (0 before it)",
            "a slot of agents of all teams (1 before it)",
        ]
    # The workflow of the agent whose turn it is, not that of a task.
    assert thinkers.told == [agent_workflow_id(second)]
    assert await thinkers.is_held(three) is not None
    assert await thinkers.is_held(two) is None
    assert await waits(thinkers.database, [second]) == [None]


async def test_tasks_do_not_count_as_agents_that_stay(thinkers: Thinkers) -> None:
    [(_, one), (_, two)] = [await thinkers.new() for _ in range(2)]
    async with (
        thinkers.slots.for_turn(one, 1, DEFAULT_TEAM, "first", stays=True),
        thinkers.slots.for_turn(two, 1, DEFAULT_TEAM, "first"),
    ):
        pass


async def test_the_limit_of_a_team_holds_for_it_alone(database: Database) -> None:
    thinkers = Thinkers(database, None)
    other = await create_team(database, f"team-{uuid4().hex[:8]}")
    await limits.set_max_thinking(database, Actor(other, "somebody"), 1)
    mine = [await thinkers.new() for _ in range(2)]
    theirs = [await thinkers.new(other) for _ in range(2)]
    known = await LimitBook(database, {}).read()
    assert known.by_key[agents_key(other)].bounds.running == 1
    async with (
        thinkers.slots.for_turn(theirs[0][1], 1, other, "first", stays=True),
        thinkers.slots.for_turn(mine[0][1], 1, DEFAULT_TEAM, "first", stays=True),
    ):
        assert await thinkers.is_held(theirs[1][1], other) == "a slot of agents (0 before it)"
        assert await thinkers.is_held(mine[1][1]) is None
    await thinkers.slots.close()
