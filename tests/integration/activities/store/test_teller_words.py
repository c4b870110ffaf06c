"""Which messages the ``Teller`` hears of, and what is written down of those that were told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest

from activities.residents.prompts import shape
from activities.store import inbox
from activities.store.database import Database
from activities.store.database_url import driver_url
from activities.store.exchanges import begin_exchange
from activities.store.inbox import NewMessage, lock_agents, note_told
from activities.store.keys import DEFAULT_TEAM
from tests.integration.group_desk import GroupDesk
from tests.integration.resident_rows import new_agent, read, write
from tests.integration.residents import begin, end
from workflows.states import InboxKind, MessageMode

LAST = "the last"


@asynccontextmanager
async def heard(database: Database) -> AsyncIterator[list[str]]:
    """Whom the ``Teller`` hears of in the block, in full once it has ended."""
    listener = await asyncpg.connect(driver_url(database.url))
    words: list[str] = []
    is_over = asyncio.Event()

    def hear(*arguments: object) -> None:
        word = str(arguments[-1])
        if word == LAST:
            is_over.set()
        else:
            words.append(word)

    try:
        await listener.add_listener(inbox.CHANNEL, hear)
        yield words
        await listener.execute("SELECT pg_notify($1, $2)", inbox.CHANNEL, LAST)
        async with asyncio.timeout(10):
            await is_over.wait()
    finally:
        await listener.close()


async def post(
    database: Database, agent_id: UUID, mode: MessageMode = MessageMode.QUEUE, *, tells: bool
) -> None:
    message = NewMessage(
        agent_id=agent_id, team_id=DEFAULT_TEAM, content="ask", mode=mode, tells=tells
    )
    assert isinstance(await inbox.post(database, message), inbox.Posted)


async def is_awake(database: Database, agent_id: UUID) -> bool:
    """By what is known when it is written to."""
    message = NewMessage(agent_id=agent_id, team_id=DEFAULT_TEAM, content="ask", tells=True)
    posted = await inbox.post(database, message)
    assert isinstance(posted, inbox.Posted)
    return posted.is_awake


async def take(database: Database, agent_id: UUID) -> None:
    assert await begin_exchange(database, agent_id, DEFAULT_TEAM, "execution", shape)


@pytest.mark.parametrize("tells", [False, True])
async def test_the_teller_hears_of_a_message_unless_who_writes_it_tells_the_agent(
    database: Database, tells: bool
) -> None:
    agent_id = await new_agent(database)
    async with heard(database) as words:
        await post(database, agent_id, tells=tells)
    assert words == ([] if tells else [str(agent_id)])


@pytest.mark.parametrize("mode", MessageMode)
async def test_the_teller_hears_of_a_message_to_an_agent_that_answers_unless_it_interrupts(
    database: Database, mode: MessageMode
) -> None:
    agent_id = await new_agent(database)
    await post(database, agent_id, tells=True)
    await take(database, agent_id)
    async with heard(database) as words:
        await post(database, agent_id, mode, tells=True)
    assert words == ([] if mode is MessageMode.INTERRUPT else [str(agent_id)])


async def test_the_teller_hears_nothing_of_an_agents_own_reply(database: Database) -> None:
    agent_id = await new_agent(database)
    reply = NewMessage(
        agent_id=agent_id, team_id=DEFAULT_TEAM, content="answer", kind=InboxKind.REPLY
    )
    async with heard(database) as words:
        await inbox.post(database, reply)
    assert words == []


@pytest.mark.parametrize("tells", [False, True])
async def test_the_teller_hears_of_a_message_to_a_group_unless_who_posts_it_tells_the_members(
    database: Database, tells: bool
) -> None:
    desk = await GroupDesk.of(database, 3)
    async with heard(database) as words:
        posted = await desk.post("lunch?", tells=tells)
    assert {each.agent_id for each in posted.woken} == set(desk.members)
    assert sorted(words) == ([] if tells else sorted(map(str, desk.members)))


async def test_what_was_told_is_written_down_of_all_at_once_but_of_agents_that_are_locked(
    database: Database,
) -> None:
    agents = [await new_agent(database) for _ in range(3)]
    for agent_id in agents:
        await post(database, agent_id, tells=True)
    async with asyncio.timeout(10), database.writing() as connection:
        await lock_agents(connection, agents[:1])
        await note_told(database, dict.fromkeys(agents, 1))
    rows = await read(database, "SELECT id, told_seq FROM agents")
    assert {row.id: row.told_seq for row in rows} == dict(zip(agents, (0, 1, 1), strict=True))


async def test_an_agent_is_awake_while_it_answers_and_for_a_moment_after(
    database: Database,
) -> None:
    agent_id = await new_agent(database)
    assert not await is_awake(database, agent_id)
    begun = await begin(database, agent_id)
    assert begun is not None
    assert await is_awake(database, agent_id)
    await end(database, agent_id, begun.id, "done")
    assert await is_awake(database, agent_id)
    await write(database, "UPDATE tasks SET finished_at = now() - interval '31 seconds'")
    assert not await is_awake(database, agent_id)
