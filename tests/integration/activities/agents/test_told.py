"""What people tell an agent while it is at work: read before its next turn, and never lost."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text as query
from temporalio.testing import ActivityEnvironment

from activities.agents.turn import Turns
from activities.attempts.attempt import as_application_error
from activities.store import tasks, told
from activities.store.database import Database
from activities.store.told import (
    MAX_TOLD,
    MAX_TOLD_CHARACTERS,
    NewTold,
    Refused,
    Told,
    unread_messages,
)
from tests.actors import SOMEBODY
from tests.doubles.model_server import Exchange, ModelServer, call, calls, model_server
from tests.integration.activities.agents.test_turn import worker
from tests.integration.new_tasks import new_task
from workflows.agent_contracts import Hint, ThinkCall, Thought
from workflows.definitions.agent import Agent
from workflows.states import TaskType

LISTS = calls(call(0, id="c1", name="list_files", arguments="{}"))
FINISHES = calls(call(0, id="c2", name="finish", arguments='{"summary": "Done."}'))


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as served:
        yield served


@pytest.fixture
async def turns(database: Database, server: ModelServer, tmp_path: Path) -> AsyncIterator[Turns]:
    async with worker(database, server, tmp_path) as turns:
        yield turns


@pytest.fixture
async def task_id(database: Database) -> UUID:
    task = new_task(TaskType.AGENT, Agent(), prompt="Do it.")
    await tasks.create_task(database, task)
    return task.id


async def tell(database: Database, task_id: UUID, *texts: str) -> None:
    for text in texts:
        new = NewTold(task_id, "Ann", text, uuid4().hex, text)
        assert isinstance(await told.tell(database, SOMEBODY, new), Told)


async def think(turns: Turns, call: ThinkCall, execution: str = "a", attempt: int = 1) -> Thought:
    environment = ActivityEnvironment()
    environment.info = replace(
        environment.info,
        attempt=attempt,
        workflow_run_id=execution,
        heartbeat_details=[attempt - 1],
        scheduled_time=datetime.now(UTC),
    )

    async def run() -> Thought:
        async with as_application_error():
            return await turns.make(call)

    return await environment.run(run)


async def unread(database: Database, task_id: UUID) -> list[str]:
    return [message.content for message in await unread_messages(database, task_id)]


async def seqs(database: Database, task_id: UUID) -> list[int | None]:
    statement = query("SELECT seq FROM told_messages WHERE task_id = :id ORDER BY number")
    async with database.reading() as connection:
        return list(await connection.scalars(statement, {"id": task_id}))


def prompt_of(server: ModelServer, request: int) -> list[tuple[str, str | None]]:
    messages = server.requests[request].body["messages"]
    return [(message["role"], message["content"]) for message in messages]


async def test_all_that_an_agent_is_told_is_read_in_order_before_its_next_turn(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID
) -> None:
    async def is_told_meanwhile(exchange: Exchange) -> None:
        await tell(database, task_id, "Leave out Q1.", "And Q2.")
        await LISTS(exchange)

    server.answers(is_told_meanwhile, LISTS)
    await tell(database, task_id, "In German, please.")
    first = await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    assert prompt_of(server, 0)[1:] == [("user", "Do it."), ("user", "In German, please.")]
    assert (first.seq, len(first.calls)) == (5, 1)
    assert await unread(database, task_id) == ["Leave out Q1.", "And Q2."]
    # A call that was never made has no result: the second turn goes on after the first answer.
    second = await think(turns, ThinkCall(task_id=task_id, run=1, turn=2, seq=4))
    assert second.seq == 4 + 2 + 1 + 1
    assert [text for role, text in prompt_of(server, 1) if role == "user"][-2:] == [
        "Leave out Q1.",
        "And Q2.",
    ]
    assert await unread(database, task_id) == []
    assert await seqs(database, task_id) == [3, 5, 6]


async def test_a_finish_is_not_the_end_while_something_is_unread(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID
) -> None:
    async def is_told_meanwhile(exchange: Exchange) -> None:
        await tell(database, task_id, "Wait, there is more.")
        await FINISHES(exchange)

    server.answers(is_told_meanwhile, FINISHES)
    first = await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    assert (first.finished, first.calls, first.seq) == (False, (), 4)
    second = await think(turns, ThinkCall(task_id=task_id, run=1, turn=2, seq=first.seq))
    assert second.finished
    *_, answer, more = prompt_of(server, 1)
    assert answer[0] == "tool"
    assert str(answer[1]).startswith("Not finished: the person has written to you")
    assert more == ("user", "Wait, there is more.")
    assert await unread(database, task_id) == []


@pytest.mark.parametrize(
    "limits",
    [
        {"hint": Hint.LAST_TURN},
        {"tokens_left": 2_020, "tokens_limit": 100_000},
        {"cost_left_usd": 0.0},
        {"seconds_left": 9.0},
    ],
    ids=["turns", "tokens", "cost", "seconds"],
)
async def test_a_finish_that_no_other_turn_may_follow_counts_and_what_was_told_stays_unread(
    turns: Turns,
    database: Database,
    server: ModelServer,
    task_id: UUID,
    limits: dict[str, object],
) -> None:
    async def is_told_meanwhile(exchange: Exchange) -> None:
        await tell(database, task_id, "Too late.")
        await FINISHES(exchange)

    server.answers(LISTS, is_told_meanwhile)
    await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    last = ThinkCall.model_validate(
        {"task_id": task_id, "run": 1, "turn": 2, "seq": 3, "hint": None, **limits}
    )
    assert (await think(turns, last)).finished
    assert await unread(database, task_id) == ["Too late."]


@pytest.mark.parametrize(("quota", "finishes"), [(30, True), (1_000, False)])
async def test_a_finish_counts_where_no_other_turn_is_left_in_the_quota_of_the_day(
    turns: Turns, database: Database, server: ModelServer, quota: int, finishes: bool
) -> None:
    task = new_task(TaskType.AGENT, Agent(), prompt="Do it.")
    await tasks.create_task(database, task)
    task_id = task.id

    async def is_told_meanwhile(exchange: Exchange) -> None:
        await tell(database, task_id, "Too late.")
        await FINISHES(exchange)

    async with database.writing() as connection:
        await connection.execute(query("UPDATE teams SET daily_tokens = :quota"), {"quota": quota})
    server.answers(LISTS, is_told_meanwhile)
    await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    last = ThinkCall(task_id=task_id, run=1, turn=2, seq=3, seconds_left=60.0)
    assert (await think(turns, last)).finished is finishes


async def test_what_was_told_after_the_turn_that_a_reset_goes_back_to_is_read_again(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID
) -> None:
    server.answers(LISTS, LISTS, FINISHES)
    await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    await tell(database, task_id, "And Q2.")
    await think(turns, ThinkCall(task_id=task_id, run=1, turn=2, seq=3))
    assert await seqs(database, task_id) == [4]
    again = await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0), execution="b")
    assert again.finished
    assert prompt_of(server, 2)[1:] == [("user", "Do it."), ("user", "And Q2.")]
    assert await seqs(database, task_id) == [3]


async def test_an_agent_that_has_finished_is_told_nothing_any_more(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID
) -> None:
    """Its task is not closed yet: nobody would read it, and nobody know."""
    server.answers(FINISHES)
    assert (await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))).finished
    late = NewTold(task_id, "Ann", "Too late.")
    assert await told.tell(database, SOMEBODY, late) is Refused.ENDED


async def test_a_turn_that_is_made_twice_reads_what_it_was_told_once(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID
) -> None:
    server.answers(LISTS)
    await tell(database, task_id, "And Q2.")
    first = ThinkCall(task_id=task_id, run=1, turn=1, seq=0)
    thought = await think(turns, first)
    await tell(database, task_id, "And Q3.")
    assert await think(turns, first, attempt=2) == thought
    assert await unread(database, task_id) == ["And Q3."]
    assert len(server.requests) == 1


async def test_an_agent_is_not_told_more_than_goes_with_each_turn(
    database: Database, task_id: UUID
) -> None:
    long = NewTold(task_id, "Ann", "x" * (MAX_TOLD_CHARACTERS - MAX_TOLD))
    assert isinstance(await told.tell(database, SOMEBODY, long), Told)
    await tell(database, task_id, *"y" * (MAX_TOLD - 1))
    assert await told.tell(database, SOMEBODY, NewTold(task_id, "Ann", "z")) is Refused.FULL


async def test_a_long_message_is_refused_where_it_does_not_fit_any_more(
    database: Database, task_id: UUID
) -> None:
    await tell(database, task_id, "x" * (MAX_TOLD_CHARACTERS - 1))
    assert await told.tell(database, SOMEBODY, NewTold(task_id, "Ann", "zz")) is Refused.FULL
    await tell(database, task_id, "z")
