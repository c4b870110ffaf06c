"""What an agent may use on a day: then its messages wait for the next, and nobody is told of them
over and over."""

from uuid import UUID

import pytest

from activities.store import inbox
from activities.store.database import Database
from activities.store.exchanges import Shape, begin_exchange
from activities.store.inbox import NewMessage
from activities.store.keys import DEFAULT_TEAM
from activities.store.reading.residents import find_resident
from activities.store.reading.untold import untold
from tests.integration.resident_rows import new_agent, write
from workflows.definitions.resident import Resident, ResidentLimits
from workflows.states import AgentState


async def with_message(database: Database, **limits: float) -> UUID:
    resident = Resident(limits=ResidentLimits.model_validate(limits))
    agent_id = await new_agent(database, resident)
    await inbox.post(database, NewMessage(agent_id=agent_id, team_id=DEFAULT_TEAM, content="hi"))
    return agent_id


async def use(
    database: Database, agent_id: UUID, tokens: int, cost_usd: float = 0.0, *, days_ago: int = 0
) -> None:
    await write(
        database,
        """
        INSERT INTO agent_usage (agent_id, day, team_id, tokens, cost_usd)
        SELECT id, (now() AT TIME ZONE 'utc')::date - CAST(:days_ago AS int), team_id, :tokens,
               :cost_usd
        FROM agents WHERE id = :agent_id""",
        agent_id=agent_id,
        tokens=tokens,
        cost_usd=cost_usd,
        days_ago=days_ago,
    )


async def takes(database: Database, agent_id: UUID) -> bool:
    begun = await begin_exchange(
        database, agent_id, DEFAULT_TEAM, "run", lambda name, _: Shape(name, "hi", {})
    )
    return begun is not None


async def waits_for(database: Database, agent_id: UUID) -> str | None:
    found = await find_resident(database, DEFAULT_TEAM, agent_id)
    assert found
    assert found.state is AgentState.RUNNING
    return found.waits_for


@pytest.mark.parametrize(
    ("limits", "tokens", "cost_usd", "said"),
    [
        ({"daily_tokens": 100}, 120, 0.0, "120 of 100 tokens"),
        ({"daily_cost_usd": 0.5}, 1, 0.75, "0.7500 of 0.5 USD"),
    ],
    ids=["tokens", "cost"],
)
async def test_messages_wait_for_the_next_day_once_the_limit_is_used_up(
    database: Database, limits: dict[str, float], tokens: int, cost_usd: float, said: str
) -> None:
    agent_id = await with_message(database, **limits)
    await use(database, agent_id, tokens, cost_usd)
    assert not await takes(database, agent_id)
    assert not await untold(database, 10)
    why = await waits_for(database, agent_id)
    assert why
    assert said in why
    assert "00:00 UTC" in why


async def test_what_was_used_on_another_day_does_not_count(database: Database) -> None:
    agent_id = await with_message(database, daily_tokens=100)
    await use(database, agent_id, 120, days_ago=1)
    assert [each.agent_id for each in await untold(database, 10)] == [agent_id]
    assert await waits_for(database, agent_id) is None
    assert await takes(database, agent_id)


async def test_the_agent_is_told_when_its_day_is_over(database: Database) -> None:
    """Also when it was told of the message on the day before, which led to nothing."""
    agent_id = await with_message(database, daily_tokens=100)
    await use(database, agent_id, 120)
    await write(
        database, "UPDATE agents SET told_seq = message_seq, told_at = now() - interval '1 hour'"
    )
    assert not await untold(database, 10)
    await write(database, "UPDATE agent_usage SET day = day - 1")
    assert [each.agent_id for each in await untold(database, 10)] == [agent_id]


async def test_a_limit_that_is_raised_counts_at_once(database: Database) -> None:
    agent_id = await with_message(database, daily_tokens=100)
    await use(database, agent_id, 120)
    assert not await takes(database, agent_id)
    await write(
        database,
        "UPDATE agents SET definition = jsonb_set(definition, '{limits,daily_tokens}', '1000')",
    )
    assert [each.agent_id for each in await untold(database, 10)] == [agent_id]
    assert await takes(database, agent_id)


async def test_an_agent_without_limits_goes_on(database: Database) -> None:
    agent_id = await with_message(database)
    await use(database, agent_id, 10**12, 10**6)
    assert await takes(database, agent_id)


async def test_whoever_has_nothing_to_read_waits_for_nothing(database: Database) -> None:
    agent_id = await new_agent(database, Resident(limits=ResidentLimits(daily_tokens=1)))
    await use(database, agent_id, 10)
    found = await find_resident(database, DEFAULT_TEAM, agent_id)
    assert found
    assert (found.state, found.waits_for) == (AgentState.IDLE, None)
