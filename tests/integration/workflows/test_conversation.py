"""The workflow of an agent that stays: what it answers, when it ends, and what cuts it short."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import pytest
from temporalio.client import WorkflowExecutionStatus

from activities.store.exchanges import MAX_CHARACTERS
from deploy.local.services import Services
from tests.conftest import EVENTS_UNTIL_NEW
from tests.integration.conversation_stage import Talk, talking
from tests.integration.residents import row_agent
from tests.live import until
from tests.temporal_runs import runs_of
from workflows.agent_contracts import Decision, Verdict
from workflows.resident_contracts import INTERRUPT, agent_workflow_id

# By several agents side by side.
RACES = 500
TALKS = 5
# More than half of what an exchange takes.
FILLING = "x" * (MAX_CHARACTERS // 2 + 1)


@pytest.fixture
async def talk(infrastructure: Services, database_url: str, task_queue: str) -> AsyncIterator[Talk]:
    async with talking(infrastructure, database_url, task_queue) as talk:
        yield talk


async def test_it_answers_and_then_ends_for_want_of_messages(talk: Talk) -> None:
    await talk.tell("do one", "finish Hello.")
    await talk.replied(1)
    assert await talk.replies() == ["Hello."]
    assert await talk.unread() == []
    assert await talk.ended() is WorkflowExecutionStatus.COMPLETED


async def test_messages_that_came_meanwhile_are_one_exchange_in_their_order(talk: Talk) -> None:
    await talk.tell("wait one", "finish First.")
    await until_exchange(talk, "running")
    for number in range(3):
        await talk.tell(f"do {number}")
    await talk.tell("finish Rest.")
    talk.model.released.set()
    await talk.replied(2)
    assert await talk.replies() == ["First.", "Rest."]
    assert [prompt for _, prompt in await talk.exchanges()] == [
        "wait one\nfinish First.",
        "do 0\n\ndo 1\n\ndo 2\n\nfinish Rest.",
    ]


async def test_an_interruption_keeps_what_was_said_and_goes_on_with_the_next(talk: Talk) -> None:
    await talk.tell("dream Half a sent")
    await talk.model.dreaming.wait()
    await talk.tell("finish Yes?", signal=INTERRUPT)
    await talk.replied(2)
    assert await talk.replies() == ["Half a sent", "Yes?"]
    assert [state for state, _ in await talk.exchanges()] == ["completed", "completed"]
    assert await talk.ended() is WorkflowExecutionStatus.COMPLETED


async def test_a_tool_that_runs_ends_by_itself_when_its_turn_is_interrupted(talk: Talk) -> None:
    await talk.tell("wait one", "dream never")

    async def is_running() -> bool:
        return await calls(talk) == ["running"]

    await until(is_running)
    await talk.tell("finish Yes?", signal=INTERRUPT)
    await asyncio.sleep(0.3)
    talk.model.released.set()
    await talk.replied(2)
    assert await calls(talk) == ["completed"]
    assert not talk.model.dreaming.is_set()


async def test_an_interruption_by_a_message_that_is_being_answered_is_none(talk: Talk) -> None:
    await talk.tell("do one", "finish All of it.", signal=INTERRUPT)
    await talk.replied(1)
    assert await talk.replies() == ["All of it."]


async def test_a_call_that_waits_for_a_person_is_given_up_when_interrupted(talk: Talk) -> None:
    await talk.tell("ask one", "finish Never.")
    await until_exchange(talk, "waiting")
    await talk.tell("finish Yes?", signal=INTERRUPT)
    await talk.replied(2)
    assert (await talk.replies())[-1] == "Yes?"


async def test_a_turn_that_ends_in_spite_of_its_interruption_begins_nothing(talk: Talk) -> None:
    await talk.tell("defy one", "finish Never.")
    await talk.model.dreaming.wait()
    await talk.tell("finish Yes?", signal=INTERRUPT)
    await talk.replied(2)
    assert (await talk.replies())[-1] == "Yes?"


async def test_an_interruption_cuts_nothing_that_begins_later(talk: Talk) -> None:
    await talk.tell("dream Half")
    await talk.model.dreaming.wait()
    # Too much for one exchange with the next.
    await talk.tell("finish Two.", FILLING)
    await talk.tell("finish Three.", FILLING, signal=INTERRUPT)
    await talk.replied(3)
    assert await talk.replies() == ["Half", "Two.", "Three."]


async def test_messages_wait_while_a_person_is_asked(talk: Talk) -> None:
    await talk.tell("ask one", "finish Approved.")
    await until_exchange(talk, "waiting")
    await talk.tell("finish Later.")
    await asyncio.sleep(0.3)
    assert await talk.replies() == []
    await decide(talk)
    await talk.replied(2)
    assert await talk.replies() == ["Approved.", "Later."]


async def test_a_pause_in_the_middle_holds_the_next_turn(talk: Talk) -> None:
    await talk.tell("wait one", "finish After.")
    await until_exchange(talk, "running")
    await talk.handle.signal("pause")
    talk.model.released.set()
    await until_exchange(talk, "paused")
    assert await talk.replies() == []
    await talk.handle.signal("resume")
    await talk.replied(1)


async def test_a_cancelled_workflow_leaves_its_messages_unread(talk: Talk) -> None:
    seq = await talk.tell("dream on")
    await talk.model.dreaming.wait()
    await talk.handle.cancel()
    assert await talk.ended() is WorkflowExecutionStatus.CANCELED
    assert [state for state, _ in await talk.exchanges()] == ["cancelled"]
    assert await talk.unread() == [seq]


async def test_an_agent_in_error_takes_nothing_until_somebody_restarts_it(talk: Talk) -> None:
    seq = await talk.tell("dream on")
    await talk.model.dreaming.wait()
    await talk.handle.cancel()
    await talk.ended()
    later = await talk.tell("finish Not yet.")
    assert await talk.ended() is WorkflowExecutionStatus.COMPLETED
    assert len(await talk.exchanges()) == 1
    assert await talk.unread() == [seq, later]


async def test_what_a_terminated_workflow_left_behind_is_closed_by_the_next(talk: Talk) -> None:
    seq = await talk.tell("dream on")
    await talk.model.dreaming.wait()
    await talk.handle.terminate("by hand")
    later = await talk.tell("finish Hello.")
    await talk.ended()
    [(state, _)] = await talk.exchanges()
    assert state == "cancelled"
    assert await talk.unread() == [seq, later]


async def test_no_message_is_lost_that_comes_as_the_workflow_ends(
    infrastructure: Services, database_url: str, task_queue: str
) -> None:
    async with talking(infrastructure, database_url, task_queue, idle_seconds=0.0) as talk:
        database = talk.agent.database
        talks = [replace(talk, agent=await row_agent(database)) for _ in range(TALKS)]
        await asyncio.gather(*map(race, talks))


async def race(talk: Talk) -> None:
    numbers = range(RACES // TALKS)
    for number in numbers:
        await talk.tell(f"finish {number}")
        # Anywhere between the start of a run and some time after its end.
        await asyncio.sleep(0.001 * (number % 16))
    await talk.ended()

    async def is_read() -> bool:
        return not await talk.unread()

    await until(is_read)
    asked = " ".join(prompt for _, prompt in await talk.exchanges()).split()
    assert [int(word) for word in asked if word != "finish"] == list(numbers)


async def test_a_long_talk_continues_as_new_and_forgets_nothing(talk: Talk) -> None:
    for number in range(8):
        await talk.tell("do a;do b", "do c", f"finish {number}")
        await talk.replied(number + 1)
    await talk.ended()
    assert await talk.replies() == [str(number) for number in range(8)]
    runs = await runs_of(talk.client, agent_workflow_id(talk.agent.id))
    assert len(runs) > 1
    assert max(len(run.events) for run in runs) < 2 * EVENTS_UNTIL_NEW


async def until_exchange(talk: Talk, state: str) -> None:
    async def holds() -> bool:
        found = await talk.exchanges()
        return bool(found) and found[-1][0] == state

    await until(holds)


async def calls(talk: Talk) -> list[str]:
    """The states of all calls that it has made."""
    found = await talk.rows(
        "SELECT sub_tasks.status FROM sub_tasks JOIN tasks ON tasks.id = task_id"
        " WHERE tasks.parent_id = :id"
    )
    return [call.status for call in found]


async def decide(talk: Talk) -> None:
    [asked] = await talk.rows(
        "SELECT approval ->> 'id' AS id FROM sub_tasks JOIN tasks ON tasks.id = task_id"
        " WHERE tasks.parent_id = :id"
    )
    decision = Decision(ask_id=UUID(asked.id), verdict=Verdict.APPROVED)
    await talk.handle.signal("decide", decision)
