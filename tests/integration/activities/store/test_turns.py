"""The rows of an agent's turns: what a repeat, a reset or a late comer changes."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import text

from activities.llm.base import NO_CHARGE, Answer, Charge, ChatMessage, ToolRequest, Usage
from activities.llm.opaque import Opaque
from activities.store import attempts, tasks, turns
from activities.store.attempts import Attempt, Ended, ToolMessage
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.turns import Call, CallDefinition, EndedTurn, Turn
from tests.days import day_that_lasts
from tests.integration.new_tasks import new_task
from tests.integration.restarts import restart
from workflows.agent_contracts import Thought, call_sub_task_id
from workflows.contracts import Failure, TaskClose
from workflows.definitions.agent import Agent
from workflows.errors.tasks import TaskMoved
from workflows.events import LlmDelta, MessageCreated
from workflows.states import Status, TaskType

SYSTEM, PROMPT = ChatMessage("system", "You are."), ChatMessage("user", "Do it.")


@pytest.fixture
async def task_id(database: Database) -> UUID:
    task = new_task(TaskType.AGENT, Agent(), prompt="Do it.")
    await tasks.create_task(database, task)
    return task.id


async def rows(database: Database, query: str, **values: object) -> list[tuple[object, ...]]:
    async with database.reading() as connection:
        return [tuple(row) for row in await connection.execute(text(query), values)]


async def conversation(database: Database, task_id: UUID) -> list[tuple[object, ...]]:
    query = "SELECT seq, role, content FROM messages WHERE task_id = :id ORDER BY seq"
    return await rows(database, query, id=task_id)


async def status(database: Database, task_id: UUID) -> object:
    return (await rows(database, "SELECT status FROM tasks WHERE id = :id", id=task_id))[0][0]


def answered(seq: int, said: str, *, turn: int = 1, opening: bool = False) -> EndedTurn:
    """The model says something as message ``seq``, and calls one tool."""
    request = ToolRequest("r1", "list_files", "{}")
    messages = {seq: ChatMessage("assistant", said, requests=(request,), turn=turn)}
    usage = Usage(90, 10, is_estimate=False)
    definition = CallDefinition(
        tool="list_files", arguments={}, turn=turn, request_id="r1", is_retry_safe=True
    )
    return EndedTurn(
        messages={1: SYSTEM, 2: PROMPT, **messages} if opening else messages,
        answer=Answer("m", said, (request,), usage, 0.25, 5, 9, "tool_calls"),
        thought=Thought(seq=seq + 1, tokens=100, cost_usd=0.25, digest="d"),
        calls=(Call(seq + 1, f"{turn}.1 list_files", "tool", definition),),
        events=(MessageCreated(turn=turn),),
    )


async def make_call(database: Database, turn: Turn, seq: int, result: str) -> bool:
    attempt = Attempt(
        task_id=turn.task_id,
        sub_task_id=call_sub_task_id(turn.task_id, seq),
        run=turn.run,
        number=1,
        retries=3,
        worker_id="worker-1",
        execution=turn.execution,
    )
    await attempts.begin(database, attempt)
    message = ToolMessage(seq, turn.turn, "r1", result)
    return await attempts.end(
        database, attempt, Ended(Status.COMPLETED, 5, exit_code=0, message=message)
    )


async def two_turns(database: Database, task_id: UUID) -> Turn:
    """Messages 1 to 6: the opening, then twice an answer with a result. The turn after them."""
    first = Turn(task_id, 1, 1, 0, "a")
    await turns.begin_turn(database, first, known=0)
    await turns.end_turn(database, first, answered(3, "first", opening=True))
    await make_call(database, first, 4, "one")
    second = Turn(task_id, 1, 2, 4, "a")
    await turns.begin_turn(database, second, known=0)
    await turns.end_turn(database, second, answered(5, "second", turn=2))
    await make_call(database, second, 6, "two")
    return Turn(task_id, 1, 3, 6, "a")


async def test_a_turn_reads_only_the_messages_that_are_not_known(
    database: Database, task_id: UUID
) -> None:
    await day_that_lasts()
    third = await two_turns(database, task_id)
    begun = await turns.begin_turn(database, third, known=4)
    assert [message.content for message in begun.messages] == ["second", "two"]
    assert begun.messages[0].requests == (ToolRequest("r1", "list_files", "{}"),)
    assert begun.messages[1].request_id == "r1"
    assert begun.tokens_today == 200


async def test_the_state_of_a_model_is_read_as_it_was_written_and_after_a_reset_too(
    database: Database, task_id: UUID
) -> None:
    state = Opaque("m", {"reasoning": "Hm."}, (None, {"extra_content": {"a": [1.5, None]}}))
    turn = Turn(task_id, 1, 1, 0, "a")
    await turns.begin_turn(database, turn, known=0)
    ended = answered(3, "first", opening=True)
    said = replace(ended.messages[3], opaque=state)
    await turns.end_turn(database, turn, replace(ended, messages={**ended.messages, 3: said}))
    for execution in ("a", "b"):
        begun = await turns.begin_turn(database, Turn(task_id, 1, 2, 3, execution), known=0)
        assert [message.opaque for message in begun.messages] == [None, None, state]


async def test_a_turn_that_was_made_already_gives_its_first_thought(
    database: Database, task_id: UUID
) -> None:
    turn = Turn(task_id, 1, 1, 0, "a")
    await turns.begin_turn(database, turn, known=0)
    ended = answered(3, "first", opening=True)
    await turns.end_turn(database, turn, ended)
    assert (await turns.begin_turn(database, turn, known=0)).thought == ended.thought


async def test_writing_a_turn_twice_counts_its_tokens_once(
    database: Database, task_id: UUID
) -> None:
    turn = Turn(task_id, 1, 1, 0, "a")
    await turns.begin_turn(database, turn, known=0)
    assert await turns.end_turn(database, turn, answered(3, "first", opening=True))
    assert not await turns.end_turn(database, turn, answered(3, "again", opening=True))
    assert await rows(database, "SELECT tokens, cost_usd FROM team_usage") == [(100, 0.25)]
    assert (await conversation(database, task_id))[-1][2] == "first"
    query = "SELECT model, prompt_tokens, completion_tokens, cost_usd FROM model_usage"
    assert await rows(database, query) == [("m", 90, 10, 0.25)]


async def test_a_model_with_the_longest_of_names_is_counted(
    database: Database, task_id: UUID
) -> None:
    for number, name in enumerate(("m" * 100_000, "")):
        turn = Turn(task_id, 1, 1, 0, f"run {number}")
        await turns.begin_turn(database, turn, known=0)
        ended = answered(3, "first", opening=True)
        ended = replace(ended, answer=replace(ended.answer, model=name))
        assert await turns.end_turn(database, turn, ended)
    assert await rows(database, "SELECT model FROM model_usage") == [("m" * 200,)]


async def test_of_two_attempts_that_write_a_turn_at_once_one_counts(
    database: Database, task_id: UUID
) -> None:
    turn = Turn(task_id, 1, 1, 0, "a")
    await turns.begin_turn(database, turn, known=0)
    ended = answered(3, "first", opening=True)
    async with database.writing() as connection:
        await connection.execute(text("SELECT FROM tasks FOR UPDATE"))
        writing = [asyncio.create_task(turns.end_turn(database, turn, ended)) for _ in range(2)]
        waiting = """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'"""
        while await rows(database, waiting) != [(2,)]:
            await asyncio.sleep(0.01)
    assert sorted(await asyncio.gather(*writing)) == [False, True]
    assert await rows(database, "SELECT tokens FROM team_usage") == [(100,)]


async def test_usage_of_broken_answers_is_counted_once_for_team_and_turn(
    database: Database, task_id: UUID
) -> None:
    turn = Turn(task_id, 1, 1, 0, "a")
    assert (await turns.begin_turn(database, turn, known=0)).lost == NO_CHARGE
    for tokens in (30, 7):
        await turns.count_lost(database, turn, Charge(tokens, 1, 0.5))
    lost = (await turns.begin_turn(database, turn, known=0, is_repeated=True)).lost
    assert lost == Charge(37, 2, 1.0)
    await turns.end_turn(database, turn, replace(answered(3, "at last", opening=True), lost=lost))
    query = "SELECT prompt_tokens, completion_tokens, cost_usd FROM messages WHERE seq = 3"
    assert await rows(database, query) == [(127, 12, 1.25)]
    assert await rows(database, "SELECT tokens, cost_usd FROM team_usage") == [(139, 1.25)]


async def test_usage_lost_before_a_reset_is_not_counted_again(
    database: Database, task_id: UUID
) -> None:
    turn = Turn(task_id, 1, 1, 0, "a")
    await turns.begin_turn(database, turn, known=0)
    await turns.count_lost(database, turn, Charge(30, 1, 0.5))
    after = replace(turn, execution="b")
    await turns.begin_turn(database, after, known=0)
    await turns.count_lost(database, after, Charge(5, 0, 0.0))
    await turns.count_lost(database, turn, Charge(99, 0, 0.0))  # It comes too late.
    lost = (await turns.begin_turn(database, after, known=0, is_repeated=True)).lost
    assert lost == Charge(5, 0, 0.0)


@pytest.mark.parametrize(
    ("code", "message"), [("model-refused", "It said no."), ("worker-lost", "Nobody knows.")]
)
async def test_a_run_ends_with_what_its_turn_has_written_of_the_same_failure(
    database: Database, task_id: UUID, code: str, message: str
) -> None:
    turn = Turn(task_id, 1, 1, 0, "first")
    await turns.begin_turn(database, turn, known=0)
    told = Failure(code="model-refused", message="It said no.", step="turn 1")
    await turns.tell_of_trouble(database, turn, told, ())
    close = TaskClose(
        task_id=task_id,
        team_id=DEFAULT_TEAM,
        run=1,
        status=Status.FAILED,
        failure=Failure(code=code, message="Nobody knows."),
    )
    assert await tasks.close_task(database, close)
    query = "SELECT error ->> 'code', error ->> 'message' FROM tasks WHERE id = :id"
    assert await rows(database, query, id=task_id) == [(code, message)]


async def test_a_reset_run_drops_what_lies_behind_and_goes_on(
    database: Database, task_id: UUID
) -> None:
    await two_turns(database, task_id)
    again = Turn(task_id, 1, 2, 4, "b")
    begun = await turns.begin_turn(database, again, known=0)
    assert [message.content for message in begun.messages] == ["You are.", "Do it.", "first", "one"]
    assert await turns.end_turn(database, again, answered(5, "other", turn=2))
    assert [item[2] for item in (await conversation(database, task_id))[4:]] == ["other"]
    calls = "SELECT execution_order FROM sub_tasks WHERE task_id = :id ORDER BY 1"
    assert await rows(database, calls, id=task_id) == [(4,), (6,)]


async def test_a_reset_of_a_completed_run_sets_the_task_running_again(
    database: Database, task_id: UUID
) -> None:
    await two_turns(database, task_id)
    close = TaskClose(task_id=task_id, team_id=DEFAULT_TEAM, run=1, status=Status.COMPLETED)
    await tasks.close_task(database, close)
    await turns.begin_turn(database, Turn(task_id, 1, 2, 4, "b"), known=0)
    assert await status(database, task_id) == "running"
    assert await tasks.close_task(database, close)


async def test_a_run_that_is_reset_to_the_middle_of_a_turn_goes_on_with_its_calls(
    database: Database, task_id: UUID
) -> None:
    late = await two_turns(database, task_id)
    close = TaskClose(task_id=task_id, team_id=DEFAULT_TEAM, run=1, status=Status.COMPLETED)
    await tasks.close_task(database, close)
    attempt = Attempt(task_id, call_sub_task_id(task_id, 4), 1, 1, 3, "worker-1", "b")
    for _ in range(2):
        begun = await attempts.begin(database, attempt)
        assert begun.outcome is not None
    assert await status(database, task_id) == "running"
    said = ["You are.", "Do it.", "first", "one"]
    assert [item[2] for item in await conversation(database, task_id)] == said
    second = Turn(task_id, 1, 2, 4, "b")
    await turns.begin_turn(database, second, known=0)
    assert await turns.end_turn(database, second, answered(5, "other", turn=2))
    assert not await turns.end_turn(database, late, answered(7, "late", turn=3))


async def test_writes_of_a_superseded_execution_change_nothing(
    database: Database, task_id: UUID
) -> None:
    late = await two_turns(database, task_id)
    await turns.begin_turn(database, Turn(task_id, 1, 2, 4, "b"), known=0)
    before = await conversation(database, task_id)
    with pytest.raises(TaskMoved):
        await turns.begin_turn(database, late, known=0)
    assert not await turns.end_turn(database, late, answered(7, "late", turn=3))
    with pytest.raises(TaskMoved):
        await make_call(database, late, 4, "late")
    await turns.add_events(database, late, (LlmDelta(turn=3),))
    assert await conversation(database, task_id) == before
    assert await rows(database, "SELECT 1 FROM events WHERE type = 'llm.delta'") == []


async def test_streamed_text_goes_when_its_message_is_written_but_for_the_last_seconds(
    database: Database, task_id: UUID
) -> None:
    turn = await two_turns(database, task_id)
    await turns.begin_turn(database, turn, known=0)
    await turns.add_events(database, turn, (LlmDelta(turn=turn.turn, text="early"),))
    async with database.writing() as connection:
        await connection.execute(
            text("UPDATE events SET created_at = created_at - interval '1 minute'")
        )
    await turns.add_events(database, turn, (LlmDelta(turn=turn.turn, text="late"),))
    said = "SELECT data ->> 'text' AS text FROM events WHERE type = 'llm.delta'"
    assert [row[0] for row in await rows(database, said)] == ["early", "late"]
    assert await turns.end_turn(database, turn, answered(turn.seq + 1, "all", turn=turn.turn))
    assert [row[0] for row in await rows(database, said)] == ["late"]


async def test_a_task_that_was_cancelled_before_it_began_stays_so(
    database: Database, task_id: UUID
) -> None:
    """Its workflow may be started late, by whoever did not hear of it."""
    close = TaskClose(task_id=task_id, team_id=DEFAULT_TEAM, run=1, status=Status.CANCELLED)
    await tasks.close_task(database, close)
    with pytest.raises(TaskMoved):
        await turns.begin_turn(database, Turn(task_id, 1, 1, 0, "a"), known=0)


async def test_a_retry_that_was_cancelled_before_it_began_stays_so(
    database: Database, task_id: UUID
) -> None:
    await two_turns(database, task_id)
    close = TaskClose(task_id=task_id, team_id=DEFAULT_TEAM, run=1, status=Status.FAILED)
    await tasks.close_task(database, close)
    await restart(database, task_id, 1, first_step=0, inputs={})
    await tasks.close_task(
        database, close.model_copy(update={"run": 2, "status": Status.CANCELLED})
    )
    with pytest.raises(TaskMoved):
        await turns.begin_turn(database, Turn(task_id, 2, 3, 6, "b"), known=0)


async def test_an_earlier_run_of_the_task_changes_nothing_any_more(
    database: Database, task_id: UUID
) -> None:
    late = await two_turns(database, task_id)
    close = TaskClose(task_id=task_id, team_id=DEFAULT_TEAM, run=1, status=Status.FAILED)
    await tasks.close_task(database, close)
    await restart(database, task_id, 1, first_step=0, inputs={})
    with pytest.raises(TaskMoved):
        await turns.begin_turn(database, late, known=0)


async def test_the_result_of_a_call_is_found_by_a_repeat_of_it(
    database: Database, task_id: UUID
) -> None:
    await two_turns(database, task_id)
    assert await turns.status_of_call(database, task_id, 4, "a") == "completed"
    assert await turns.status_of_call(database, task_id, 4, "b") is None


async def test_a_call_whose_worker_was_stopped_in_the_middle_counts_as_lost(
    database: Database, task_id: UUID
) -> None:
    first = Turn(task_id, 1, 1, 0, "a")
    await turns.begin_turn(database, first, known=0)
    await turns.end_turn(database, first, answered(3, "first", opening=True))
    attempt = Attempt(task_id, call_sub_task_id(task_id, 4), 1, 1, 3, "worker-1", "a")
    assert not (await attempts.begin(database, attempt)).was_lost
    assert not (await attempts.begin(database, attempt)).was_lost
    assert (await attempts.begin(database, replace(attempt, number=2))).was_lost


async def test_text_that_postgres_cannot_keep_is_replaced(
    database: Database, task_id: UUID
) -> None:
    turn = Turn(task_id, 1, 1, 0, "a")
    await turns.begin_turn(database, turn, known=0)
    await turns.end_turn(database, turn, answered(3, "nul \0 half \ud800 end", opening=True))
    assert (await conversation(database, task_id))[2][2] == "nul � half ? end"
