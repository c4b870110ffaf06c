"""Why a message is refused, when its agent changes at that moment."""

import asyncio

from sqlalchemy import text

from activities.store import inbox
from activities.store.database import Database
from activities.store.inbox import NewMessage, Refused
from activities.store.keys import DEFAULT_TEAM
from tests.integration.resident_rows import new_agent

SECONDS = 10.0


async def test_who_is_terminated_while_a_message_is_written_is_not_said_to_be_full(
    database: Database,
) -> None:
    agent_id = await new_agent(database, name="ada")
    message = NewMessage(agent_id=agent_id, team_id=DEFAULT_TEAM, content="Hello")
    async with database.writing() as connection:
        end = text("UPDATE agents SET terminated_at = now() WHERE id = :id")
        await connection.execute(end, {"id": agent_id})
        posting = asyncio.create_task(inbox.post(database, message))
        waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        async with asyncio.timeout(SECONDS):
            while not await connection.scalar(waits):
                await asyncio.sleep(0.01)
    assert await posting is Refused.TERMINATED
