"""The tools by which an agent that stays keeps, finds and deletes notes."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from pydantic import JsonValue

from activities.store import notes
from activities.store.reading.callers import resident_call
from activities.tools.context import AgentContext, ToolResult
from tests.integration.agent_desk import Desk
from tests.integration.resident_rows import new_agent, new_exchange
from workflows.errors.tools import ToolArgumentsInvalid
from workflows.states import Status


@pytest.fixture
async def agent_id(desk: Desk) -> UUID:
    agent_id = await new_agent(desk.database)
    desk.task_id = await new_exchange(desk.database, agent_id, 1, "hi", status=Status.RUNNING)
    return agent_id


async def context(desk: Desk, agent_id: UUID, call_id: UUID | None = None) -> AgentContext:
    resident = await resident_call(desk.database, agent_id, desk.task_id)
    return replace(desk.context(), resident=resident, call_id=call_id or uuid4())


async def call(
    desk: Desk, agent_id: UUID, name: str, call_id: UUID | None = None, **arguments: JsonValue
) -> ToolResult:
    given = await context(desk, agent_id, call_id)
    return await desk.toolbox.call(given, name, arguments)


async def test_what_is_remembered_is_recalled_and_forgotten(desk: Desk, agent_id: UUID) -> None:
    noted = await call(desk, agent_id, "remember", text="Ann likes green tea.")
    await call(desk, agent_id, "remember", text="Bob likes coffee.")
    found = await call(desk, agent_id, "recall", query="tea")
    assert "Ann likes green tea." in found.text
    assert "Bob" not in found.text
    note_id = noted.text.split()[-1].rstrip(".")
    assert note_id in found.text
    assert (await call(desk, agent_id, "forget", id=note_id)).text == "Forgotten."
    assert "no note" in (await call(desk, agent_id, "forget", id=note_id)).text
    assert (await call(desk, agent_id, "recall", query="tea")).text == "No note has these words."


async def test_a_call_that_is_made_twice_leaves_one_note(desk: Desk, agent_id: UUID) -> None:
    call_id = uuid4()
    first = await call(desk, agent_id, "remember", call_id, text="once")
    assert (await call(desk, agent_id, "remember", call_id, text="once")).text == first.text
    assert await notes.count_notes(desk.database, agent_id) == 1


async def test_one_agent_does_not_see_the_notes_of_another(desk: Desk, agent_id: UUID) -> None:
    await call(desk, agent_id, "remember", text="mine")
    other = await new_agent(desk.database)
    assert (await call(desk, other, "recall")).text == "You have no notes yet."


async def test_an_agent_with_as_many_notes_as_there_may_be_is_told_what_to_do(
    desk: Desk, agent_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "MAX_NOTES", 1)
    await call(desk, agent_id, "remember", text="one")
    refused = await call(desk, agent_id, "remember", text="two")
    assert "Forget some" in str(refused.error)


@pytest.mark.parametrize("text", ["", "  ", "x" * 4_001], ids=["empty", "blank", "long"])
async def test_a_note_that_is_none_is_refused(desk: Desk, agent_id: UUID, text: str) -> None:
    assert isinstance(
        (await call(desk, agent_id, "remember", text=text)).error, ToolArgumentsInvalid
    )


async def test_many_long_notes_are_not_cut_in_the_middle(desk: Desk, agent_id: UUID) -> None:
    for number in range(6):
        await call(desk, agent_id, "remember", text=f"{number} word " + "x" * 3_900)
    found = (await call(desk, agent_id, "recall", query="word")).text
    assert found.endswith("3 more have these words: ask for fewer words.")
    assert len(found) < 13_000
