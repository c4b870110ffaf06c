"""Turns of a model as activities: what is written of them, whatever goes wrong."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text as query
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.agents.turn import TurnOptions, Turns
from activities.attempts.attempt import as_application_error
from activities.llm.base import ModelOptions
from activities.llm.models import Models
from activities.store import tasks
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.options import S3Options
from activities.tools.registry import Registry
from activities.tools.toolbox import Toolbox
from tests.doubles.model_server import (
    Exchange,
    ModelServer,
    call,
    calls,
    delta,
    events,
    model_server,
    refusal,
    text,
)
from tests.equipment import TOKENS, equipment
from tests.integration.new_tasks import new_task
from workflows.contracts import Hint, ThinkCall, Thought
from workflows.definitions.agent import Agent
from workflows.policies import THINK_RETRIES
from workflows.states import TaskType

# Nothing is ever asked of it: no connection is made before it is needed.
BLOBS = Blobs(S3Options("http://127.0.0.1:1", "bucket", "key", "secret"))
LISTS = calls(call(0, id="c1", name="list_files", arguments="{}"))
BREAKS_OFF = events(delta(content="Let me see"), done=False)


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as served:
        yield served


@pytest.fixture
async def task_id(database: Database) -> UUID:
    task = new_task(TaskType.AGENT, Agent(), prompt="Do it.")
    await tasks.create_task(database, task)
    return task.id


@asynccontextmanager
async def worker(
    database: Database, server: ModelServer, folder: Path, *names: str
) -> AsyncIterator[Turns]:
    models = Models(ModelOptions(models=names or ("first",), base_url=server.url), TOKENS)
    try:
        yield Turns(
            equipment(database, BLOBS, folder, models=models),
            Toolbox(Registry(), database),
            TurnOptions(),
        )
    finally:
        await models.close()


@pytest.fixture
async def turns(database: Database, server: ModelServer, tmp_path: Path) -> AsyncIterator[Turns]:
    async with worker(database, server, tmp_path) as turns:
        yield turns


async def think(turns: Turns, call: ThinkCall, attempt: int = 1) -> Thought:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=attempt, workflow_run_id="a")

    async def run() -> Thought:
        async with as_application_error():
            return await turns.make(call)

    return await environment.run(run)


async def messages(database: Database, task_id: UUID) -> list[tuple[str, str]]:
    statement = query("SELECT role, content FROM messages WHERE task_id = :id ORDER BY seq")
    async with database.reading() as connection:
        return [(row[0], row[1]) for row in await connection.execute(statement, {"id": task_id})]


async def tokens_of_team(database: Database) -> int:
    async with database.reading() as connection:
        return int(await connection.scalar(query("SELECT sum(tokens) FROM team_usage")) or 0)


@pytest.mark.parametrize("swept", [False, True])
async def test_an_answer_that_broke_off_is_paid_for_by_team_and_turn(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID, swept: bool
) -> None:
    """Also when the events that told of it are ``swept`` before the next attempt."""
    server.answers(BREAKS_OFF, LISTS)
    first = ThinkCall(task_id=task_id, run=1, turn=1, seq=0)
    with pytest.raises(ApplicationError):
        await think(turns, first)
    lost = await tokens_of_team(database)
    assert lost > 100  # The prompt, for the most part.
    if swept:
        async with database.writing() as connection:
            await connection.execute(query("DELETE FROM events"))
    thought = await think(turns, first, 2)
    assert thought.tokens == lost + 15
    assert await tokens_of_team(database) == lost + 15


async def test_an_answer_that_another_attempt_has_given_meanwhile_is_the_one_that_counts(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID, tmp_path: Path
) -> None:
    """Temporal took the first worker for dead, but it was only slow."""
    first = ThinkCall(task_id=task_id, run=1, turn=1, seq=0)
    given: list[Thought] = []

    async def slowly(exchange: Exchange) -> None:
        async with worker(database, server, tmp_path) as another:
            given.append(await think(another, first, 2))
        await text("Nobody waits for this.")(exchange)

    server.answers(slowly, LISTS)
    assert await think(turns, first) == given[0]
    assert len(given[0].calls) == 1
    assert [role for role, _ in await messages(database, task_id)] == [
        "system",
        "user",
        "assistant",
    ]


async def test_a_model_that_was_cut_off_is_told_so_and_nothing_else(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID
) -> None:
    server.answers(text("Well, to begin with, ", finish="length"), LISTS)
    thought = await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    assert (thought.seq, thought.silent) == (4, True)
    hint = Hint.CALL_A_TOOL
    again = ThinkCall(task_id=task_id, run=1, turn=2, seq=thought.seq, hint=hint)
    assert (await think(turns, again)).seq == 6
    said = [message["content"] for message in server.requests[1].body["messages"]]
    assert said[2] == "Well, to begin with, "
    assert "cut off before it called a tool" in said[3]
    assert len(said) == 4


async def test_a_model_that_says_something_and_calls_nothing_is_asked_to(
    turns: Turns, server: ModelServer, task_id: UUID
) -> None:
    server.answers(text("Hello!"), LISTS)
    thought = await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    hint = Hint.CALL_A_TOOL
    await think(turns, ThinkCall(task_id=task_id, run=1, turn=2, seq=thought.seq, hint=hint))
    assert "You called no tool" in server.requests[1].body["messages"][-1]["content"]


SIGNED = {"google": {"thought_signature": "c2lnLTE="}}
WITH_STATE = events(
    delta(reasoning_content="I look, NUL \0, half \ud83d.", content="Looking."),
    delta(
        tool_calls=[call(0, id="g1", name="list_files", arguments="{}") | {"extra_content": SIGNED}]
    ),
    delta("stop"),
)


async def test_the_state_of_a_model_goes_back_to_it_from_another_worker_too(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID, tmp_path: Path
) -> None:
    server.answers(WITH_STATE, LISTS, LISTS)
    thought = await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    again = ThinkCall(task_id=task_id, run=1, turn=2, seq=thought.seq)
    async with worker(database, server, tmp_path) as another:
        await think(another, again)
    sent = server.requests[1].body["messages"][2]
    assert sent["content"] == "Looking."
    assert sent["reasoning_content"] == "I look, NUL \ufffd, half ?."
    assert sent["tool_calls"][0]["extra_content"] == SIGNED
    assert [said for role, said in await messages(database, task_id) if role == "assistant"] == [
        "Looking.",
        "",
    ]


async def test_a_call_that_was_written_as_text_is_named_and_not_hinted_at_once_more(
    turns: Turns, server: ModelServer, task_id: UUID
) -> None:
    server.answers(text('<tool_call>{"name": "list_files"}</tool_call>'), LISTS)
    thought = await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    hint = Hint.CALL_A_TOOL
    await think(turns, ThinkCall(task_id=task_id, run=1, turn=2, seq=thought.seq, hint=hint))
    said = [message["content"] for message in server.requests[1].body["messages"]]
    assert "you wrote a call as text (<tool_call>)" in said[-1]
    assert len(said) == 4


async def told(database: Database, task_id: UUID) -> list[tuple[str, dict[str, Any]]]:
    statement = query("SELECT type, data FROM events WHERE task_id = :id ORDER BY seq")
    async with database.reading() as connection:
        return [(row[0], row[1]) for row in await connection.execute(statement, {"id": task_id})]


async def error_of(database: Database, task_id: UUID) -> Any:
    statement = query("SELECT error FROM tasks WHERE id = :id")
    async with database.reading() as connection:
        return await connection.scalar(statement, {"id": task_id})


async def test_while_a_model_is_to_be_asked_again_events_and_row_say_why(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID
) -> None:
    server.answers(text("I", finish="error"), LISTS)
    first = ThinkCall(task_id=task_id, run=1, turn=1, seq=0)
    with pytest.raises(ApplicationError):
        await think(turns, first)
    [retrying] = [data for name, data in await told(database, task_id) if name == "llm.retrying"]
    assert 'ended its answer with "error"' in retrying["error"]["message"]
    assert retrying["model"] == "first"
    assert retrying["next_attempt_at"]
    assert await error_of(database, task_id) == retrying["error"]
    await think(turns, first, 2)
    assert await error_of(database, task_id) is None


@pytest.mark.parametrize("last", [(400, 1), (503, THINK_RETRIES + 1)], ids=["final", "last"])
async def test_nothing_is_said_of_another_attempt_where_there_is_none(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID, last: tuple[int, int]
) -> None:
    status, attempt = last
    server.answers(refusal(status))
    with pytest.raises(ApplicationError):
        await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0), attempt)
    assert "llm.retrying" not in [name for name, _ in await told(database, task_id)]
    assert await error_of(database, task_id) is None


async def test_a_model_in_whose_place_another_is_asked_is_named_with_the_reason(
    database: Database, server: ModelServer, task_id: UUID, tmp_path: Path
) -> None:
    server.answers(refusal(503, "loading"), LISTS)
    async with worker(database, server, tmp_path, "first", "second") as turns:
        await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    [retrying] = [data for name, data in await told(database, task_id) if name == "llm.retrying"]
    assert (retrying["model"], "next_attempt_at" in retrying) == ("first", False)
    assert "loading" in retrying["error"]["message"]


async def test_every_model_that_gave_no_answer_is_named_when_none_did(
    database: Database, server: ModelServer, task_id: UUID, tmp_path: Path
) -> None:
    server.answers(refusal(503, "loading"), refusal(503, "busy"))
    async with worker(database, server, tmp_path, "first", "second") as turns:
        with pytest.raises(ApplicationError):
            await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    found = [data for name, data in await told(database, task_id) if name == "llm.retrying"]
    assert ["next_attempt_at" in data for data in found] == [False, True]
    assert found[0]["model"] == "first"
