"""Who is to be told of messages: nobody who looks again anyhow."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from activities.store import inbox
from activities.store.database import Database
from activities.store.exchanges import Shape, UnreadMessage, begin_exchange
from activities.store.inbox import NewMessage, note_told
from activities.store.keys import DEFAULT_TEAM
from activities.store.reading.untold import untold
from activities.store.tasks import close_task
from tests.integration.exchange_rows import new_agent, read, write
from workflows.contracts import TaskClose
from workflows.states import MessageMode, Status

HOUR_AGO = "UPDATE agents SET told_at = now() - interval '1 hour'"


def shape(name: str, messages: Sequence[UnreadMessage]) -> Shape:
    return Shape(name, "ask", {})


async def post(database: Database, agent_id: UUID, mode: MessageMode = MessageMode.QUEUE) -> None:
    message = NewMessage(agent_id=agent_id, team_id=DEFAULT_TEAM, content="ask", mode=mode)
    await inbox.post(database, message)


async def take(database: Database, agent_id: UUID) -> UUID:
    begun = await begin_exchange(database, agent_id, DEFAULT_TEAM, "execution", shape)
    assert begun is not None
    return begun.id


async def end(database: Database, agent_id: UUID, task_id: UUID) -> None:
    close = TaskClose(
        task_id=task_id,
        team_id=DEFAULT_TEAM,
        run=1,
        status=Status.COMPLETED,
        agent_id=agent_id,
    )
    assert await close_task(database, close)


async def due(database: Database) -> list[tuple[UUID, bool]]:
    return [(each.agent_id, each.interrupts) for each in await untold(database, 10)]


async def test_an_agent_that_answers_is_told_when_it_has_answered_and_did_not_look(
    database: Database,
) -> None:
    agent_id = await new_agent(database)
    await post(database, agent_id)
    task_id = await take(database, agent_id)
    await post(database, agent_id)
    await write(database, HOUR_AGO)
    assert not await due(database)
    await end(database, agent_id, task_id)
    assert await due(database) == [(agent_id, False)]


async def test_an_agent_that_answers_is_told_once_of_what_interrupts_it(
    database: Database,
) -> None:
    agent_id = await new_agent(database)
    await post(database, agent_id)
    await take(database, agent_id)
    await post(database, agent_id, MessageMode.INTERRUPT)
    [(told, interrupts)] = await due(database)
    assert (told, interrupts) == (agent_id, True)
    await note_told(database, {agent_id: 2})
    await post(database, agent_id)
    await write(database, HOUR_AGO)
    assert not await due(database)


@pytest.mark.parametrize("meanwhile", [0, 1])
async def test_of_what_an_agent_has_taken_it_need_not_be_told(
    database: Database, meanwhile: int
) -> None:
    agent_id = await new_agent(database)
    await post(database, agent_id)
    task_id = await take(database, agent_id)
    for _ in range(meanwhile):
        await post(database, agent_id)
    await end(database, agent_id, task_id)
    if meanwhile:
        await end(database, agent_id, await take(database, agent_id))
    [agent] = await read(database, "SELECT message_seq, told_seq FROM agents")
    assert agent.told_seq == agent.message_seq


async def test_an_agent_is_told_though_whoever_wrote_to_it_died_before_it_could_tell(
    database: Database,
) -> None:
    agent_id = await new_agent(database)
    message = NewMessage(agent_id=agent_id, team_id=DEFAULT_TEAM, content="ask", tells=True)
    await inbox.post(database, message)
    assert await due(database) == [(agent_id, False)]
