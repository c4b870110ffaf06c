"""What is written about an agent at the same moment: nobody waits for each other in a circle."""

import asyncio

from activities.llm.base import Charge
from activities.store.database import Database
from activities.store.exchange_ends import settle
from activities.store.inbox import lock_agents
from activities.store.keys import DEFAULT_TEAM
from activities.store.summaries import NewSummary, write_summary
from tests.integration.resident_rows import new_agent, new_exchange, read
from workflows.states import Status


async def test_a_summary_and_the_end_of_an_exchange_do_not_wait_for_each_other(
    database: Database,
) -> None:
    agent_id = await new_agent(database)
    task_id = await new_exchange(database, agent_id, 1, "ask", reply="answer")
    summary = NewSummary(
        agent_id=agent_id,
        team_id=DEFAULT_TEAM,
        through=1,
        text="In short.",
        model="small",
        charge=Charge(prompt_tokens=7),
    )
    async with database.writing() as connection:
        await lock_agents(connection, [agent_id])
        writing = asyncio.create_task(write_summary(database, summary))
        await _waits_for_a_lock(database)
        await settle(connection, agent_id, task_id, Status.COMPLETED)
    assert await writing
    used = await read(database, "SELECT tokens FROM agent_usage WHERE agent_id = :id", id=agent_id)
    assert [row.tokens for row in used] == [7]


async def _waits_for_a_lock(database: Database) -> None:
    query = """
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
          AND query LIKE '%agent_summaries%'"""
    async with asyncio.timeout(20.0):
        while not await read(database, query):
            await asyncio.sleep(0.01)
