"""Agents as a program names them."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from api.client import AsyncClient, NothingThere
from tests.integration.api_stage import Stage


@pytest.fixture
async def client(residents_stage: Stage) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(residents_stage.url) as client:
        yield client


async def test_an_agent_goes_by_its_name_or_the_beginning_of_its_id(client: AsyncClient) -> None:
    name = f"clerk-{uuid4().hex[:8]}"
    made = await client.agents.create({"name": name})
    await client.agents.send(name, "hello")
    await client.agents.send(str(made.id)[:13], {"content": "again"})
    said = (await client.agents.messages(made.id, limit=5)).items
    assert [message.content for message in said] == ["hello", "again"]
    await client.memory.write(name, "She likes tea.")
    assert [note.text for note in (await client.memory.notes(name)).items] == ["She likes tea."]
    assert (await client.reminders.list(name)).items == []
    with pytest.raises(NothingThere, match="No agent has the name 'nobody'"):
        await client.agents.show("nobody")
